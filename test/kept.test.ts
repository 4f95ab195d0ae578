import { expect } from 'chai'
import { closeAll, Kept } from '../src/kept.ts'

class Thing {
  closed = 0
  close() {
    this.closed++
  }
}

describe('what outlives a reload', () => {
  it('is the same for the same name, and another for any other', () => {
    const kept = new Kept()
    const first = kept.draft()
    const thing = first.of(['keys', 'a', 10], () => new Thing())
    expect(first.of(['keys', 'a', 10], () => new Thing())).to.equal(thing)
    expect(first.settle()).to.deep.equal([])
    const second = kept.draft()
    expect(second.of(['keys', 'a', 10], () => new Thing())).to.equal(thing)
    for (const name of [
      ['keys', 'a', 11],
      ['keys', 'a', '10'],
      ['keys', 'a'],
      ['keys', ['a', 10]],
    ])
      expect(second.of(name, () => new Thing())).to.not.equal(thing)
  })

  it('is given back when a configuration that is in use has not asked for it', () => {
    const kept = new Kept()
    const first = kept.draft()
    const [stays, goes] = [first.of(['stays'], () => new Thing()), first.of(['goes'], () => new Thing())]
    first.settle()
    const second = kept.draft()
    expect(second.of(['stays'], () => new Thing())).to.equal(stays)
    expect(second.settle()).to.deep.equal([goes])
    expect(goes.closed).to.equal(0)
    expect(kept.draft().of(['goes'], () => new Thing())).to.not.equal(goes)
  })

  it('is not touched by a configuration that is not used, which closes what was made for it alone', async () => {
    const kept = new Kept()
    const first = kept.draft()
    const old = first.of(['old'], () => new Thing())
    first.settle()
    const failed = kept.draft()
    failed.of(['old'], () => new Thing())
    const made = failed.of(['new'], () => new Thing())
    await failed.discard()
    expect([old.closed, made.closed]).to.deep.equal([0, 1])
    const next = kept.draft()
    expect(next.of(['new'], () => new Thing())).to.not.equal(made)
    expect(next.of(['old'], () => new Thing())).to.equal(old)
  })

  it('is closed, all of it, also where something cannot be', async () => {
    const things = [new Thing(), { close: () => Promise.reject(new Error('it is stuck')) }, {}, new Thing()]
    const error = await closeAll(things).catch(reason => reason)
    expect(error.message).to.equal('it is stuck')
    expect([things[0], things[3]].map(thing => (thing as Thing).closed)).to.deep.equal([1, 1])
  })
})

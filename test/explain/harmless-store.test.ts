import { executionAsyncId } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { HarmlessStore } from '../../src/explain/harmless-store.ts'
import { Outage } from '../../src/oauth/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

const now = () => 1_000

describe('explain/harmless-store', () => {
  async function stores() {
    const real = memoryStore(now)
    await real.put('kept', 'yes', 60)
    await real.increment('count', 60)
    return { real, harmless: new HarmlessStore(real) }
  }

  it('reads what the real one has', async () => {
    const { harmless } = await stores()
    expect(await harmless.during(() => harmless.get('kept'))).to.equal('yes')
    expect(await harmless.during(() => harmless.putIfAbsent('kept', 'x'))).to.equal(false)
    expect(await harmless.during(() => harmless.increment('count'))).to.equal(2)
    expect(await harmless.during(() => harmless.take('kept'))).to.equal('yes')
  })

  it('has Node watch promises no longer than somebody explains', async () => {
    const { harmless } = await stores()
    // Only promises that are watched have numbers, each its own.
    const numberOfPromise = async () => {
      await turn()
      return executionAsyncId()
    }
    const areWatched = async () => {
      const first = await numberOfPromise()
      return first !== (await numberOfPromise())
    }
    const before = await areWatched()
    const during = [harmless.during(areWatched), harmless.during(() => areWatched().then(areWatched))]
    expect(await Promise.all(during)).to.deep.equal([true, true])
    expect({ before, after: await areWatched() }).to.deep.equal({ before: false, after: false })
  })

  it('changes nothing there', async () => {
    const { real, harmless } = await stores()
    await harmless.during(async () => {
      await harmless.put('new', 'x')
      await harmless.put('kept', 'x')
      await harmless.increment('count')
      await harmless.take('kept')
      await harmless.delete('count')
      await harmless.putIfAbsent('once', 'x')
    })
    expect(await Promise.all(['new', 'kept', 'count', 'once'].map(key => real.get(key)))).to.deep.equal([undefined, 'yes', '1', undefined])
  })

  it('shows an explanation what it has written itself, and no other one', async () => {
    const { harmless } = await stores()
    const seen = await harmless.during(async () => {
      const first = await harmless.putIfAbsent('once', 'x')
      return [first, await harmless.putIfAbsent('once', 'x'), await harmless.during(() => harmless.get('once'))]
    })
    expect(seen).to.deep.equal([true, false, undefined])
    expect(await harmless.during(() => harmless.get('once'))).to.equal(undefined)
  })

  it('keeps what was deleted deleted', async () => {
    const { harmless } = await stores()
    expect(await harmless.during(async () => [await harmless.delete('kept'), await harmless.get('kept')])).to.deep.equal([
      undefined,
      undefined,
    ])
  })

  it('fails where the real one would', async () => {
    const { real, harmless } = await stores()
    await real.close()
    const operations: Array<(store: Store) => Promise<unknown>> = [
      store => store.put('a', 'b', 1),
      store => store.putIfAbsent('a', 'b', 1),
      store => store.increment('a', 1),
      store => store.get('a'),
      store => store.take('a'),
      store => store.delete('a'),
      store => store.ping(),
    ]
    for (const operation of operations)
      expect(await harmless.during(() => operation(harmless)).catch((error: unknown) => error)).to.be.instanceOf(Outage)
  })

  it('is of no use outside of an explanation', async () => {
    const { harmless } = await stores()
    expect(await harmless.put('a', 'b').catch((error: Error) => error.message)).to.match(/outside of an explanation/)
  })
})

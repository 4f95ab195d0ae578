import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { Outage } from '../../src/oauth/errors.ts'
import { type EmbeddedOptions, embeddedStore } from '../../src/stores/embedded.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeConformance } from './conformance.ts'
import { Contenders } from './contenders.ts'
import { until } from './until.ts'

describe('stores/embedded', () => {
  const opened: Store[] = []
  let folder: string
  let time: number
  const now = () => time

  beforeEach(async () => {
    time = 1_700_000_000
    folder = join(await mkdtemp(join(tmpdir(), 'cambist-store-')), 'data')
  })

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(store => store.close()))
    await rm(join(folder, '..'), { recursive: true })
  })

  function open(options?: EmbeddedOptions): Store {
    const store = embeddedStore(folder, now, options)
    opened.push(store)
    return store
  }

  describe('as every store', () => {
    storeConformance(async () => ({
      store: open(),
      elapse: async seconds => {
        time += seconds
      },
    }))
  })

  it('lets nobody else read the folder', async () => {
    open()
    expect((await stat(folder)).mode & 0o777).to.equal(0o700)
    expect((await stat(join(folder, 'data.mdb'))).mode & 0o777).to.equal(0o600)
  })

  it('knows everything when it is opened again', async () => {
    const store = open()
    await store.put('a', 'one', 60)
    await store.increment('counter', 60)
    await store.close()
    const again = open()
    expect(await again.get('a')).to.equal('one')
    expect(await again.increment('counter', 60)).to.equal(2)
  })

  it('removes what has expired, so that the file does not grow for ever, and nothing else', async () => {
    const store = open({ sweepEvery: 20 })
    await store.put('long', 'one', 100_000)
    const write = (round: number) =>
      Promise.all(Array.from({ length: 1_500 }, (_, index) => store.put(`${round}:${index}`, 'x'.repeat(500), 10)))
    const size = async () => (await stat(join(folder, 'data.mdb'))).size
    await write(0)
    // Whatever is removed makes room for what comes later. Without, every round would need more.
    let round = 0
    let full = 0
    await until(
      'three rounds in a row need no more room',
      async () => {
        const before = await size()
        time += 61
        // On a busy machine to remove takes longer.
        await pause(100 * ++round)
        await write(round)
        full = (await size()) > before ? 0 : full + 1
        return full === 3
      },
      50_000,
    )
    expect(await store.get('long')).to.equal('one')
  })

  it('cannot be opened where there is a file in the way', async () => {
    await writeFile(folder, '')
    expect(() => open()).to.throw(Outage, folder)
  })

  describe('on a disk that fails', () => {
    it('is an outage while the disk is full, but can still be read', async () => {
      const store = open({ reserve: Number.MAX_SAFE_INTEGER })
      const failed = await store.put('a', 'one', 60).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Outage)
      expect(await store.ping().catch((error: unknown) => error)).to.be.instanceOf(Outage)
      expect(await store.get('a')).to.equal(undefined)
    })

    it('is an outage while the folder is away, and serves again when it is back', async () => {
      const store = open()
      await store.put('a', 'one', 60)
      await rename(folder, `${folder}.away`)
      await until('the store has noticed', async () => (await attempt(store)) instanceof Outage)
      expect(await store.ping().catch((error: unknown) => error)).to.be.instanceOf(Outage)
      await rename(`${folder}.away`, folder)
      await until('the store has recovered', async () => (await attempt(store)) === undefined)
      expect(await store.get('a')).to.equal('one')
    })

    it('is an outage when another folder has taken the place', async () => {
      const store = open()
      await rename(folder, `${folder}.away`)
      await mkdir(folder)
      await writeFile(join(folder, 'data.mdb'), 'another')
      await until('the store has noticed', async () => (await attempt(store)) instanceof Outage)
    })

    async function attempt(store: Store): Promise<unknown> {
      return store.put('attempt', 'x', 60).catch((error: unknown) => error)
    }
  })

  describe('used by several processes', () => {
    let contenders: Contenders

    beforeEach(async () => {
      contenders = await Contenders.start(3, 'embedded', folder)
    })

    afterEach(() => contenders.stop())

    it('lets one of 200 win, counts every increment and gives to one who takes', async () => {
      const won = await contenders.all('putIfAbsent', 'once', 67)
      expect(won.filter(Boolean)).to.have.length(1)
      const counts = await contenders.all('increment', 'counter', 67)
      expect(new Set(counts).size).to.equal(201)
      expect(Math.max(...counts.map(Number))).to.equal(201)
      const taken = await contenders.all('take', 'counter', 20)
      expect(taken.filter(value => value !== null)).to.deep.equal(['201'])
    })

    it('knows every acknowledged write after all of them were killed', async () => {
      const acknowledged = await contenders.writeUntilKilled(200)
      expect(acknowledged.length).to.be.greaterThan(100)
      const store = embeddedStore(folder, () => Date.now() / 1_000)
      opened.push(store)
      for (const key of acknowledged) {
        expect(await store.get(key)).to.equal(`${key} ${'x'.repeat(700)}`)
        expect(await store.putIfAbsent(`once:${key}`, 'again', 60)).to.equal(false)
      }
    })
  })
})

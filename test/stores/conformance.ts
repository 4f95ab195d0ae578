import { expect } from 'chai'
import { Outage } from '../../src/oauth/errors.ts'
import type { Store } from '../../src/stores/store.ts'

/** A store under test, and how its time passes. */
export interface StoreUnderTest {
  readonly store: Store
  /** Resolves when so many seconds have passed, as the store sees it. */
  elapse(seconds: number): Promise<void>
}

/** The behaviour that every store has. `open` gives a store and its clock; what it needs is cleared away by `clear`. */
export function storeConformance(open: () => Promise<StoreUnderTest>, clear: () => Promise<void> = async () => {}): void {
  let store: Store
  let elapse: StoreUnderTest['elapse']
  let prefix: string

  beforeEach(async () => {
    const opened = await open()
    store = opened.store
    elapse = opened.elapse
    prefix = `test:${Math.random().toString(36).slice(2)}:`
  })

  afterEach(async () => {
    await store.close()
    await clear()
  })

  const key = (name: string) => prefix + name

  describe('values', () => {
    it('gives back what was put, until it is put anew', async () => {
      await store.put(key('a'), 'one', 60)
      expect(await store.get(key('a'))).to.equal('one')
      await store.put(key('a'), 'two', 60)
      expect(await store.get(key('a'))).to.equal('two')
    })

    it('knows nothing of a key that was never put', async () => {
      expect(await store.get(key('never'))).to.equal(undefined)
      expect(await store.take(key('never'))).to.equal(undefined)
      await store.delete(key('never'))
    })

    it('keeps keys apart', async () => {
      await store.put(key('a'), 'one', 60)
      await store.put(key('a:b'), 'two', 60)
      await store.put(key('A'), 'three', 60)
      expect([await store.get(key('a')), await store.get(key('a:b')), await store.get(key('A'))]).to.deep.equal(['one', 'two', 'three'])
    })

    const values: Record<string, string> = {
      'an empty value': '',
      'a value of 64 KB': 'x'.repeat(65_536),
      'a value of 64 KB that is not ASCII': 'é€😀'.repeat(7_300),
      'line ends, quotes and control characters': '\r\n"\'\\\u0000\u0001\u001f\u007f$3\r\n*1\r\n',
      'a value that starts with a zero byte': '\u0000\u0000a\u0000',
      'characters beyond the basic plane': '😀 𝒳 한국어 العربية',
      JSON: JSON.stringify({ sub: 'josé', groups: ['a', '"b"'], none: null }),
    }
    for (const [name, value] of Object.entries(values)) {
      it(`keeps ${name}`, async () => {
        await store.put(key('put'), value, 60)
        expect(await store.putIfAbsent(key('absent'), value, 60)).to.equal(true)
        expect(await store.get(key('put'))).to.equal(value)
        expect(await store.get(key('absent'))).to.equal(value)
        expect(await store.take(key('put'))).to.equal(value)
      })
    }

    const names: Record<string, string> = {
      'with spaces and line ends': 'a b\r\nc',
      'that is not ASCII': 'clé:😀:鍵',
      'with a zero byte': 'a\u0000b',
      'of 5,000 characters': 'k'.repeat(5_000),
      'of 400 characters of three bytes each': '€'.repeat(400),
    }
    for (const [description, name] of Object.entries(names)) {
      it(`takes a key ${description}`, async () => {
        await store.put(key(name), 'value', 60)
        await store.put(key(`${name}.`), 'other', 60)
        expect(await store.get(key(name))).to.equal('value')
        expect(await store.putIfAbsent(key(name), 'again', 60)).to.equal(false)
        expect(await store.take(key(name))).to.equal('value')
        expect(await store.get(key(name))).to.equal(undefined)
        expect(await store.get(key(`${name}.`))).to.equal('other')
      })
    }

    it('deletes', async () => {
      await store.put(key('a'), 'one', 60)
      await store.delete(key('a'))
      expect(await store.get(key('a'))).to.equal(undefined)
    })
  })

  describe('expiry', () => {
    it('forgets a value after its time to live', async () => {
      await store.put(key('short'), 'one', 1)
      await store.put(key('long'), 'two', 60)
      await elapse(1.2)
      expect(await store.get(key('short'))).to.equal(undefined)
      expect(await store.take(key('short'))).to.equal(undefined)
      expect(await store.get(key('long'))).to.equal('two')
    })

    it('takes any time to live', async () => {
      for (const seconds of [60, 100 * 365 * 86_400, Number.MAX_SAFE_INTEGER, 1e300]) {
        await store.put(key(`put:${seconds}`), 'one', seconds)
        expect(await store.get(key(`put:${seconds}`))).to.equal('one')
        expect(await store.putIfAbsent(key(`absent:${seconds}`), 'one', seconds)).to.equal(true)
        expect(await store.increment(key(`counter:${seconds}`), seconds)).to.equal(1)
      }
    })

    it('starts the time to live anew with each put', async () => {
      await store.put(key('a'), 'one', 1)
      await store.put(key('a'), 'two', 60)
      await elapse(1.2)
      expect(await store.get(key('a'))).to.equal('two')
    })

    it('takes an expired value as absent', async () => {
      expect(await store.putIfAbsent(key('short'), 'one', 1)).to.equal(true)
      expect(await store.putIfAbsent(key('long'), 'one', 60)).to.equal(true)
      await elapse(1.2)
      expect(await store.putIfAbsent(key('short'), 'two', 60)).to.equal(true)
      expect(await store.putIfAbsent(key('long'), 'two', 60)).to.equal(false)
      expect([await store.get(key('short')), await store.get(key('long'))]).to.deep.equal(['two', 'one'])
    })

    it('starts the time to live of a counter with the first increment, and does not extend it', async () => {
      // Seconds that really pass, for some stores: the second one has to come in time on a busy machine, too.
      expect(await store.increment(key('counter'), 5)).to.equal(1)
      await elapse(1.2)
      expect(await store.increment(key('counter'), 5)).to.equal(2)
      await elapse(4)
      expect(await store.get(key('counter'))).to.equal(undefined)
      expect(await store.increment(key('counter'), 60)).to.equal(1)
    })
  })

  describe('concurrency', () => {
    it('lets one of 200 win', async () => {
      const won = await Promise.all(Array.from({ length: 200 }, (_, index) => store.putIfAbsent(key('once'), String(index), 60)))
      expect(won.filter(Boolean)).to.have.length(1)
      expect(await store.get(key('once'))).to.equal(String(won.indexOf(true)))
    })

    it('lets one of 200 win again after the first has expired', async () => {
      await store.put(key('once'), 'first', 1)
      await elapse(1.2)
      const won = await Promise.all(Array.from({ length: 200 }, (_, index) => store.putIfAbsent(key('once'), String(index), 60)))
      expect(won.filter(Boolean)).to.have.length(1)
    })

    it('counts every increment once', async () => {
      const counts = await Promise.all(Array.from({ length: 200 }, () => store.increment(key('counter'), 60)))
      expect(counts.toSorted((left, right) => left - right)).to.deep.equal(Array.from({ length: 200 }, (_, index) => index + 1))
      expect(await store.get(key('counter'))).to.equal('200')
    })

    it('gives a value to one who takes it', async () => {
      await store.put(key('a'), 'one', 60)
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.take(key('a'))))
      expect(taken.filter(value => value === 'one')).to.have.length(1)
      expect(taken.filter(value => value === undefined)).to.have.length(49)
    })

    it('keeps operations on many keys apart', async () => {
      const names = Array.from({ length: 300 }, (_, index) => key(`many:${index}`))
      await Promise.all(names.map(name => store.put(name, name, 60)))
      expect(await Promise.all(names.map(name => store.get(name)))).to.deep.equal(names)
      await Promise.all(names.map(name => store.delete(name)))
      expect((await Promise.all(names.map(name => store.get(name)))).filter(value => value !== undefined)).to.deep.equal([])
    })
  })

  describe('readiness', () => {
    it('can be asked while it is open', async () => {
      await store.ping()
    })

    it('is an outage once it is closed', async () => {
      await store.close()
      const asked = [store.get(key('a')), store.put(key('a'), 'one', 60), store.increment(key('a'), 60), store.take(key('a')), store.ping()]
      for (const answer of await Promise.allSettled(asked)) {
        expect(answer.status === 'rejected' && answer.reason).to.be.instanceOf(Outage)
      }
    })
  })
}

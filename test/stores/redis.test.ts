import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { pino } from 'pino'
import { Outage } from '../../src/oauth/errors.ts'
import { type RedisSettings, type RedisStore, redisStore } from '../../src/stores/redis.ts'
import {
  anyRedis,
  type RealRedis,
  type RealRedisGroup,
  requireAnyRedis,
  requireRedisServer,
  startCluster,
  startRedis,
  startSentinel,
} from '../real/redis.ts'
import { storeConformance } from './conformance.ts'
import { Contenders } from './contenders.ts'
import { until } from './until.ts'

const silent = pino({ level: 'silent' })

describe('stores/redis', () => {
  const open: RedisStore[] = []

  async function connected(settings: RedisSettings, log = silent): Promise<RedisStore> {
    const store = redisStore(settings, log)
    open.push(store)
    await store.connected()
    return store
  }

  /** The same of what is there: on a busy machine, to connect may take longer than a store waits for it. */
  async function reached(settings: RedisSettings, log = silent): Promise<RedisStore> {
    const store = await connected(settings, log)
    await until('it is reached', () => isReached(store))
    return store
  }

  afterEach(async () => {
    await Promise.all(open.splice(0).map(store => store.close()))
  })

  describe('one server', () => {
    let redis: Awaited<ReturnType<typeof anyRedis>>

    before(async function () {
      requireAnyRedis(this)
      redis = await anyRedis()
    })

    after(() => redis?.stop())

    storeConformance(async () => ({ store: await reached({ url: redis.url }), elapse: seconds => pause(seconds * 1_000) }))
  })

  describe('used by several processes', () => {
    let redis: Awaited<ReturnType<typeof anyRedis>> | undefined
    let contenders: Contenders | undefined

    before(function () {
      requireAnyRedis(this)
    })

    beforeEach(async () => {
      redis = await anyRedis()
      contenders = await Contenders.start(3, 'redis', redis.url)
    })

    afterEach(async () => {
      await contenders?.stop()
      await redis?.stop()
    })

    it('lets one of 200 win, counts every increment and gives to one who takes', async () => {
      const name = `contended:${process.pid}:${Date.now()}`
      const won = await contenders?.all('putIfAbsent', `${name}:once`, 67)
      expect(won?.filter(Boolean)).to.have.length(1)
      const counts = await contenders?.all('increment', `${name}:counter`, 67)
      expect(counts?.map(Number).toSorted((left, right) => left - right)).to.deep.equal(
        Array.from({ length: 201 }, (_, index) => index + 1),
      )
      const taken = await contenders?.all('take', `${name}:counter`, 20)
      expect(taken?.filter(value => value !== null)).to.deep.equal(['201'])
    })

    it('knows every acknowledged write after all of them were killed', async () => {
      const acknowledged = (await contenders?.writeUntilKilled(500)) ?? []
      expect(acknowledged.length).to.be.greaterThan(100)
      const store = await reached({ url: redis?.url ?? '' })
      const isLost = async (key: string) => (await store.get(key)) !== `${key} ${'x'.repeat(700)}`
      // A few at a time: there are tens of thousands, and the answer to each has a second from when it is asked for.
      for (let next = 0; next < acknowledged.length; next += 100) {
        const some = acknowledged.slice(next, next + 100)
        expect(some[(await Promise.all(some.map(isLost))).indexOf(true)]).to.equal(undefined)
      }
    })
  })

  describe('a cluster', () => {
    let cluster: RealRedisGroup

    before(async function () {
      requireRedisServer(this)
      cluster = await startCluster()
    })

    after(() => cluster?.stop())

    it('does everything on keys of all nodes', async () => {
      const store = await reached({ cluster: cluster.nodes })
      // Not many more, or to send them all is a good part of the second in which they have to be answered.
      const names = Array.from({ length: 60 }, (_, index) => `all:${index}`)
      const every = <Result>(operation: (name: string) => Promise<Result>) => Promise.all(names.map(operation))
      await every(name => store.put(name, name, 60))
      expect(await every(name => store.get(name))).to.deep.equal(names)
      expect(await every(name => store.take(name))).to.deep.equal(names)
      expect(new Set(await every(name => store.take(name)))).to.deep.equal(new Set([undefined]))
      expect(new Set(await every(name => store.putIfAbsent(name, 'first', 60)))).to.deep.equal(new Set([true]))
      expect(new Set(await every(name => store.putIfAbsent(name, 'second', 60)))).to.deep.equal(new Set([false]))
      await every(name => store.delete(name))
      expect(new Set(await every(name => store.increment(name, 60)))).to.deep.equal(new Set([1]))
      expect(new Set(await every(name => store.increment(name, 60)))).to.deep.equal(new Set([2]))
      await store.ping()
    })

    it('lets one of 200 win', async () => {
      const stores = await Promise.all([1, 2].map(() => reached({ cluster: cluster.nodes })))
      const won = await Promise.all(stores.flatMap(store => Array.from({ length: 100 }, () => store.putIfAbsent('once', 'x', 60))))
      expect(won.filter(Boolean)).to.have.length(1)
    })

    it('finds the cluster when only one of the named nodes is there', async () => {
      const store = await reached({ cluster: ['redis://127.0.0.1:1', cluster.nodes[1] ?? ''] })
      await store.put('a', 'one', 60)
      expect(await store.get('a')).to.equal('one')
    })

    it('is an outage for the keys of a node that is down, and recovers', async () => {
      const store = await reached({ cluster: cluster.nodes })
      const names = Array.from({ length: 30 }, (_, index) => `key:${index}`)
      await Promise.all(names.map(name => store.put(name, name, 60)))
      await cluster.servers[2]?.kill()
      const outcomes = await Promise.allSettled(names.map(name => store.put(name, name, 60)))
      const failures = outcomes.filter(outcome => outcome.status === 'rejected')
      expect(failures).not.to.have.length(0)
      for (const { reason } of failures) expect(reason).to.be.instanceOf(Outage)
      await cluster.servers[2]?.start()
      await until(
        'all keys can be written again',
        async () => {
          const again = await Promise.allSettled(names.map(name => store.put(name, name, 60)))
          return again.every(({ status }) => status === 'fulfilled')
        },
        30_000,
      )
    })
  })

  describe('sentinels', () => {
    let group: RealRedisGroup

    before(async function () {
      requireRedisServer(this)
      group = await startSentinel('tokens')
    })

    after(() => group?.stop())

    it('asks them for the master, and for the new one after a failover', async () => {
      const store = await reached({ sentinel: { name: 'tokens', nodes: group.nodes } })
      await store.put('a', 'one', 60)
      await group.servers[0]?.kill()
      const failed = await store.get('a').catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Outage)
      // A sentinel that was stalled for two seconds does not trust itself for thirty.
      await until('the replica has become the master', () => accepts(store), 60_000)
      expect(await store.putIfAbsent('b', 'two', 60)).to.equal(true)
    }).timeout(120_000)
  })

  describe('a server that fails', () => {
    let redis: RealRedis
    let store: RedisStore

    before(function () {
      requireRedisServer(this)
    })

    beforeEach(async () => {
      redis = await startRedis()
      store = await reached({ url: redis.url })
      await store.put('known', 'value', 60)
    })

    afterEach(() => redis?.stop())

    async function outageSoon(): Promise<void> {
      const operations = [
        store.get('known'),
        store.put('new', 'value', 60),
        store.putIfAbsent('new', 'value', 60),
        store.increment('counter', 60),
        store.take('known'),
        store.delete('known'),
        store.ping(),
      ]
      for (const outcome of await Promise.allSettled(operations)) {
        expect(outcome.status === 'rejected' && outcome.reason).to.be.instanceOf(Outage)
      }
    }

    it('is an outage while it is gone, and serves again when it is back', async () => {
      await redis.kill()
      await outageSoon()
      await outageSoon()
      await redis.start()
      await until('the store has recovered', () => accepts(store))
      expect(await store.increment('counter', 60)).to.equal(1)
    })

    it('is an outage while it hangs, and serves again when it goes on', async () => {
      await redis.freeze()
      await outageSoon()
      await outageSoon()
      redis.thaw()
      await until('the store has recovered', () => accepts(store))
      expect(await store.get('accepts')).to.equal('yes')
    })

    it('is an outage when it was not there from the start, and serves as soon as it comes', async () => {
      await redis.kill()
      store = await connected({ url: redis.url })
      await outageSoon()
      await redis.start()
      await until('the store has recovered', () => accepts(store))
    })

    it('is an outage while it only takes reads', async () => {
      await redis.command('replicaof', '127.0.0.1', 1)
      const failed = await store.put('a', 'one', 60).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Outage)
      await redis.command('replicaof', 'no', 'one')
      await until('the store has recovered', () => accepts(store))
    })

    it('is an outage while it has no memory left', async () => {
      await redis.command('config', 'set', 'maxmemory', '1mb')
      const failed = await store.put('a', 'x'.repeat(65_536), 60).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Outage)
      expect(await store.get('known')).to.equal('value')
      await redis.command('config', 'set', 'maxmemory', '0')
      await store.put('a', 'one', 60)
    })

    it('does not carry out later what it refused', async () => {
      const lines: string[] = []
      store = await reached({ url: redis.url }, remember(lines))
      await redis.freeze()
      const refused = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => store.put(`late:${index}`, 'x', 60)))
      // Whatever was sent until then may be carried out yet.
      await until('the connection is given up', () => lines.some(line => line.includes('Redis cannot be reached')))
      const queued = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => store.put(`later:${index}`, 'x', 60)))
      expect([...refused, ...queued].map(({ status }) => status)).not.to.include('fulfilled')
      redis.thaw()
      await until('the store has recovered', () => accepts(store))
      expect(await redis.command('keys', '*later*')).to.deep.equal([])
    })
  })

  describe('a server with settings of its own', () => {
    let redis: RealRedis | undefined

    before(function () {
      requireRedisServer(this)
    })

    afterEach(async () => {
      await redis?.stop()
      redis = undefined
    })

    it('is logged on to with the password', async () => {
      redis = await startRedis(['--requirepass', 'open sesame'])
      const store = await reached({ url: redis.url, password: 'open sesame' })
      await store.put('a', 'one', 60)
      expect(await store.get('a')).to.equal('one')
    })

    it('is an outage when it does not take the password, and logs neither it nor a value', async () => {
      const lines: string[] = []
      redis = await startRedis(['--requirepass', 'open sesame'])
      const store = await connected({ url: redis.url, password: 'barley' }, remember(lines))
      const failed = await store.put('a-key', 'a-value', 60).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Outage)
      const logged =
        lines.join('') + pino.stdSerializers.err(failed as Error).stack + JSON.stringify(pino.stdSerializers.errWithCause(failed as Error))
      expect(logged).not.to.match(/barley|sesame|a-key|a-value/)
      expect(lines).to.have.length(1)
      expect(lines[0]).to.contain('WRONGPASS')
    })

    it('takes the user of the URL and the password beside it', async () => {
      redis = await startRedis()
      await redis.command('acl', 'setuser', 'cambist', 'on', '>secret', '~cambist:*', '+@all', '-config')
      const lines: string[] = []
      const store = await connected({ url: redis.url.replace('//', '//cambist@'), password: 'secret' }, remember(lines))
      await store.put('a', 'one', 60)
      expect(await redis.command('keys', '*')).to.deep.equal(['cambist:a'])
      // CONFIG is forbidden: nothing is known about the policy, and nothing is said.
      expect(lines).to.deep.equal([])
    })

    it('keeps to its prefix', async () => {
      redis = await startRedis()
      const store = await reached({ url: `${redis.url}/3`, keyPrefix: 'other:' })
      await store.put('a', 'one', 60)
      await store.increment('b', 60)
      expect(await redis.command('keys', '*')).to.deep.equal([])
      expect(await redis.command('info', 'keyspace')).to.contain('db3:keys=2,expires=2')
    })

    it('leaves no counter without an expiry', async () => {
      redis = await startRedis()
      const store = await reached({ url: redis.url })
      await Promise.all(Array.from({ length: 50 }, () => store.increment('a', 60)))
      expect(await redis.command('ttl', 'cambist:a')).to.be.within(50, 60)
    })

    it('is warned about once when it may evict', async () => {
      redis = await startRedis(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'])
      const lines: string[] = []
      const store = await connected({ url: redis.url }, remember(lines))
      await until('the warning', () => lines.length > 0)
      expect(lines.join('')).to.contain('noeviction').and.to.contain('allkeys-lru')
      await redis.kill()
      await redis.start()
      await until('the store has recovered', () => accepts(store))
      expect(lines.filter(line => line.includes('allkeys-lru'))).to.have.length(1)
    })
  })
})

/** Whether it is, with every node of a cluster. */
async function isReached(store: RedisStore): Promise<boolean> {
  const answers = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => store.get(`reached:${index}`)))
  return answers.every(({ status }) => status === 'fulfilled')
}

function remember(lines: string[]) {
  return pino({}, { write: line => lines.push(line) })
}

async function accepts(store: RedisStore): Promise<boolean> {
  return store.put('accepts', 'yes', 60).then(
    () => true,
    () => false,
  )
}

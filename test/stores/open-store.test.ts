import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { ExternalText } from '../../src/config/values.ts'
import { Outage } from '../../src/oauth/errors.ts'
import { SettingProblem } from '../../src/plugin.ts'
import { openStore, storeSettings } from '../../src/stores/open-store.ts'
import { type RealRedis, requireRedisServer, startRedis } from '../real/redis.ts'

describe('stores/open-store', () => {
  describe('settings', () => {
    it('are a store on disk in the folder "data" where nothing is said', () => {
      expect(storeSettings.parse(undefined)).to.deep.equal({ type: 'embedded', path: 'data' })
      expect(storeSettings.parse({ type: 'embedded' })).to.deep.equal({ type: 'embedded', path: 'data' })
    })

    it('have an address of Redis, with its secrets outside', () => {
      const parsed = storeSettings.parse({
        type: 'redis',
        url: 'rediss://cambist@redis.example:6380/2',
        password: { env: 'REDIS_PASSWORD' },
      })
      expect(parsed).to.deep.include({ url: 'rediss://cambist@redis.example:6380/2', password: new ExternalText('env', 'REDIS_PASSWORD') })
      expect(storeSettings.parse({ type: 'redis', url: { file: 'redis-url' } })).to.deep.include({
        url: new ExternalText('file', 'redis-url'),
      })
    })

    const refused: Array<[what: string, settings: unknown, message: RegExp]> = [
      ['an unknown type', { type: 'embeded' }, /expected one of "embedded", "redis" and "memory"; did you mean "embedded"\?/],
      ['no type', { path: 'data' }, /expected one of/],
      ['a member of another type', { type: 'memory', path: 'data' }, /unknown member "path"/],
      [
        'an unknown member',
        { type: 'redis', url: 'redis://a', pasword: { env: 'A' } },
        /unknown member "pasword"; did you mean "password"\?/,
      ],
      ['no server', { type: 'redis' }, /exactly one of "url", "cluster" and "sentinel"/],
      ['two ways to servers', { type: 'redis', url: 'redis://a', cluster: ['redis://b'] }, /exactly one of/],
      [
        'a literal password in a URL',
        { type: 'redis', url: 'redis://user:hunter2@a' },
        /a password never stands in the configuration itself/,
      ],
      ['a literal password', { type: 'redis', url: 'redis://a', password: 'hunter2' }, /a secret or a key never stands/],
      ['a literal password in a node', { type: 'redis', cluster: ['redis://:hunter2@a'] }, /a password never stands/],
      ['an address of something else', { type: 'redis', url: 'http://a:6379' }, /expected an address such as/],
      ['an address that is none', { type: 'redis', cluster: ['a:6379'] }, /expected an address such as/],
      ['an address with parameters', { type: 'redis', url: 'redis://a?db=2' }, /expected an address such as/],
      ['a database of a node', { type: 'redis', cluster: ['redis://a/2'] }, /a node has a host and a port only/],
      ['an empty cluster', { type: 'redis', cluster: [] }, /too small/i],
      ['sentinels without a name', { type: 'redis', sentinel: { nodes: ['redis://a'] } }, /expected string/],
    ]
    for (const [what, settings, message] of refused) {
      it(`refuse ${what}`, () => {
        const { error } = storeSettings.safeParse(settings)
        expect(error?.issues.map(issue => issue.message).join())
          .to.match(message)
          .and.not.to.contain('hunter2')
      })
    }
  })

  describe('opening', () => {
    let folder: string

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'cambist-open-'))
    })

    afterEach(() => rm(folder, { recursive: true }))

    const surroundings = (texts: Record<string, string> = {}) => ({
      text: ({ name }: ExternalText) => texts[name] ?? '',
      now: () => Date.now() / 1_000,
      log: pino({ level: 'silent' }),
      baseFolder: folder,
    })

    it('finds the folder of an embedded store beside the configuration', async () => {
      const store = await openStore({ type: 'embedded', path: 'kept/here' }, surroundings())
      await store.put('a', 'one', 60)
      await store.close()
      expect((await stat(join(folder, 'kept', 'here', 'data.mdb'))).isFile()).to.equal(true)
    })

    it('gives a store in memory', async () => {
      const store = await openStore({ type: 'memory' }, surroundings())
      await store.put('a', 'one', 60)
      expect(await store.get('a')).to.equal('one')
    })

    it('refuses an address from outside that is none, without repeating it', async () => {
      const settings = storeSettings.parse({ type: 'redis', url: { env: 'REDIS_URL' } })
      const failed = await openStore(settings, surroundings({ REDIS_URL: 'http://:hunter2@a' })).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(SettingProblem)
      expect((failed as SettingProblem).message).not.to.contain('hunter2')
    })

    it('opens a Redis that is not there: it may come', async () => {
      const store = await openStore(storeSettings.parse({ type: 'redis', url: 'redis://127.0.0.1:1' }), surroundings())
      expect(await store.ping().catch((error: unknown) => error)).to.be.instanceOf(Outage)
      await store.close()
    })

    describe('Redis with a password', () => {
      let redis: RealRedis

      before(async function () {
        requireRedisServer(this)
        redis = await startRedis(['--requirepass', 'p@ss:word/1'])
      })

      after(() => redis?.stop())

      it('is logged on to with the password from outside', async () => {
        const settings = storeSettings.parse({ type: 'redis', url: redis.url, password: { env: 'PASSWORD' } })
        const store = await openStore(settings, surroundings({ PASSWORD: 'p@ss:word/1' }))
        await store.ping()
        await store.close()
      })

      it('is logged on to with a whole URL from outside', async () => {
        const settings = storeSettings.parse({ type: 'redis', url: { file: 'url' } })
        const url = redis.url.replace('//', `//:${encodeURIComponent('p@ss:word/1')}@`)
        const store = await openStore(settings, surroundings({ url }))
        await store.ping()
        await store.close()
      })
    })
  })
})

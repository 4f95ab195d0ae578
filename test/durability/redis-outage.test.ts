import { expect } from 'chai'
import { type RealRedis, requireRedisServer, startRedis } from '../real/redis.ts'
import { until } from '../stores/until.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { type Outcome, post } from './load.ts'
import { type Surroundings, surround } from './surroundings.ts'

const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
const types = { jwt: 'urn:ietf:params:oauth:token-type:jwt', accessToken: 'urn:ietf:params:oauth:token-type:access_token' }

type Answered = Exclude<Outcome, 'broken off'>

describe('Redis that goes away in the middle of load', function () {
  this.timeout(120_000)
  let redis: RealRedis
  let surroundings: Surroundings
  let server: ServerProcess

  before(function () {
    requireRedisServer(this)
  })
  beforeEach(async () => {
    redis = await startRedis()
    surroundings = await surround({ type: 'redis', url: redis.url }, 1)
    server = await surroundings.start()
  })
  afterEach(async () => {
    await surroundings?.remove()
    await redis?.stop()
  })

  const subject = async () => ({
    ...{ grant_type: grant, subject_token_type: types.jwt },
    subject_token: await surroundings.issuers.people.sign(),
  })
  const ask = async (path: string, parameters: Record<string, string>, client: string): Promise<Answered> => {
    const outcome = await post(`${surroundings.issuer}${path}`, parameters, client)
    if (outcome === 'broken off') return expect.fail('the connection was broken off')
    return outcome
  }
  const status = async (path: string) => (await fetch(`${surroundings.issuer}${path}`)).status

  /** Exchanges that need no store, and those that do. */
  const withoutStore = async () => ask('/token', { ...(await subject()), audience: 'api' }, 'gateway')
  const withStore = async () => ask('/token', { ...(await subject()), audience: 'billing' }, 'gateway')
  const onlyOnce = async () => ask('/token', { ...(await subject()), audience: 'api' }, 'careful')
  const ofOwnToken = (token: string) =>
    ask('/token', { grant_type: grant, subject_token: token, subject_token_type: types.accessToken }, 'gateway')
  const introspect = (token: string) => ask('/introspect', { token }, 'gateway')

  function expectUnavailable(answers: Record<string, Answered>): void {
    for (const [what, { status, json, retryAfter }] of Object.entries(answers)) {
      expect({ status, error: json.error }, what).to.deep.equal({ status: 503, error: 'temporarily_unavailable' })
      expect(retryAfter, what).to.match(/^[1-9]\d*$/)
      expect(json, what).not.to.have.property('access_token')
    }
  }

  /** Asks for both kinds until it is stopped, and tells how often each status came. */
  function load() {
    const statuses = { without: new Map<number, number>(), with: new Map<number, number>() }
    let stopping = false
    const client = async (ask: () => Promise<Answered>, counts: Map<number, number>) => {
      while (!stopping) {
        const { status } = await ask()
        counts.set(status, (counts.get(status) ?? 0) + 1)
      }
    }
    const clients = [1, 2, 3, 4].flatMap(() => [client(withoutStore, statuses.without), client(withStore, statuses.with)])
    const seen = (kind: keyof typeof statuses, status: number) => statuses[kind].get(status) ?? 0
    return {
      statuses,
      /** Waits until so many more answers of a kind had a status. */
      more: (kind: keyof typeof statuses, status: number, count: number) => {
        const wanted = seen(kind, status) + count
        return until(`${count} more answers ${kind} the store with ${status}`, () => seen(kind, status) >= wanted, 60_000)
      },
      async stop() {
        stopping = true
        await Promise.all(clients)
      },
    }
  }

  const ways: Array<[string, () => Promise<void> | void, () => Promise<void> | void]> = [
    ['is killed', () => redis.kill(), () => redis.start()],
    ['hangs', () => redis.freeze(), () => redis.thaw()],
  ]
  for (const [what, fail, mend] of ways) {
    it(`and ${what}: 503 for those that need it, others go on, and all is well without a restart`, async () => {
      const reference = String((await withStore()).json.access_token)
      const jwt = String((await withoutStore()).json.access_token)
      const traffic = load()
      await traffic.more('with', 200, 20)

      await fail()
      await traffic.more('with', 503, 5)
      await traffic.more('without', 200, 50)
      expectUnavailable({
        'a reference token': await withStore(),
        'a token that is used once': await onlyOnce(),
        'a token of this server': await ofOwnToken(jwt),
        'introspection of a reference token': await introspect(reference),
        'introspection of a JWT': await introspect(jwt),
        revocation: await ask('/revoke', { token: jwt }, 'gateway'),
      })
      expect((await introspect('no.such.token')).json, 'what is no token of ours').to.deep.equal({ active: false })
      expect([await status('/readyz'), await status('/healthz'), await status('/jwks')]).to.deep.equal([503, 200, 200])

      await mend()
      await traffic.more('with', 200, 20)
      await traffic.stop()
      await until('it is ready', async () => (await status('/readyz')) === 200)
      expect((await onlyOnce()).status).to.equal(200)
      expect((await ofOwnToken(jwt)).status).to.equal(200)
      expect((await introspect(jwt)).json.active).to.equal(true)
      // A Redis that only hung has kept everything.
      if (what === 'hangs') expect((await introspect(reference)).json.active).to.equal(true)
      expect([...traffic.statuses.without.keys()], 'those that need no store').to.deep.equal([200])
      expect([...traffic.statuses.with.keys()].sort(), 'those that need it').to.deep.equal([200, 503])
    })
  }

  it('and is not there at the start: the server starts, and answers what it can', async () => {
    await server.stop()
    await redis.kill()
    await surroundings.start()
    expect((await withoutStore()).status).to.equal(200)
    expectUnavailable({ 'a reference token': await withStore() })
    await redis.start()
    await until('it is ready', async () => (await status('/readyz')) === 200)
    expect((await withStore()).status).to.equal(200)
  })
})

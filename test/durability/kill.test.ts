import { expect } from 'chai'
import { type RealRedis, requireRedisServer, startRedis } from '../real/redis.ts'
import { until } from '../stores/until.ts'
import type { ServerProcess } from '../support/server-process.ts'
import { Load } from './load.ts'
import { type Surroundings, surround } from './surroundings.ts'

const kills = 2
const promisesBetween = 150

describe('kill -9 under load', function () {
  this.timeout(180_000)
  let surroundings: Surroundings
  let load: Load
  let lines: string[]
  afterEach(async () => {
    await load?.stop()
    await surroundings?.remove()
  })

  async function begin(store: object, workers: number): Promise<ServerProcess> {
    surroundings = await surround(store, workers)
    load = new Load(surroundings.issuer, surroundings.issuers.people)
    lines = []
    return surroundings.start()
  }

  // What was read from a process that is gone belongs to the record as well.
  const remember = (server: ServerProcess) => lines.push(...server.lines)

  async function expectKept(server: ServerProcess): Promise<void> {
    expect(load.unexpected).to.deep.equal([])
    for (const [kind, count] of Object.entries(load.kinds)) expect(count, kind).to.be.above(20)
    expect(await load.broken(), 'forgotten').to.deep.equal([])
    // An answer may overtake its record, which comes through a pipe.
    const unrecorded = () => load.unrecorded([...lines, ...server.lines])
    await until('every answer has its record', () => unrecorded().length === 0).catch(() => undefined)
    expect(unrecorded(), 'without an audit record').to.deep.equal([])
  }

  async function killRepeatedly(store: object, workers: number): Promise<void> {
    let server = await begin(store, workers)
    for (let round = 0; round < kills; round++) {
      load.start()
      await load.more(promisesBetween)
      load.expectBreaks()
      await server.kill()
      await load.stop()
      remember(server)
      server = await surroundings.start()
    }
    await expectKept(server)
  }

  for (const workers of [1, 2]) {
    it(`with the embedded store and workers: ${workers}, everything that was answered is still known`, async () => {
      await killRepeatedly({ type: 'embedded', path: 'data' }, workers)
    })
  }

  describe('with Redis', () => {
    let redis: RealRedis | undefined
    before(async function () {
      requireRedisServer(this)
      redis = await startRedis()
    })
    after(() => redis?.stop())

    for (const workers of [1, 2]) {
      it(`and workers: ${workers}, everything that was answered is still known`, async () => {
        await killRepeatedly({ type: 'redis', url: redis?.url, keyPrefix: `kill-${workers}:` }, workers)
      })
    }
  })

  it('of one worker: the other one goes on, and it is replaced', async () => {
    const server = await begin({ type: 'embedded', path: 'data' }, 2)
    load.start()
    await load.more(promisesBetween)
    load.expectBreaks()
    process.kill(server.serving[0] as number, 'SIGKILL')
    const replacement = await server.logged('listening')
    expect(server.serving).not.to.include(replacement.pid)
    await load.more(promisesBetween)
    await load.stop()
    await expectKept(server)
  })

  it('of the first process: its workers end as well, so that it can be started again', async () => {
    const server = await begin({ type: 'embedded', path: 'data' }, 2)
    load.start()
    await load.more(promisesBetween)
    load.expectBreaks()
    process.kill(server.pid, 'SIGKILL')
    await server.ended
    await until('the workers are gone', () => !server.serving.some(isRunning))
    await load.stop()
    remember(server)
    await expectKept(await surroundings.start())
  })

  for (const workers of [1, 2]) {
    it(`SIGTERM instead, with workers: ${workers}: what is under way is answered, and it ends with 0`, async () => {
      const server = await begin({ type: 'embedded', path: 'data' }, workers)
      load.start()
      await load.more(promisesBetween)
      load.expectBreaks()
      const ended = server.stop()
      await load.stop()
      expect(await ended, 'exit code').to.equal(0)
      // The clients keep their connections; it does not wait for them until its deadline.
      expect(server.lines.join('\n')).to.not.include('were cut off')
      remember(server)
      await expectKept(await surroundings.start())
    })

    it(`a second one on its port, with workers: ${workers}, says so and ends`, async () => {
      const first = await begin({ type: 'embedded', path: 'data' }, workers)
      const complaint = await surroundings.start().catch((error: Error) => error.message)
      expect(complaint).to.contain('another process listens there already')
      expect(complaint).not.to.match(/^ +at /m)
      expect(await first.stop()).to.equal(0)
    })
  }
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

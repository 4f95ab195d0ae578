import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { TemplateSource } from '../../../src/config/values.ts'
import type { PreparedQuery } from '../../../src/data-stores/data-store.ts'
import type { SqlServer } from '../../../src/data-stores/sql/server.ts'
import { Outage } from '../../../src/oauth/errors.ts'
import type { RealDatabase } from '../../real/database-process.ts'
import { TcpGate } from '../../real/tcp-gate.ts'
import { until } from '../../stores/until.ts'
import { leavesAtMost } from '../../support/memory.ts'
import { lookupParts } from '../templates.ts'
import { kinds, storeIn } from './databases.ts'

const attributes = { id: { type: 'integer' } }

for (const kind of kinds) {
  describe(`data-stores/sql: faults of ${kind.name}`, function () {
    this.timeout(180_000)
    let database: RealDatabase
    let server: SqlServer
    const silent: Server[] = []

    const prepared = (text: string, of: SqlServer = server, timeout = 30): PreparedQuery =>
      storeIn(kind, of, attributes).prepare({ query: new TemplateSource(text) }, lookupParts(['id'], { timeout }))

    const inTime = (milliseconds = 60_000) => AbortSignal.timeout(milliseconds)

    /** What one lookup gives: its rows, or the message of the outage. */
    const outcome = (query: PreparedQuery, values: number[] = [], signal = inTime()): Promise<unknown> =>
      query.run(values, signal).catch(error => {
        expect(error).to.be.instanceOf(Outage)
        return (error as Outage).message
      })

    const five = () => prepared('SELECT id FROM people WHERE id = {v}')

    before(async function () {
      kind.require(this)
      database = await kind.start()
      server = kind.server(kind.login(database.port))
      await database.query('CREATE TABLE people (id INT PRIMARY KEY); INSERT INTO people VALUES (5)')
    })
    after(async () => {
      for (const one of silent) one.close()
      await server?.close()
      await database?.stop()
    })

    it('makes a pool wait, and no more connections than it may', async () => {
      const answers = await Promise.all(Array.from({ length: 200 }, () => outcome(five(), [5])))
      expect(answers.every(answer => JSON.stringify(answer) === '[{"id":5}]')).to.equal(true)
      expect((await kind.open(database)).all).to.be.within(1, 4)
    })

    it('ends on the server what nobody waits for any more, and goes on', async () => {
      const sleeping = prepared(kind.sleep)
      const given = new AbortController()
      const runs = [1, 2, 3, 4].map(() => outcome(sleeping, [600], given.signal))
      await until('all of them run', async () => (await kind.open(database)).busy === 4)
      given.abort()
      expect(await Promise.all(runs)).to.deep.equal(Array(4).fill('the database does not answer in time'))
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
      await until('none of them runs', async () => (await kind.open(database)).busy === 0)
      await until('their connections are gone', async () => (await kind.open(database)).all <= 4)
    })

    it('tells the server how long a statement may take', async () => {
      const answer = await outcome(prepared(kind.sleep, server, 0.5), [600])
      // MariaDB says of a SLEEP that was ended that it is 1.
      expect(answer).to.be.oneOf(['the database cannot be asked', 'the database does not answer in time'])
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
    })

    it('does not wait in the queue for longer than it is waited for', async () => {
      const given = new AbortController()
      const sleeping = prepared(kind.sleep)
      const runs = [1, 2, 3, 4].map(() => outcome(sleeping, [600], given.signal))
      await until('all of them run', async () => (await kind.open(database)).busy === 4)
      expect(await outcome(five(), [5], inTime(200))).to.equal('the database does not answer in time')
      given.abort()
      await Promise.all(runs)
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
    })

    it('bounds how many wait', async () => {
      const few = kind.server(kind.login(database.port, { connections: { max: 1, waiting: 2, idle: 30_000, timeout: 5_000 } }))
      try {
        const given = new AbortController()
        const sleeping = prepared(kind.sleep, few)
        const first = outcome(sleeping, [600], given.signal)
        await until('it runs', async () => (await kind.open(database)).busy === 1)
        const waiting = [1, 2].map(() => outcome(prepared('SELECT 5 AS id', few), []))
        expect(await outcome(prepared('SELECT 5 AS id', few), [])).to.equal('the database cannot be asked')
        given.abort()
        await first
        expect(await Promise.all(waiting)).to.deep.equal([[{ id: 5 }], [{ id: 5 }]])
      } finally {
        await few.close()
      }
    })

    it('finds a server again that was killed and started, at once', async () => {
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
      await database.kill()
      expect(await outcome(five(), [5])).to.equal('the database cannot be asked')
      await database.start()
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
    })

    it('asks again over another connection where one is cut while it waits for the answer', async () => {
      const gate = await TcpGate.before(database.port)
      const through = kind.server(kind.login(gate.port, { connections: { max: 1, waiting: 2, idle: 30_000, timeout: 5_000 } }))
      try {
        const query = prepared('SELECT id FROM people WHERE id = {v}', through)
        expect(await outcome(query, [5])).to.deep.equal([{ id: 5 }])
        gate.hold()
        const waiting = outcome(query, [5])
        await until('the question is on its way', () => gate.holding > 0)
        gate.cut()
        gate.release()
        expect(await waiting).to.deep.equal([{ id: 5 }])
      } finally {
        await through.close()
        await gate.close()
      }
    }).timeout(20_000)

    it('uses no connection that was ended behind its back', async () => {
      await Promise.all(Array.from({ length: 20 }, () => outcome(five(), [5])))
      await database.query(
        kind.name === 'postgresql'
          ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cambist'"
          : "KILL USER 'lookups'@'127.0.0.1'",
      )
      expect(await Promise.all(Array.from({ length: 20 }, () => outcome(five(), [5])))).to.deep.equal(Array(20).fill([{ id: 5 }]))
    })

    it('survives a server that is started anew in the middle of load', async () => {
      const outcomes = new Map<string, number>()
      let running = true
      const load = Array.from({ length: 8 }, async () => {
        while (running) {
          const answer = JSON.stringify(await outcome(five(), [5], inTime(5_000)))
          outcomes.set(answer, (outcomes.get(answer) ?? 0) + 1)
          // As a breaker would: a refusal comes at once, and nobody asks in a loop.
          if (!answer.startsWith('[')) await pause(10)
        }
      })
      await until('it is asked', () => (outcomes.get('[{"id":5}]') ?? 0) > 50)
      await database.kill()
      await until('it is missed', () => [...outcomes.keys()].some(answer => answer.includes('cannot be asked')))
      await database.start()
      outcomes.clear()
      await until('it is found again', () => (outcomes.get('[{"id":5}]') ?? 0) > 50, 60_000)
      running = false
      await Promise.all(load)
      expect([...outcomes.keys()].filter(answer => !/^\[\{"id":5\}\]$|cannot be asked|not answer in time/.test(answer))).to.deep.equal([])
      await until('no connection is left over', async () => (await kind.open(database)).all <= 4)
    })

    it('gives up on a server that hangs, and finds it again', async () => {
      expect(await outcome(five(), [5])).to.deep.equal([{ id: 5 }])
      try {
        await database.freeze()
        const answers = await Promise.all(Array.from({ length: 10 }, () => outcome(five(), [5], inTime(500))))
        expect(answers).to.deep.equal(Array(10).fill('the database does not answer in time'))
      } finally {
        database.thaw()
      }
      await until('it is found again', async () => Array.isArray(await outcome(five(), [5], inTime(10_000))))
      await until('no connection is left over', async () => (await kind.open(database)).all <= 4, 60_000)
    })

    it('gives up on a server that takes connections and says nothing', async () => {
      const sockets = new Set<Socket>()
      const listening = createServer(socket => sockets.add(socket.resume().on('error', () => {}))).listen(0, '127.0.0.1')
      silent.push(listening)
      await once(listening, 'listening')
      const { port } = listening.address() as AddressInfo
      const deaf = kind.server(kind.login(port, { connections: { max: 2, waiting: 1000, idle: 30_000, timeout: 1_000 } }))
      const query = prepared('SELECT 5 AS id', deaf)
      expect(await outcome(query, [], inTime(200))).to.equal('the database does not answer in time')
      expect(await outcome(query, [])).to.equal('the database cannot be asked')
      await until('its connections are closed', () => [...sockets].every(socket => socket.readableEnded || socket.destroyed))
      expect(sockets.size).to.be.at.most(4)
      await deaf.close()
      listening.close()
      for (const socket of sockets) socket.destroy()
    })

    it('closes also where the server hangs', async () => {
      const other = kind.server(kind.login(database.port))
      expect(await outcome(prepared('SELECT 5 AS id', other), [])).to.deep.equal([{ id: 5 }])
      try {
        await database.freeze()
        await other.close()
      } finally {
        database.thaw()
      }
      await until('its connections are gone', async () => (await kind.open(database)).all <= 4)
    })

    it('keeps nothing of what it was asked', async () => {
      const thousand = async () => {
        for (let count = 0; count < 40; count++)
          await Promise.all(Array.from({ length: 25 }, (_, index) => outcome(five(), [count * 25 + index])))
      }
      // A thousand lookups that left half a kilobyte each would be seen.
      await leavesAtMost(500_000, thousand)
    })
  })
}

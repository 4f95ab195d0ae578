import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import type { Row } from '../../../src/data-stores/data-store.ts'
import { Outage } from '../../../src/oauth/errors.ts'
import { type RealLdap, requireLdap, startLdap } from '../../real/ldap.ts'
import { TcpGate } from '../../real/tcp-gate.ts'
import { until } from '../../stores/until.ts'
import { leavesAtMost } from '../../support/memory.ts'
import { type OpenStore, openStore, storeFile } from './asking.ts'

type Outcome = readonly Row[] | Error

const lookup = { filter: '(uid={uid})' }
const quick = { connections: { min: 1, max: 4, check: '1s', timeout: '1s', idle: '1s' } }
/** As quick, of a directory that answers: on a busy machine that may take its time. */
const patient = { connections: { ...quick.connections, timeout: '20s' } }

/** The store is asked, and always says something. */
function asked(store: OpenStore, uid = 'p00001', milliseconds = 20_000): Promise<Outcome> {
  return store.ask(lookup, [uid], { attributes: ['uid'] }, milliseconds).catch(error => error)
}

function many(store: OpenStore, count: number, milliseconds?: number): Promise<Outcome[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => asked(store, `p${String(index + 1).padStart(5, '0')}`, milliseconds)))
}

const isAnswer = (outcome: Outcome) => !(outcome instanceof Error)
const answers = (store: OpenStore) => until('the directory is asked again', async () => isAnswer(await asked(store)))

describe('data store ldap, whose directory fails', function () {
  this.timeout(120_000)
  let server: RealLdap
  let gate: TcpGate
  const opened: OpenStore[] = []
  const open = async (ports: readonly number[], more: object = {}) => {
    const store = await openStore(
      storeFile(
        ports.map(port => `ldap://127.0.0.1:${port}`),
        { ...quick, ...more },
      ),
    )
    opened.push(store)
    return store
  }
  before(async function () {
    requireLdap(this)
    server = await startLdap()
  })
  beforeEach(async () => {
    gate = await TcpGate.before(server.port)
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await gate?.close()
  })
  after(() => server?.stop())

  it('has as many connections as it may, and closes them when they are not needed', async () => {
    const store = await open([gate.port], patient)
    gate.delay = 5
    expect((await many(store, 200)).every(isAnswer)).to.equal(true)
    expect(gate.total).to.be.within(1, 4)
    await until('only one is left', () => gate.current === 1)
    await store.close()
    await until('none is left', () => gate.current === 0)
  })

  it('answers whoever waits in turn, when it is slow', async () => {
    // With more than one connection, an answer can be overtaken by that of another one.
    const store = await open([gate.port], { connections: { ...patient.connections, max: 1 } })
    gate.delay = 10
    const order: number[] = []
    const asking = Array.from({ length: 40 }, (_, index) => asked(store).then(() => order.push(index)))
    await Promise.all(asking)
    expect(order).to.deep.equal([...order.keys()])
  })

  it('lets no more wait than it may', async () => {
    const store = await open([gate.port], { connections: { ...patient.connections, waiting: 5 } })
    await asked(store)
    gate.hold()
    const refused: Error[] = []
    const asking = Array.from({ length: 20 }, async () => {
      const outcome = await asked(store)
      if (outcome instanceof Error) refused.push(outcome)
    })
    // One has the connection, since no other one comes about while nothing is answered, and five wait.
    await until('the others are refused', () => refused.length === 14)
    gate.release()
    await Promise.all(asking)
    expect(refused).to.have.length(14)
    for (const error of refused) {
      expect(error).to.be.instanceOf(Outage)
      expect(error.message).to.equal('5 lookups wait for a connection already')
    }
  })

  it('says so at once when it is killed, and is asked again when it is back', async () => {
    const store = await open([server.port], patient)
    expect(isAnswer(await asked(store))).to.equal(true)
    await server.kill()
    try {
      await until('it is known', async () => (await asked(store)) instanceof Outage)
      const outcomes = await many(store, 100)
      for (const outcome of outcomes) expect(outcome).to.be.instanceOf(Outage)
      expect((outcomes[0] as Outage).cause).to.match(/ECONNREFUSED|ECONNRESET|closed/)
    } finally {
      await server.start()
    }
    await answers(store)
    expect((await many(store, 50)).every(isAnswer)).to.equal(true)
  })

  it('is given up when it hangs, and is asked again when it goes on, through no more connections', async () => {
    const store = await open([server.port])
    await asked(store)
    try {
      await server.freeze()
      const outcomes = await many(store, 30, 500)
      expect(outcomes.some(isAnswer)).to.equal(false)
      for (let round = 0; round < 3; round++) expect((await many(store, 10, 300)).some(isAnswer)).to.equal(false)
    } finally {
      server.thaw()
    }
    await answers(store)
    expect((await many(store, 50)).every(isAnswer)).to.equal(true)
    await until('the others are gone', async () => (await server.connections()).current <= 4)
  })

  it('goes on with a connection on which a question was given up', async () => {
    const store = await open([gate.port], { connections: { min: 1, max: 1, timeout: '20s' } })
    await asked(store)
    gate.hold()
    expect(await asked(store, 'p00001', 200)).to.be.instanceOf(Error)
    const next = asked(store, 'p00002')
    gate.release()
    expect(await next).to.deep.equal([{ uid: 'p00002' }])
    expect(await asked(store, 'p00003')).to.deep.equal([{ uid: 'p00003' }])
    expect(gate.total).to.equal(1)
  })

  it('replaces a connection that is silent for good', async () => {
    const store = await open([gate.port], { connections: { min: 1, max: 1, timeout: '1s' } })
    await asked(store)
    gate.hold()
    expect(await asked(store, 'p00001', 200)).to.be.instanceOf(Error)
    await until('the connection is given up', () => gate.total > 1)
    gate.release()
    await answers(store)
    await until('only the new one is left', () => gate.current === 1)
  })

  it('asks once more when a connection was closed that had been idle', async () => {
    const store = await open([gate.port], { connections: { min: 1, max: 4, check: '1h', timeout: '20s' } })
    // As many as there may be, so that none is being opened when they are cut: that would be a directory that cannot be reached.
    gate.delay = 20
    await many(store, 60)
    expect(gate.total).to.equal(4)
    gate.delay = 0
    for (let round = 0; round < 5; round++) {
      gate.cut()
      expect(await asked(store, 'p00007')).to.deep.equal([{ uid: 'p00007' }])
    }
  })

  it('takes the next server, and the first again when it is back', async () => {
    const second = await TcpGate.before(server.port)
    try {
      const store = await open([gate.port, second.port])
      await asked(store)
      expect([gate.total, second.total]).to.deep.equal([1, 0])
      gate.hold()
      await until('the second is asked', async () => isAnswer(await asked(store, 'p00001', 1_500)))
      expect(second.total).to.be.greaterThan(0)
      gate.release()
      await until('the first is asked again', () => gate.current > 0 && second.current === 0, 45_000)
      const before = second.total
      expect((await many(store, 20)).every(isAnswer)).to.equal(true)
      expect(second.total).to.equal(before)
    } finally {
      await second.close()
    }
  })

  it('takes any server where it was told so', async () => {
    const second = await TcpGate.before(server.port)
    try {
      for (let round = 0; round < 40 && (gate.total === 0 || second.total === 0); round++) {
        await asked(await open([gate.port, second.port], { choose: 'random' }))
      }
      expect([gate.total > 0, second.total > 0]).to.deep.equal([true, true])
    } finally {
      await second.close()
    }
  })

  it('is restarted in the middle of load: everybody is answered or told, and nothing is left behind', async () => {
    const store = await open([server.port])
    await many(store, 50)
    const restart = async () => {
      // Counted, not kept: what the test itself holds would be taken for what is left behind.
      let answered = 0
      let told = 0
      const others: unknown[] = []
      let over = false
      const load = Array.from({ length: 20 }, async () => {
        while (!over) {
          const outcome = await asked(store, 'p00001', 2_000)
          if (isAnswer(outcome)) answered++
          else if (outcome instanceof Outage) told++
          else others.push(outcome)
        }
      })
      await until('there is load', () => answered > 100)
      await server.kill()
      await until('it is noticed', () => told > 0)
      await server.start()
      const before = answered
      await until('there are answers again', () => answered > before)
      over = true
      await Promise.all(load)
      expect(others).to.deep.equal([])
    }
    await leavesAtMost(2 * 1024 * 1024, restart)
    expect((await many(store, 50)).every(isAnswer)).to.equal(true)
    await until('no connection is left over', async () => (await server.connections()).current <= 4)
  })

  it('keeps nothing of thousands of questions that nobody waits for any more', async () => {
    const store = await open([gate.port])
    await asked(store)
    const hang = async () => {
      gate.hold()
      for (let round = 0; round < 10; round++) await many(store, 100, 50)
      gate.release()
      await answers(store)
    }
    await leavesAtMost(1024 * 1024, hang)
    await until('no connection is left over', () => gate.current <= 4)
  })
})

describe('data store ldap, whose directory is none', function () {
  this.timeout(60_000)
  let listener: Server
  let sockets: Set<Socket>
  let store: OpenStore
  const bound = Buffer.from('300c02010161070a010004000400', 'hex')
  const answering = async (answer: (request: number, socket: Socket) => void, more: object = {}) => {
    listener.on('connection', socket => {
      sockets.add(socket.on('error', () => undefined))
      socket.once('close', () => sockets.delete(socket))
      let requests = 0
      socket.on('data', () => answer(requests++, socket))
    })
    store = await openStore(storeFile(`ldap://127.0.0.1:${(listener.address() as AddressInfo).port}`, { ...quick, ...more }))
  }
  beforeEach(async () => {
    sockets = new Set()
    listener = createServer().listen(0, '127.0.0.1')
    await once(listener, 'listening')
  })
  afterEach(async () => {
    await store.close()
    for (const socket of sockets) socket.destroy()
    listener.close()
  })

  const cases: ReadonlyArray<readonly [string, string]> = [
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex')],
    ['an element without end', '3080020102'],
    ['a length beyond all reason', '3084ffffffff020102'],
    ['an answer to something else', '300c02010278070a010004000400'],
    ['an unknown answer', '300c0201026f070a010004000400'],
    ['an entry that breaks off', '300b0201026406040378783d30ff'],
    ['a notice that it ends', '300c02010078070a013404000400'],
    ['nothing, and closes', ''],
  ]
  for (const [what, hex] of cases) {
    it(`sends ${what}`, async () => {
      await answering((request, socket) => {
        if (request === 0) socket.write(bound)
        else if (hex === '') socket.end()
        else socket.write(Buffer.from(hex, 'hex'))
      })
      const outcome = await asked(store)
      expect(outcome).to.be.instanceOf(Outage)
      expect(String((outcome as Outage).cause)).to.match(/sent what is not LDAP|has closed the connection/)
    })
  }

  it('sends entries without end', async () => {
    const name = Buffer.alloc(60_000, 'x')
    const entry = (name: Buffer) =>
      Buffer.concat([Buffer.from('3082ea6d02010264 82ea66 0482ea60'.replace(/ /g, ''), 'hex'), name, Buffer.from('3000', 'hex')])
    const message = entry(name)
    let sent = 0
    await answering((request, socket) => {
      if (request === 0) return socket.write(bound)
      const flood = () => {
        while (!socket.destroyed && sent < 64 * 1024 * 1024) {
          sent += message.length
          if (!socket.write(message)) return void socket.once('drain', flood)
        }
      }
      flood()
      return undefined
    })
    const outcome = await asked(store)
    expect(outcome).to.be.instanceOf(Outage)
    expect(String((outcome as Outage).cause)).to.match(/sent what is not LDAP/)
    expect(String(((outcome as Outage).cause as Error).cause)).to.match(/more than \d+ bytes of entries/)
  })

  it('sends its answer byte by byte', async () => {
    const answer = Buffer.from(
      '30190201026414040378 3d79300d300b0403756964310404026162300c02010265070a010004000400'.replace(/ /g, ''),
      'hex',
    )
    await answering((request, socket) => {
      if (request === 0) return void socket.write(bound)
      const next = (at: number): void => {
        if (at < answer.length) socket.write(answer.subarray(at, at + 1), () => setImmediate(next, at + 1))
      }
      next(0)
    })
    expect(await asked(store)).to.deep.equal([{ uid: 'ab' }])
  })

  const tlsCases: ReadonlyArray<readonly [string, string, RegExp]> = [
    ['refuses StartTLS, and is told no password', '300c02010178070a013404000400', /refuses StartTLS: unavailable \(52\)/],
    [
      'is overtaken by somebody who answers before TLS begins',
      '300c02010178070a010004000400300c02010261070a010004000400',
      /sent what is not LDAP/,
    ],
  ]
  for (const [what, hex, why] of tlsCases) {
    it(what, async () => {
      const received: Buffer[] = []
      await answering((request, socket) => void (request === 0 && socket.write(Buffer.from(hex, 'hex'))), { startTls: true })
      listener.on('connection', socket => socket.on('data', chunk => received.push(chunk)))
      const outcome = await asked(store)
      expect(String((outcome as Outage).cause)).to.match(why)
      expect(Buffer.concat(received).includes('reads everything')).to.equal(false)
      expect(Buffer.concat(received).includes('1.3.6.1.4.1.1466.20037')).to.equal(true)
    })
  }
})

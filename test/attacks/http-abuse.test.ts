import { expect } from 'chai'
import { grant, type Partners, startPartners, types } from '../interop/partners.ts'
import { run } from '../interop/tools.ts'
import { secretOf } from '../support/configuration.ts'
import { RawConnection } from './raw-connection.ts'

const formType = 'content-type: application/x-www-form-urlencoded\r\n'
const authorization = `authorization: Basic ${btoa(`gateway:${secretOf('gateway')}`)}\r\n`

describe('abuse of HTTP', function () {
  this.timeout(120_000)
  let partners: Partners
  let port: number
  let slow: RawConnection[]

  before(async () => {
    partners = await startPartners()
    port = Number(new URL(partners.issuer).port)
    slow = await openSlowConnections()
  })
  after(async () => {
    for (const connection of slow ?? []) connection.break()
    await partners?.stop()
  })

  // After every test: the next one is served, nothing broke, and it is still the same process.
  afterEach(async () => {
    expect((await post(await form())).status, 'the next request').to.equal(200)
    expect(bugs(), 'bugs and errors in the log').to.deep.equal([])
  })

  const bugs = () => partners.server.lines.map(line => JSON.parse(line)).filter(line => line.level >= 50 || line.outcome === 'failed')

  const form = async (more: Record<string, string> = {}) => {
    const parameters = { grant_type: grant, subject_token: await partners.people.sign(), subject_token_type: types.jwt, ...more }
    return new URLSearchParams(parameters).toString()
  }

  async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
    const answer = await fetch(`${partners.issuer}/token`, {
      method: 'POST',
      body,
      headers: {
        authorization: authorization.slice('authorization: '.length, -2),
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }

  const requestOf = (body: string, more = '', head = 'POST /token HTTP/1.1\r\nhost: x\r\n') =>
    `${head}${authorization}${formType}content-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`

  /** Sends bytes on a connection of their own; resolves to the statuses of all answers when the server closes it, or after `count` answers. */
  async function statusesOf(bytes: string | Buffer, count = Number.POSITIVE_INFINITY): Promise<number[]> {
    const connection = await RawConnection.open(port)
    await connection.send(bytes)
    const statuses = await connection.answers(count)
    connection.break()
    return statuses
  }

  /** The memory that the process takes from the machine, in megabytes. */
  async function residentMegabytes(): Promise<number> {
    const { out } = await run('ps', ['-o', 'rss=', '-p', String(partners.server.pid)])
    expect(Number(out)).to.be.above(0)
    return Number(out) / 1024
  }

  // They are cut off while the other tests run; the last test looks at them.
  async function openSlowConnections(): Promise<RawConnection[]> {
    const body = await form()
    const starts = [
      '',
      'POST /token HT',
      `POST /token HTTP/1.1\r\nhost: x\r\n${authorization}x-slow: `,
      requestOf(body).slice(0, -20),
      `POST /token HTTP/1.1\r\nhost: x\r\n${authorization}${formType}transfer-encoding: chunked\r\n\r\n10\r\n${body.slice(0, 9)}`,
    ]
    const connections = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(port)))
    await Promise.all(connections.map((connection, index) => connection.send(starts[index % starts.length] ?? '')))
    return connections
  }

  describe('bodies', () => {
    it('that say that they are larger than allowed are refused before they are sent', async () => {
      for (const length of ['262145', '10000000000', '9007199254740993', '99999999999999999999']) {
        const connection = await RawConnection.open(port)
        await connection.send(`POST /token HTTP/1.1\r\nhost: x\r\n${authorization}${formType}content-length: ${length}\r\n\r\ngrant_type=`)
        expect((await connection.answers(1))[0], length).to.equal(400)
        connection.break()
      }
    })

    it('that are larger than they say, or than allowed, are refused; at the limit they are read', async () => {
      const rest = await form()
      const filler = (length: number) => `filler=${'x'.repeat(length - rest.length - 8)}&${rest}`
      expect((await post(filler(256 * 1024))).status).to.equal(200)
      const { status, json } = await post(filler(256 * 1024 + 1))
      expect({ status, error: json.error }).to.deep.equal({ status: 400, error: 'invalid_request' })
    })

    it('without end are cut off, and fill no memory', async () => {
      const before = await residentMegabytes()
      const chunk = Buffer.alloc(65_536, 'x')
      const chunks = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')])
      const endless = async () => {
        const connection = await RawConnection.open(port)
        await connection.send(`POST /token HTTP/1.1\r\nhost: x\r\n${authorization}${formType}transfer-encoding: chunked\r\n\r\n`)
        let sent = 0
        while (sent < 64 && (await connection.send(chunks))) sent++
        await connection.closed
        // Whoever does not stop after 400 hears no more.
        expect(connection.statuses.filter(status => status !== 400)).to.deep.equal([])
        return sent
      }
      await Promise.all(Array.from({ length: 64 }, endless))
      expect((await residentMegabytes()) - before).to.be.below(200)
    })

    it('that are compressed are refused', async () => {
      const { status } = await post(await form(), { 'content-encoding': 'gzip' })
      expect(status).to.equal(400)
    })

    it('that end early are refused', async () => {
      const connection = await RawConnection.open(port)
      await connection.send(requestOf(await form()).slice(0, -5))
      connection.finish()
      await connection.closed
      expect(connection.statuses).to.deep.equal([400])
    })
  })

  describe('parameters', () => {
    it('by the thousand are refused', async () => {
      for (const count of [101, 5_000]) {
        const many = Array.from({ length: count }, (_, index) => `p${index}=${index}`).join('&')
        const { status, json } = await post(`${many}&${await form()}`)
        expect({ status, error: json.error }).to.deep.equal({ status: 400, error: 'invalid_request' })
      }
    })

    it("that are empty cost nothing, and stand in nobody's way", async () => {
      expect((await post(`${'&'.repeat(50_000)}${await form()}&&&`)).status).to.equal(200)
    })

    it('with names that mean something to JavaScript mean nothing', async () => {
      const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__proto__[admin]', 'a[b][c]', 'length', '']
      const extra = names.map(name => `${encodeURIComponent(name)}=x`).join('&')
      expect((await post(`${extra}&${await form()}`)).status).to.equal(200)
    })

    const malformed = ['%', '%2', '%zz', '%u0041', '%c3%28', '%ff', '%c0%80', '%ed%a0%80', '%f8%88%80%80%80', '%e2%82', '%-1', '%%41']
    for (const text of malformed) {
      it(`with ${text} in a name or value are refused`, async () => {
        for (const pair of [`x=${text}`, `${text}=x`, `resource=${text}`, text]) {
          const { status, json } = await post(`${await form()}&${pair}`)
          expect({ status, error: json.error }, pair).to.deep.equal({ status: 400, error: 'invalid_request' })
        }
      })
    }

    it('in bytes that are no UTF-8 are refused', async () => {
      for (const bytes of ['ff', 'c328', 'c080', 'eda080', 'f8888080', 'e282', 'fffe', '80']) {
        const body = Buffer.concat([Buffer.from(`${await form()}&x=`), Buffer.from(bytes, 'hex')])
        const { status, json } = await post(body)
        expect({ status, error: json.error }, bytes).to.deep.equal({ status: 400, error: 'invalid_request' })
      }
    })

    const everywhere = [
      'grant_type',
      'subject_token',
      'subject_token_type',
      'actor_token',
      'requested_token_type',
      'scope',
      'resource',
      'audience',
    ]
    for (const name of everywhere) {
      it(`${name} of NUL bytes, control characters or a megabyte of dots is refused`, async () => {
        for (const value of ['\0', 'a\0b', '\r\nx: y', '\u2028', '.'.repeat(100_000), '\u{1f511}'.repeat(1000), '\x1b[2J']) {
          const { status } = await post(await form({ actor_token_type: types.jwt, [name]: value }))
          expect(status, JSON.stringify(value).slice(0, 20)).to.equal(400)
        }
      })
    }

    it('client_id and client_secret of NUL bytes or a hundred thousand letters are refused', async () => {
      for (const value of ['\0', 'a\0b', 'x'.repeat(100_000), '../gateway', '__proto__', '\u{1f511}']) {
        const body = await form({ client_id: value, client_secret: value })
        const { status, json } = await post(body, { authorization: '' })
        expect({ status, error: json.error }).to.deep.equal({ status: 401, error: 'invalid_client' })
      }
    })
  })

  describe('headers', () => {
    it('that are too large are refused', async () => {
      const body = await form()
      const large = `x-large: ${'x'.repeat(40_000)}\r\n`
      const many = Array.from({ length: 5_000 }, (_, index) => `x-${index}: 1\r\n`).join('')
      for (const header of [large, many, `cookie: ${'a=b; '.repeat(10_000)}\r\n`]) {
        expect((await statusesOf(requestOf(body, header), 1))[0]).to.equal(431)
      }
    })

    it('in an address that is too long are refused', async () => {
      const head = `POST /token?${'x'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n`
      expect((await statusesOf(requestOf('', '', head), 1))[0]).to.equal(431)
    })

    const credentials = [
      'Basic',
      'Basic ',
      'Basic :',
      'Basic %%%',
      'Basic Og==',
      'Basic AA==',
      `Basic ${'A'.repeat(20_000)}`,
      'Basic Z2F0ZXdheQ==',
    ]
    for (const value of [
      ...credentials,
      'Bearer x',
      'Negotiate x',
      'basic\tx',
      ',',
      'Basic ====',
      'Basic Z2F0ZXdheTp4 x',
      'Basic Z2F0ZXdheTol',
    ]) {
      it(`Authorization: ${value.length > 40 ? `${value.slice(0, 40)}...` : value} is refused`, async () => {
        const { status, json } = await post(await form(), { authorization: value })
        expect({ status, error: json.error }).to.deep.equal({ status: 401, error: 'invalid_client' })
      })
    }

    it('Authorization twice is refused, in whatever order: a proxy may have looked at the other one', async () => {
      const body = await form()
      const others = [`authorization: Basic ${btoa('stranger:x')}\r\n`, 'authorization: Bearer x\r\n', authorization]
      for (const other of others) {
        const first = await statusesOf(requestOf(body, other), 1)
        const head = `POST /token HTTP/1.1\r\nhost: x\r\n${other}`
        const second = await statusesOf(requestOf(body, '', head), 1)
        expect([...first, ...second], other).to.deep.equal([400, 400])
      }
    })
  })

  describe('requests in which another one hides', () => {
    const inner = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n'
    const head = `POST /token HTTP/1.1\r\nhost: x\r\n${authorization}${formType}`
    const chunked = `0\r\n\r\n${inner}`
    const shapes: Record<string, string> = {
      'Content-Length and Transfer-Encoding': `content-length: ${chunked.length}\r\ntransfer-encoding: chunked\r\n\r\n${chunked}`,
      'Transfer-Encoding and Content-Length': `transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n${chunked}`,
      'two Content-Lengths': `content-length: 0\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
      'a list as Content-Length': `content-length: 0, ${inner.length}\r\n\r\n${inner}`,
      'a signed Content-Length': `content-length: +0\r\n\r\n${inner}`,
      'a negative Content-Length': `content-length: -1\r\n\r\n${inner}`,
      'a hexadecimal Content-Length': `content-length: 0x0\r\n\r\n${inner}`,
      'Content-Length with letters': `content-length: 0a\r\n\r\n${inner}`,
      'an unknown Transfer-Encoding': `transfer-encoding: xchunked\r\n\r\n${chunked}`,
      'chunked, then identity': `transfer-encoding: chunked, identity\r\n\r\n${chunked}`,
      'Transfer-Encoding twice': `transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n${chunked}`,
      'a space before the colon': `transfer-encoding : chunked\r\n\r\n${chunked}`,
      'a tab before the colon': `content-length\t: 0\r\n\r\n${inner}`,
      'a folded header': `x: y\r\n transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n${inner}`,
      'a NUL in a header': `x: \0\r\ncontent-length: 0\r\n\r\n${inner}`,
      'a bare CR in a header': `x: a\rtransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n${inner}`,
      'a chunk size that overflows': `transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n${chunked}`,
      'a chunk size with 0x': `transfer-encoding: chunked\r\n\r\n0x1\r\nx\r\n${chunked}`,
      'a negative chunk size': `transfer-encoding: chunked\r\n\r\n-1\r\n${chunked}`,
      'a chunk without its end': `transfer-encoding: chunked\r\n\r\n1\r\nxx\r\n${chunked}`,
      'a bare LF after a chunk size': `transfer-encoding: chunked\r\n\r\n1\nx\r\n${chunked}`,
    }
    for (const [name, rest] of Object.entries(shapes)) {
      it(`by ${name}: refused, and the hidden one is not read`, async () => {
        const connection = await RawConnection.open(port)
        await connection.send(head + rest)
        await connection.closed
        expect(connection.statuses).to.deep.equal([400])
        expect(connection.received).not.to.contain('not_found')
      })
    }
  })

  describe('connections', () => {
    it('with fifty requests at once are answered in their order', async () => {
      const good = requestOf(await form())
      const other = 'GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n'
      const bad = requestOf('grant_type=x')
      const script = Array.from({ length: 50 }, (_, index) => [good, other, bad][index % 3] ?? '')
      const expected = Array.from({ length: 50 }, (_, index) => [200, 404, 400][index % 3])
      expect(await statusesOf(script.join(''), 50)).to.deep.equal(expected)
    })

    it('that are broken off in the middle of a request, or before its answer, leave nothing behind', async () => {
      const before = await residentMegabytes()
      const whole = requestOf(await form())
      const cuts = [3, 40, whole.indexOf('\r\n\r\n') + 4, whole.length - 100, whole.length]
      for (let round = 0; round < 10; round++) {
        const connections = await Promise.all(Array.from({ length: 50 }, () => RawConnection.open(port)))
        await Promise.all(connections.map((connection, index) => connection.send(whole.slice(0, cuts[index % cuts.length]))))
        for (const connection of connections) connection.break()
        await Promise.all(connections.map(({ closed }) => closed))
      }
      expect((await residentMegabytes()) - before).to.be.below(150)
    })

    const oddities: Record<string, [string, number[]]> = {
      'no Host': ['GET /healthz HTTP/1.1\r\n\r\n', [400]],
      'HTTP/1.0': ['GET /healthz HTTP/1.0\r\n\r\n', [200]],
      'HTTP/2 in the clear': ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
      'a TLS hello': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
      'no HTTP at all': ['EHLO mail.example\r\n', [400]],
      'an unknown method': ['FOO /token HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
      'a method in lower case': ['post /token HTTP/1.1\r\nhost: x\r\n\r\n', [400]],
      CONNECT: ['CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\n\r\n', []],
      'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', [404]],
      'an upgrade': ['GET /token HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', [405]],
      'an expectation that nobody can meet': ['POST /token HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\ncontent-length: 0\r\n\r\n', [417]],
    }
    for (const [name, [bytes, statuses]] of Object.entries(oddities)) {
      it(`with ${name} are answered with ${statuses.join() || 'nothing'}`, async () => {
        expect(await statusesOf(bytes, statuses.length || 1)).to.deep.equal(statuses)
      })
    }

    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS', 'PROPFIND']) {
      it(`with ${method} at /token are told what is allowed`, async () => {
        const connection = await RawConnection.open(port)
        await connection.send(`${method} /token HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
        await connection.closed
        expect(connection.statuses).to.have.length(1)
        expect(connection.statuses[0]).to.be.oneOf(method === 'OPTIONS' ? [200, 204] : [405, 501])
        expect(connection.received).to.match(/\r\nallow: [A-Z, ]*POST/i)
      })
    }

    const addresses = [
      '/',
      '//',
      '/token/',
      '/token//',
      '//token',
      '/%74oken',
      '/%',
      '/%zz',
      '/%00',
      '/token%00',
      '/token;x',
      '/../token',
      '/./token',
      '*',
      '/token#x',
      'http://evil.example/nowhere',
    ]
    for (const address of addresses) {
      it(`at ${address} are answered below 500`, async () => {
        for (const method of ['GET', 'POST']) {
          const statuses = await statusesOf(`${method} ${address} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
          expect(statuses).to.have.length(1)
          expect(statuses[0]).to.be.within(400, 499)
        }
      })
    }
  })

  describe('two hundred slow senders', () => {
    it("are cut off in time, and were in nobody's way", async function () {
      this.timeout(90_000)
      await Promise.all(slow.map(({ closed }) => closed))
      const statuses = new Set(slow.flatMap(connection => connection.statuses))
      expect([...statuses].filter(status => status !== 408)).to.deep.equal([])
      expect(statuses.has(408)).to.equal(true)
    })
  })

  // Not a test beside the suites above: it would come before them.
  describe('after all that', () => {
    it('the process has not grown by much', async () => {
      expect(await residentMegabytes()).to.be.below(500)
    })
  })
})

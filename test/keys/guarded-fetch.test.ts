import { Agent, createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { expect } from 'chai'
import nock from 'nock'
import { addressProblem, kindOfAddress } from '../../src/keys/addresses.ts'
import { type GuardedRequest, guardedFetch, type ResolveName } from '../../src/keys/guarded-fetch.ts'

// Importing nock takes over node:http for every test of the run.
nock.restore()

describe('addresses', () => {
  const kinds: Array<[string, string[]]> = [
    [
      'public',
      [
        '1.1.1.1',
        '8.8.8.8',
        '172.15.255.255',
        '172.32.0.0',
        '192.167.255.255',
        '100.63.255.255',
        '100.128.0.0',
        '2606:4700::1111',
        '2a00:1450::1',
        '::ffff:8.8.8.8',
      ],
    ],
    [
      'private',
      [
        '10.0.0.1',
        '127.0.0.1',
        '127.255.255.254',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.1.1',
        '100.64.0.1',
        '100.100.100.200',
        '::1',
        'fc00::1',
        'fdff::1',
        '::ffff:127.0.0.1',
        '::ffff:7f00:1',
        '::ffff:a00:1',
        '0:0:0:0:0:ffff:c0a8:101',
      ],
    ],
    [
      'never',
      [
        ...[
          '0.0.0.0',
          '0.1.2.3',
          '169.254.169.254',
          '169.254.0.1',
          '168.63.129.16',
          '192.0.0.192',
          '192.0.2.1',
          '198.18.0.1',
          '198.51.100.1',
        ],
        ...[
          '203.0.113.1',
          '224.0.0.1',
          '239.255.255.255',
          '240.0.0.1',
          '255.255.255.255',
          '::',
          'fe80::1',
          'fe80::1%eth0',
          'fec0::1',
          'ff02::1',
        ],
        ...[
          '::ffff:169.254.169.254',
          '::ffff:0:0',
          '64:ff9b::a00:1',
          '64:ff9b:1::1',
          '2001::1',
          '2001:db8::1',
          '2002:7f00:1::',
          '100::1',
          'fd00:ec2::254',
        ],
        ...['::127.0.0.1', '::10.0.0.1', 'no address', ''],
      ],
    ],
  ]
  for (const [kind, addresses] of kinds) {
    for (const address of addresses) it(`${address || '(empty)'} is ${kind}`, () => expect(kindOfAddress(address)).to.equal(kind))
  }

  it('judges URLs before anything is resolved', () => {
    for (const url of ['https://login.example/jwks', 'https://8.8.8.8/', 'https://[2606:4700::1111]:8443/'])
      expect(addressProblem(url, false)).to.equal(undefined)
    for (const url of [
      ...[
        'http://login.example/',
        'http://127.0.0.1/',
        'http://localhost/',
        'https://127.0.0.1/',
        'https://localhost/',
        'https://a.localhost/',
      ],
      ...[
        'https://10.1.2.3/',
        'https://[::1]/',
        'https://[::ffff:7f00:1]/',
        'https://2130706433/',
        'https://0x7f.1/',
        'https://0177.0.0.1/',
        'https://127.1/',
      ],
      ...[
        'https://169.254.169.254/latest',
        'https://0/',
        'https://a:b@login.example/',
        'ftp://login.example/',
        'file:///etc/passwd',
        'data:,{}',
        'no url',
        '',
      ],
    ]) {
      expect(addressProblem(url, false), url).to.be.a('string')
    }
    for (const url of ['http://127.0.0.1:8080/', 'http://localhost:8080/', 'http://[::1]/', 'https://10.1.2.3/'])
      expect(addressProblem(url, true), url).to.equal(undefined)
    for (const url of ['http://10.1.2.3/', 'http://login.example/', 'https://169.254.169.254/', 'https://[fe80::1]/', 'http://0.0.0.0/'])
      expect(addressProblem(url, true), url).to.be.a('string')
  })
})

describe('guarded fetch', () => {
  const servers: Array<Server | TcpServer> = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
    nock.cleanAll()
    nock.restore()
  })

  async function listen(listener: RequestListener): Promise<string> {
    const server = createServer(listener)
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async function failure(url: string, request: GuardedRequest, resolve?: ResolveName): Promise<string> {
    try {
      await guardedFetch(resolve)(url, request)
    } catch (error) {
      return (error as Error).message
    }
    return expect.fail('it was fetched')
  }

  const allowed = { allowPrivateNetwork: true }

  it('gets an answer with its status, headers and text', async () => {
    const url = await listen((_, response) => response.writeHead(203, { 'Cache-Control': 'max-age=5' }).end('{"a":"ä"}'))
    const answer = await guardedFetch()(`${url}/x?y=1`, allowed)
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('etag'), await answer.text()]).to.deep.equal([
      203,
      'max-age=5',
      null,
      '{"a":"ä"}',
    ])
  })

  it('posts a form', async () => {
    const url = await listen(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      response.end(JSON.stringify([request.method, request.headers['content-type'], request.headers['content-length'], body]))
    })
    const answer = await guardedFetch()(url, {
      ...allowed,
      method: 'POST',
      body: 'token=ä',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(JSON.parse(await answer.text())).to.deep.equal(['POST', 'application/x-www-form-urlencoded', '8', 'token=ä'])
  })

  it('does not follow a redirect', async () => {
    let followed = false
    const target = await listen((_, response) => {
      followed = true
      response.end('{}')
    })
    const url = await listen((_, response) => response.writeHead(302, { location: target }).end())
    expect((await guardedFetch()(url, allowed)).status).to.equal(302)
    expect(followed).to.equal(false)
  })

  it('stops reading what is too large, announced or not', async () => {
    const url = await listen((_, response) => {
      const more = () => response.write('x'.repeat(10_000)) && setImmediate(more)
      more()
      response.on('drain', more)
    })
    expect(await failure(url, allowed)).to.match(/larger than 262144 bytes/)
    const exact = await listen((_, response) => response.end('x'.repeat(100)))
    expect((await guardedFetch()(exact, { ...allowed, maxBytes: 100 })).status).to.equal(200)
    expect(await failure(exact, { ...allowed, maxBytes: 99 })).to.match(/larger than 99 bytes/)
  })

  it('gives up in time: no answer, half an answer, a drip', async () => {
    const limits = { ...allowed, maxMilliseconds: 150 }
    expect(await failure(await listen(() => undefined), limits)).to.match(/no answer in time/)
    expect(await failure(await listen((_, response) => response.write('{')), limits)).to.match(/no answer in time/)
    const drip = await listen((_, response) => {
      const timer = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(timer))
    })
    expect(await failure(drip, limits)).to.match(/no answer in time/)
  })

  it('refuses bytes that are not UTF-8, and what breaks off', async () => {
    expect(await failure(await listen((_, response) => response.end(Buffer.from([0x7b, 0xff, 0x7d]))), allowed)).to.match(/UTF-8/)
    expect(
      await failure(
        await listen(
          (_, response) => response.writeHead(200, { 'content-length': '10' }).write('{') && setTimeout(() => response.destroy(), 20),
        ),
        allowed,
      ),
    ).to.be.a('string')
    expect(await failure('http://127.0.0.1:1/', allowed)).to.match(/ECONNREFUSED/)
  })

  it('never connects to a private address unless that is allowed', async () => {
    let asked = 0
    const url = await listen((_, response) => {
      asked++
      response.end('{}')
    })
    const { port } = new URL(url)
    for (const address of [
      url,
      `http://localhost:${port}/`,
      `https://127.0.0.1:${port}/`,
      `https://localhost:${port}`,
      `http://[::ffff:127.0.0.1]:${port}`,
    ]) {
      expect(await failure(address, {}), address).to.match(/private network|must be https/)
    }
    expect(asked).to.equal(0)
  })

  describe('names', () => {
    const resolvingTo =
      (...addresses: string[]): ResolveName =>
      (_, __, callback) =>
        callback(
          null,
          addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
        )

    it('are judged by what they resolve to', async () => {
      let connected = 0
      const tcp = createTcpServer(socket => {
        connected++
        socket.destroy()
      })
      servers.push(tcp)
      await new Promise<void>(resolve => tcp.listen(0, '127.0.0.1', resolve))
      const { port } = tcp.address() as AddressInfo
      const url = `https://login.attacker.example:${port}/jwks`
      for (const address of ['127.0.0.1', '::1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', '0.0.0.0']) {
        expect(await failure(url, {}, resolvingTo(address)), address).to.match(/no address that may be connected to/)
      }
      expect(await failure(url, allowed, resolvingTo('169.254.169.254', '0.0.0.0'))).to.match(/no address that may be connected to/)
      expect(connected).to.equal(0)
      expect(await failure(url, allowed, resolvingTo('169.254.169.254', '127.0.0.1'))).not.to.match(/no address/)
      expect(connected).to.equal(1)
    })

    it('are resolved once, and the connection goes to what was judged', async () => {
      let resolved = 0
      const rebinding: ResolveName = (_, __, callback) =>
        callback(null, [{ address: resolved++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }])
      const url = await listen((_, response) => response.end('{}'))
      await guardedFetch(rebinding)(`http://login.localhost:${new URL(url).port}/`, allowed)
      expect(resolved).to.equal(1)
    })

    it('that do not resolve are a failure', async () => {
      const nowhere: ResolveName = (_, __, callback) =>
        callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), [])
      expect(await failure('https://login.example/', {}, nowhere)).to.match(/ENOTFOUND/)
    })
  })

  describe('with an agent', () => {
    const agent = new Agent({ keepAlive: true })
    after(() => agent.destroy())
    const kept: GuardedRequest = { ...allowed, agent }
    /** A server that tells how many connections were made to it. */
    async function counting(listener: RequestListener): Promise<{ url: string; connections: () => number }> {
      let connections = 0
      const url = await listen(listener)
      servers.at(-1)?.on('connection', () => connections++)
      return { url, connections: () => connections }
    }

    it('uses a connection again, and without one never does', async () => {
      const { url, connections } = await counting((_, response) => response.end('{}'))
      for (let call = 0; call < 3; call++) expect(await (await guardedFetch()(url, kept)).text()).to.equal('{}')
      expect(connections()).to.equal(1)
      for (let call = 0; call < 3; call++) await guardedFetch()(url, allowed)
      expect(connections()).to.equal(4)
    })
    it('sends once more what found its connection closed', async () => {
      let answered = 0
      const { url, connections } = await counting((request, response) => {
        // The second request on a connection finds that the other side has let go of it.
        if (answered++ === 1) request.socket.resetAndDestroy()
        else response.end('{}')
      })
      for (let call = 0; call < 2; call++) expect((await guardedFetch()(url, kept)).status).to.equal(200)
      expect(connections()).to.equal(2)
    })
    it('fails when a new connection breaks, too', async () => {
      const { url, connections } = await counting(({ socket }) => socket.resetAndDestroy())
      const error = await guardedFetch()(url, kept).catch(each => each)
      expect(error).to.be.instanceOf(Error)
      expect(connections()).to.equal(1)
    })
    it('lets go of a connection whose answer is too large', async () => {
      const { url, connections } = await counting((_, response) => response.end('x'.repeat(100)))
      for (let call = 0; call < 2; call++) await guardedFetch()(url, { ...kept, maxBytes: 10 }).catch(() => undefined)
      expect(connections()).to.equal(2)
    })
  })

  it('works with nock', async () => {
    if (!nock.isActive()) nock.activate()
    nock('https://login.acme.example').get('/jwks').reply(200, { keys: [] })
    expect(await (await guardedFetch()('https://login.acme.example/jwks', {})).text()).to.equal('{"keys":[]}')
  })
})

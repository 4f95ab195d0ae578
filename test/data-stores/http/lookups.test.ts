import { expect } from 'chai'
import type { QueryValue, Row } from '../../../src/data-stores/data-store.ts'
import { http } from '../../../src/data-stores/http.ts'
import { UnfitAnswer } from '../../../src/data-stores/unfit-answer.ts'
import { failureOf } from '../../../src/http/failure.ts'
import { Outage } from '../../../src/oauth/errors.ts'
import { until } from '../../stores/until.ts'
import { type BuiltStore, buildStore } from '../build-store.ts'
import { lookupParts } from '../templates.ts'
import { type PeopleService, shown, startPeopleService, startProxy } from './people-service.ts'

const attributes = { number: { type: 'integer' }, mail: { type: ['string', 'null'] } }

describe('data-stores/http', function () {
  this.timeout(60_000)
  let service: PeopleService
  const built: BuiltStore[] = []
  const texts: Record<string, string> = { SECRET: 's3cret\n', CERT: shown.certificatePem, KEY: shown.privateKeyPem }

  before(async () => {
    service = await startPeopleService()
    texts.CA = service.certificatePem
  })
  beforeEach(() => {
    service.requests.length = 0
    service.answer = () => ({ json: { number: 5, mail: 'five@example.com' } })
  })
  after(async () => {
    for (const { kept } of built) await kept.discard()
    await service.stop()
  })

  const storeWith = async (more: object = {}, url = service.url) => {
    const file = {
      url: `${url}/api`,
      allowPrivateNetwork: true,
      attributes,
      ...(url.startsWith('https:') ? { ca: { env: 'CA' } } : {}),
      ...more,
    }
    const one = await buildStore(http, file, texts)
    built.push(one)
    expect(one.problems).to.deep.equal([])
    if (one.store === undefined) throw new Error('no store')
    return { store: one.store, probes: one.probes }
  }

  const prepared = async (lookup: object, more: object = {}, url = service.url, others: { atMost?: number; timeout?: number } = {}) => {
    const { store } = await storeWith(more, url)
    const parts = lookupParts(['number', 'mail'], others)
    const query = store.client.prepare(store.lookup.parse(lookup), parts)
    expect(parts.problems).to.deep.equal([])
    return query
  }

  const ask = async (lookup: object, values: readonly QueryValue[] = [], more: object = {}, url = service.url): Promise<readonly Row[]> =>
    (await prepared(lookup, more, url)).run(values, AbortSignal.timeout(30_000))

  /** Why there is no answer. */
  const failure = async (asked: Promise<unknown>): Promise<string> => {
    const error = await asked.then(
      answer => `answered ${JSON.stringify(answer)}`,
      error => error,
    )
    expect(error).to.be.instanceOf(Outage)
    return ((error as Outage).cause as Error).message
  }

  it('asks for a path and reads the answer', async () => {
    expect(await ask({ path: '/people/{v}' }, ['five@example.com'])).to.deep.equal([{ number: 5, mail: 'five@example.com' }])
    expect(service.requests).to.have.length(1)
    expect(service.requests[0]).to.deep.include({ method: 'GET', target: '/api/people/five%40example.com', body: '' })
  })

  it('asks with parameters, headers and a body', async () => {
    const lookup = {
      path: '/search',
      method: 'POST',
      parameters: { expand: 'all', mail: '{v}' },
      body: { mail: '{v}', text: 'a "{v}" b', number: '{v}', flag: true, list: ['{v}', 1, null], '{key}': 'x' },
    }
    const values = ['a&b=c', '"},{"', '"', 7, '\\']
    const headers = { 'accept-language': 'en' }
    await ask(lookup, values, { headers })
    const [request] = service.requests
    expect(request?.target).to.equal('/api/search?expand=all&mail=a%26b%3Dc')
    expect(JSON.parse(request?.body ?? '')).to.deep.equal({
      ...{ mail: '"},{"', text: 'a """ b', number: 7, flag: true, list: ['\\', 1, null], '{key}': 'x' },
    })
    expect(request?.headers).to.include({ 'accept-language': 'en', 'content-type': 'application/json' })
  })

  it('finds entries and attributes by JSON pointers', async () => {
    service.answer = () => ({ json: { data: { 'a/b': [{ id: { no: 1 } }, { id: { no: 2 }, mail: 'x' }, { id: { no: 3 } }] } } })
    const lookup = { path: '/people', rows: '/data/a~1b', pointers: { number: '/id/no' } }
    expect(await ask(lookup)).to.deep.equal([
      { number: 1, mail: undefined },
      { number: 2, mail: 'x' },
    ])
    service.answer = () => ({ json: [] })
    expect(await ask({ path: '/people', rows: '' })).to.deep.equal([])
  })

  it('finds nothing where the service says so, or does not take a value', async () => {
    for (const status of [204, 400, 404, 410, 413, 414, 422, 431]) {
      service.answer = () => ({ status, json: { number: 5 } })
      expect(await ask({ path: '/people/{v}' }, ['x']), String(status)).to.deep.equal([])
    }
  })

  it('says of everything else that there is no answer', async () => {
    for (const [said, why] of [
      [{ status: 500 }, 'it answered 500'],
      [{ status: 403 }, 'it answered 403'],
      [{ status: 429 }, 'it answered 429'],
      [{ status: 201, json: { number: 5 } }, 'it answered 201'],
      [{ status: 302, headers: { location: '/api/elsewhere' } }, 'it answered 302'],
      [{ text: '{"number": 5' }, 'its answer is no JSON'],
      [{ json: [{ number: 5 }] }, 'the answer is no object'],
      [{ text: '{"number": 9007199254740993}' }, 'number has more digits than a number of JSON keeps'],
      [{ json: { number: 1, padding: 'x'.repeat(300_000) } }, 'the answer is larger than 262144 bytes'],
    ] as const) {
      service.answer = () => said
      service.requests.length = 0
      expect(await failure(ask({ path: '/people/{v}' }, ['x']))).to.equal(why)
      expect(service.requests).to.have.length(1)
    }
    service.answer = () => ({ json: { items: {} } })
    expect(await failure(ask({ path: '/p', rows: '/items' }))).to.equal('"rows" is /items, where the answer has no list')
  })

  it('tells an answer that nobody can use from none', async () => {
    for (const [said, isUnfit] of [
      [{ json: [{ number: 5 }] }, true],
      [{ text: '{"number": 9007199254740993}' }, true],
      [{ json: { number: 1, padding: 'x'.repeat(300_000) } }, true],
      [{ text: 'Bad gateway' }, true],
      [{ status: 403 }, true],
      [{ status: 302, headers: { location: '/api/elsewhere' } }, true],
      ...[401, 408, 429, 500, 503].map(status => [{ status }, false] as const),
    ] as const) {
      service.answer = () => said
      const error = await ask({ path: '/p' }).catch(error => error)
      expect(error instanceof UnfitAnswer, JSON.stringify(said).slice(0, 60)).to.equal(isUnfit)
    }
  })

  it('says in the record why there is no answer, and not what was asked', async () => {
    const recorded = async (answer: PeopleService['answer']) => {
      service.answer = answer
      const error = await ask({ path: '/people/{v}' }, ['s3cret']).catch(error => error)
      return failureOf(error, false).internal
    }
    expect(await recorded(() => ({ status: 403 }))).to.include({
      outage: 'the answer of the service cannot be used',
      cause: 'it answered 403',
    })
    const broken = await recorded(() => 'goodbye')
    expect(broken.cause).to.match(/socket hang up|ECONNRESET/)
    expect(JSON.stringify(broken)).not.to.contain('s3cret')
  })

  it('never leaves the segment of a path', async () => {
    const nowhere = [
      '..',
      '.',
      '../admin',
      '..\\admin',
      'a/b',
      '/',
      '',
      '%2e%2e',
      '..%2f',
      '%2F',
      'a\r\nHost: evil',
      'a\0b',
      '\ud800',
      '\t',
      'a\u007f',
    ]
    const query = await prepared({ path: '/people/{v}' })
    for (const value of nowhere) {
      expect(await query.run([value], AbortSignal.timeout(30_000)), JSON.stringify(value)).to.deep.equal([])
    }
    expect(service.requests).to.deep.equal([])
    const within = [
      '...',
      'a b',
      'a?b=c',
      'a#b',
      'a;b',
      "'; drop table",
      'ann@example.com',
      '\uff0e\uff0e',
      '\u2025',
      'ä',
      '😀',
      '~',
      "(*')!",
      '$&+,:=',
    ]
    for (const value of within) {
      service.requests.length = 0
      await query.run([value], AbortSignal.timeout(30_000))
      const target = service.requests[0]?.target ?? ''
      expect(target).to.match(/^\/api\/people\/[A-Za-z0-9._~%-]+$/)
      expect(decodeURIComponent(target.slice('/api/people/'.length))).to.equal(value)
    }
    for (const value of ['', '.']) expect(await ask({ path: '/people/.{v}' }, [value])).to.deep.equal([])
  })

  it('never leaves a parameter', async () => {
    const query = await prepared({ path: '/people', parameters: { mail: '{v}', limit: '2' } })
    for (const value of [
      'a&limit=1000',
      'a#b',
      '../',
      '%2e%2e',
      'a\r\nHost: evil',
      "' OR '1'='1",
      'a;limit=9',
      '\uff06limit=9',
      '+',
      '😀',
    ]) {
      service.requests.length = 0
      await query.run([value], AbortSignal.timeout(30_000))
      const { searchParams, pathname } = new URL(service.requests[0]?.target ?? '', service.url)
      expect([...searchParams]).to.deep.equal([
        ['mail', value],
        ['limit', '2'],
      ])
      expect(pathname).to.equal('/api/people')
    }
    service.requests.length = 0
    for (const value of ['', 'a\0', '\udc00']) expect(await query.run([value], AbortSignal.timeout(30_000))).to.deep.equal([])
    expect(service.requests).to.deep.equal([])
  })

  it('shows what is asked, without secrets', async () => {
    const query = await prepared(
      { path: '/p/{v}', method: 'POST', parameters: { a: '{w}' }, body: { b: '{x}' } },
      { authentication: { method: 'bearer', token: { env: 'SECRET' } } },
    )
    expect(query.describe(['ann', 'b c', 'd"'])).to.equal(`POST ${service.url}/api/p/ann?a=b+c\n{"b":"d\\""}`)
    for (const values of [
      ['..', 'b', 'c'],
      ['\ud800', 'b', 'c'],
      ['a', '', 'c'],
      ['a', 'b', 'c\0'],
    ])
      expect(query.describe(values)).to.equal('nothing is asked: one of the values is empty, or cannot stand in an address')
  })

  describe('shows who it is', () => {
    const authorizationWith = async (authentication: object) => {
      await ask({ path: '/p' }, [], { authentication })
      return service.requests.at(-1)?.headers
    }

    it('by name and password', async () => {
      const headers = await authorizationWith({ method: 'basic', username: 'cambist', password: { env: 'SECRET' } })
      expect(headers?.authorization).to.equal(`Basic ${Buffer.from('cambist:s3cret').toString('base64')}`)
    })

    it('by a token', async () => {
      expect((await authorizationWith({ method: 'bearer', token: { env: 'SECRET' } }))?.authorization).to.equal('Bearer s3cret')
    })

    it('by a key in a header', async () => {
      expect((await authorizationWith({ method: 'header', name: 'x-api-key', value: { env: 'SECRET' } }))?.['x-api-key']).to.equal('s3cret')
    })

    it('by a certificate', async () => {
      await ask({ path: '/p' }, [], { certificate: { env: 'CERT' }, privateKey: { env: 'KEY' } })
      expect(service.requests[0]?.shownBy).to.equal('cambist')
      await ask({ path: '/p' })
      expect(service.requests[1]?.shownBy).to.equal(undefined)
    })

    it('by an access token that is fetched once, and anew when it is refused', async () => {
      let issued = 0
      let accepted = 1
      service.answer = ({ target, headers }) => {
        if (target === '/token') return { json: { access_token: `token-${++issued}`, token_type: 'Bearer', expires_in: 3600 } }
        return headers.authorization === `Bearer token-${accepted}` ? { json: { number: 5 } } : { status: 401 }
      }
      const authentication = {
        ...{ method: 'client-credentials', tokenEndpoint: `${service.url}/token`, clientId: 'a:b', clientSecret: { env: 'SECRET' } },
        ...{ scope: 'people.read', resource: 'https://people.example.com' },
      }
      const query = await prepared({ path: '/p' }, { authentication })
      const run = () => query.run([], AbortSignal.timeout(30_000))
      await Promise.all([run(), run(), run()])
      expect(service.requests.filter(({ target }) => target === '/token')).to.have.length(1)
      const [request] = service.requests
      expect(request?.headers.authorization).to.equal(`Basic ${Buffer.from('a%3Ab:s3cret').toString('base64')}`)
      expect(request?.body).to.equal('grant_type=client_credentials&scope=people.read&resource=https%3A%2F%2Fpeople.example.com')
      accepted = 2
      expect(await run()).to.deep.equal([{ number: 5, mail: undefined }])
      accepted = 99
      expect(await failure(run())).to.equal('it answered 401')
      service.answer = () => ({ status: 500 })
      expect(await failure(ask({ path: '/p' }, [], { authentication, maxBytes: 1000 }))).to.match(
        /the token endpoint answered 500, and no bearer token/,
      )
    })
  })

  it('believes no other certificate', async () => {
    const plain = { path: '/p' }
    expect(await failure(ask(plain, [], { ca: undefined }))).to.match(/self-signed certificate/)
    expect(await failure(ask(plain, [], { ca: { env: 'CERT' } }))).to.match(/self-signed certificate|signature/)
    expect(await failure(ask(plain, [], {}, service.url.replace('localhost', '127.0.0.1')))).to.match(
      /does not match certificate's altnames/,
    )
    expect(service.requests).to.deep.equal([])
  })

  it('goes through a proxy, which sees the name of the service and nothing else', async () => {
    const proxy = await startProxy(`Basic ${Buffer.from('me:s3cret').toString('base64')}`)
    try {
      const shownTo = { proxy: { url: proxy.url, username: 'me', password: { env: 'SECRET' } } }
      const query = await prepared({ path: '/p' }, shownTo)
      for (let count = 0; count < 3; count++)
        expect(await query.run([], AbortSignal.timeout(30_000))).to.deep.equal([{ number: 5, mail: 'five@example.com' }])
      expect(proxy.targets).to.deep.equal([service.url.replace('https://', '')])
      expect(await failure(ask({ path: '/p' }, [], { proxy: { url: proxy.url } }))).to.equal('the proxy answered 407')
    } finally {
      proxy.stop()
    }
    expect(await failure(ask({ path: '/p' }, [], { proxy: { url: proxy.url } }))).to.match(/^the proxy: .*ECONNREFUSED/)
  })

  it('goes the same way, and believes the same, when a connection of before turns out to be closed', async () => {
    const proxy = await startProxy()
    try {
      const query = await prepared({ path: '/p' }, { proxy: { url: proxy.url }, certificate: { env: 'CERT' }, privateKey: { env: 'KEY' } })
      const run = () => query.run([], AbortSignal.timeout(30_000))
      const found = [{ number: 5, mail: undefined }]
      service.answer = () => (service.requests.length === 2 ? 'goodbye' : { json: { number: 5 } })
      expect(await run()).to.deep.equal(found)
      expect(await run()).to.deep.equal(found)
      expect(service.requests.map(({ shownBy }) => shownBy)).to.deep.equal(['cambist', 'cambist', 'cambist'])
      expect(proxy.targets).to.have.length(2)
    } finally {
      proxy.stop()
    }
  })

  it('uses connections again, and no more than it may', async () => {
    const query = await prepared({ path: '/p' }, { connections: 3 })
    const before = service.opened()
    await Promise.all(Array.from({ length: 60 }, () => query.run([], AbortSignal.timeout(30_000))))
    expect(service.opened() - before).to.be.within(1, 3)
  })

  it('gives up on a service that does not answer, and closes the connection', async () => {
    const query = await prepared({ path: '/people/{v}' }, {}, service.url, { timeout: 1 })
    const before = service.connections()
    service.answer = () => 'nothing'
    expect(await failure(query.run(['s3cret'], AbortSignal.timeout(30_000)))).to.equal('no answer in time')
    await until('the connection is closed', () => service.connections() <= before)
    service.answer = () => ({ json: { number: 5 } })
    expect(await query.run(['x'], AbortSignal.timeout(30_000))).to.deep.equal([{ number: 5, mail: undefined }])
  })

  it('finds a service again that was killed and started in the middle of load', async () => {
    const query = await prepared({ path: '/people/{v}' })
    const outcomes = new Set<string>()
    let answered = 0
    let running = true
    const load = Array.from({ length: 6 }, async () => {
      while (running) {
        const rows = await query.run(['s3cret'], AbortSignal.timeout(30_000)).catch((error: Outage) => {
          outcomes.add((error.cause as Error).message)
          return []
        })
        if (rows.length > 0) answered++
        else await new Promise(resolve => setTimeout(resolve, 10))
      }
    })
    await until('it answers', () => answered > 20)
    await service.kill()
    await until('it is missed', () => outcomes.size > 0)
    await service.start()
    const sofar = answered
    await until('it answers again', () => answered > sofar + 20)
    running = false
    await Promise.all(load)
    expect([...outcomes].filter(why => !/ECONN|socket|aborted|EPIPE/.test(why))).to.deep.equal([])
    expect([...outcomes].join()).not.to.contain('s3cret')
  })

  it('is tried out', async () => {
    const { probes } = await storeWith()
    expect(probes.map(({ path, what }) => [path, what])).to.deep.equal([[['url'], `${service.url}/api`]])
    expect(await probes[0]?.run()).to.equal('it answers 200')
    service.answer = () => ({ status: 404 })
    expect(await probes[0]?.run()).to.equal('it answers 404')
    for (const status of [401, 500]) {
      service.answer = () => ({ status })
      expect((await probes[0]?.run().catch(error => error))?.message).to.match(new RegExp(`^it answers ${status}`))
    }
    const named = (await storeWith({ probe: '/health' })).probes[0]
    expect((await named?.run().catch(error => error))?.message).to.equal('/health answered 500')
    service.answer = ({ target }) => ({ status: target === '/api/health' ? 200 : 404 })
    expect(await named?.run()).to.equal('it answers 200')
  })

  describe('its files', () => {
    const url = 'https://people.example.com'
    const mistakes: ReadonlyArray<readonly [file: object, problem: RegExp]> = [
      [{ url: 'http://people.example.com' }, /^url: must be https/],
      [{ url: 'https://10.0.0.1' }, /^url: is in a private network; "allowPrivateNetwork": true/],
      [{ url: 'https://169.254.169.254/', allowPrivateNetwork: true }, /^url: is an address that is never connected to/],
      [{ url: 'https://people.example.com/?a=b' }, /^url: has a query; lookups have "parameters"/],
      [{ headers: { authorization: 'x' } }, /^headers\.authorization: /],
      [{ headers: { 'x-api-key': 'x' } }, /^headers\.x-api-key: /],
      [{ headers: { 'x-a': 'a\r\nb: c' } }, /^headers\.x-a: expected visible ASCII/],
      [{ authentication: { method: 'basic', username: 'a:b', password: { env: 'SECRET' } } }, /has a colon/],
      [{ authentication: { method: 'bearer', token: 'literal' } }, /a secret or a key never stands in the configuration/],
      [
        { authentication: { method: 'bearer', token: { env: 'ABSENT' } } },
        /^authentication\.token: has characters that cannot stand in a header/,
      ],
      [
        {
          authentication: {
            method: 'client-credentials',
            tokenEndpoint: 'http://x.example',
            clientId: 'a',
            clientSecret: { env: 'SECRET' },
          },
        },
        /tokenEndpoint: must be https/,
      ],
      [{ certificate: { env: 'CERT' } }, /belong together/],
      [{ url: 'http://localhost', allowPrivateNetwork: true, ca: { env: 'CERT' } }, /^ca: is for https addresses/],
      [{ url: 'http://localhost', allowPrivateNetwork: true, proxy: { url: 'http://p.example' } }, /^proxy: is for https addresses/],
      [{ proxy: { url: 'http://p.example', username: 'a' } }, /belong together/],
      [{ probe: 'health' }, /^probe: expected a path/],
      [{ adress: 'x' }, /unknown member "adress"/],
    ]
    for (const [file, problem] of mistakes) {
      it(`may not say ${JSON.stringify(file)}`, async () => {
        const { problems, kept } = await buildStore(http, { url, attributes, ...file }, texts)
        await kept.discard()
        expect(problems.join('\n')).to.match(problem)
      })
    }

    const lookups: ReadonlyArray<readonly [lookup: object, problem: string]> = [
      [{}, 'path '],
      [{ path: 'people' }, 'path:0 expected a path that begins with "/"'],
      [{ path: '/people?mail={v}' }, 'path:7 a path has no "?"; what comes after "?" is "parameters"'],
      [{ path: '/people/../{v}' }, 'path:0 a path has no "." and ".." here'],
      [{ path: '/people/%2e%2E/{v}' }, 'path:0 a path has no "." and ".." here'],
      [{ path: '/a b' }, 'path:2 a path has no " "'],
      [{ path: '/p', body: { a: 'b' } }, 'body is for "method": "POST"'],
      [{ path: '/p', pointers: { numbr: '/a' } }, 'pointers.numbr "attributes" has no "numbr"; did you mean "number"?'],
      [{ path: '/p', pointers: { number: 'a' } }, 'pointers.number expected a JSON pointer such as "/data/number" (RFC 6901)'],
      [{ path: '/p', rows: 'a' }, 'rows expected a JSON pointer'],
      [{ path: '/p', url: 'https://evil.example' }, ' unknown member "url"'],
    ]
    for (const [lookup, problem] of lookups) {
      it(`may not have the lookup ${JSON.stringify(lookup)}`, async () => {
        const { store } = await storeWith()
        const parsed = store.lookup.safeParse(lookup)
        const parts = lookupParts(['number'])
        if (parsed.success) store.client.prepare(parsed.data, parts)
        const issues = parsed.success ? parts.problems : parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
        expect(issues.join('\n')).to.contain(problem)
      })
    }
  })
})

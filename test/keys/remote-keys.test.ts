import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import type { JsonObject } from '../../src/json.ts'
import { discoverKeys, fetchKeys, maxAgeOf, metadataAddresses } from '../../src/keys/fetch-keys.ts'
import type { GuardedFetch } from '../../src/keys/guarded-fetch.ts'
import { type FetchedKeys, RemoteKeys } from '../../src/keys/remote-keys.ts'
import { Outage } from '../../src/oauth/errors.ts'

const wanted = { algorithms: ['ES256', 'RS256'] as const }
const jwk = (kid: string) =>
  ({ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid }) as JsonObject

/** Other servers, as far as `fetch` can tell. */
function web(pages: Record<string, { status?: number; body?: unknown; cacheControl?: string } | Error>) {
  const asked: string[] = []
  const fetch: GuardedFetch = async url => {
    asked.push(url)
    const page = pages[url] ?? { status: 404 }
    if (page instanceof Error) throw page
    const { status = 200, body = {}, cacheControl = null } = page
    return {
      status,
      headers: { get: name => (name === 'cache-control' ? cacheControl : null) },
      text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
    }
  }
  return { asked, fetching: { fetch, allowPrivateNetwork: false, wanted } }
}

async function failureOf(promise: Promise<unknown> | unknown): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  return expect.fail('it did not fail')
}

describe('fetching keys', () => {
  const uri = 'https://login.example/jwks'

  it('reads a JWK Set', async () => {
    const { fetching } = web({ [uri]: { body: { keys: [jwk('a'), { kty: 'oct', k: 'AA' }] }, cacheControl: 'public, max-age=900' } })
    const { keys, maxAge } = await fetchKeys(uri, fetching)
    expect([keys.size, keys.defects.length, maxAge]).to.deep.equal([1, 1, 900])
  })

  const bad: Array<[string, { status?: number; body?: unknown }]> = [
    ['503', { status: 503, body: { keys: [jwk('a')] } }],
    ['a redirect', { status: 302 }],
    ['204', { status: 204, body: '' }],
    ['no JSON', { body: '<html>' }],
    ['a list', { body: [jwk('a')] }],
    ['no keys', { body: {} }],
    ['a member twice', { body: '{"keys":[],"keys":[]}' }],
    ['no usable key', { body: { keys: [{ kty: 'oct', k: 'AA' }] } }],
    ['an empty set', { body: { keys: [] } }],
  ]
  for (const [what, page] of bad)
    it(`takes ${what} for a failure`, async () => expect(await failureOf(fetchKeys(uri, web({ [uri]: page }).fetching))).to.be.an('error'))

  it('keeps the age within bounds', () => {
    const ages: Array<[string | null, number]> = [
      [null, 600],
      ['public', 600],
      ['max-age=1', 60],
      ['max-age=0', 60],
      ['public, max-age=21600, must-revalidate', 21_600],
      ['Max-Age="300"', 300],
      ['max-age=9999999999', 86_400],
      ['max-age=-5', 600],
      ['s-maxage=9, max-age=100', 100],
      ['no-store, max-age=500', 60],
      ['no-cache', 60],
    ]
    for (const [header, age] of ages) expect(maxAgeOf(header), String(header)).to.equal(age)
  })

  describe('by discovery', () => {
    const issuer = 'https://login.example/tenant'
    const [openid, oauth] = metadataAddresses(issuer)

    it('knows both places of the metadata', () => {
      expect([openid, oauth]).to.deep.equal([
        'https://login.example/tenant/.well-known/openid-configuration',
        'https://login.example/.well-known/oauth-authorization-server/tenant',
      ])
      expect(metadataAddresses('https://sts.windows.net/t/')[0]).to.equal('https://sts.windows.net/t/.well-known/openid-configuration')
      expect(metadataAddresses('https://login.example')[1]).to.equal('https://login.example/.well-known/oauth-authorization-server')
    })

    it('follows jwks_uri, also to another host', async () => {
      const { fetching } = web({
        [openid]: { body: { issuer, jwks_uri: 'https://keys.example/' } },
        'https://keys.example/': { body: { keys: [jwk('a')] } },
      })
      expect((await discoverKeys(issuer, fetching)).keys.size).to.equal(1)
    })

    it('falls back to the place of RFC 8414', async () => {
      const { fetching, asked } = web({ [oauth]: { body: { issuer, jwks_uri: uri } }, [uri]: { body: { keys: [jwk('a')] } } })
      expect((await discoverKeys(issuer, fetching)).keys.size).to.equal(1)
      expect(asked).to.deep.equal([openid, oauth, uri])
    })

    const wrong: Array<[string, unknown]> = [
      ['another issuer', { issuer: 'https://login.example', jwks_uri: uri }],
      ['the issuer with a slash', { issuer: `${issuer}/`, jwks_uri: uri }],
      ['no issuer', { jwks_uri: uri }],
      ['no jwks_uri', { issuer }],
      ['a jwks_uri that is no string', { issuer, jwks_uri: [uri] }],
      ['a jwks_uri by http', { issuer, jwks_uri: 'http://login.example/jwks' }],
      ['a jwks_uri in the private network', { issuer, jwks_uri: 'https://10.0.0.1/jwks' }],
      ['a jwks_uri at the metadata service of a cloud', { issuer, jwks_uri: 'https://169.254.169.254/jwks' }],
      ['a jwks_uri that is a file', { issuer, jwks_uri: 'file:///etc/passwd' }],
      ['no JSON', 'no'],
    ]
    for (const [what, body] of wrong) {
      it(`refuses metadata with ${what}, and fetches nothing more`, async () => {
        const { fetching, asked } = web({ [openid]: { body }, [uri]: { body: { keys: [jwk('a')] } } })
        expect(await failureOf(discoverKeys(issuer, fetching))).to.be.an('error')
        expect(asked).to.deep.equal([openid])
      })
    }

    it('does not take a failing server for one without metadata', async () => {
      const { fetching, asked } = web({ [openid]: { status: 500 }, [oauth]: { body: { issuer, jwks_uri: uri } } })
      expect(await failureOf(discoverKeys(issuer, fetching))).to.be.an('error')
      expect(asked).to.deep.equal([openid])
    })
  })
})

describe('remote keys', () => {
  let clock = 0
  let fetches = 0
  let published: string[] = []
  let down = false
  let slow: Promise<void> | undefined
  const made = new Map<string, JsonObject>()
  const failures: unknown[] = []

  beforeEach(() => {
    clock = 1_000_000
    fetches = 0
    published = ['a']
    down = false
    slow = undefined
    failures.length = 0
  })

  async function fetchNow(): Promise<FetchedKeys> {
    fetches++
    await slow
    if (down) throw new Error('down')
    for (const kid of published) if (!made.has(kid)) made.set(kid, jwk(kid))
    const { fetching } = web({ 'https://login.example/jwks': { body: { keys: published.map(kid => made.get(kid)) } } })
    return await fetchKeys('https://login.example/jwks', fetching)
  }

  const remote = () => new RemoteKeys({ fetchKeys: fetchNow, now: () => clock, maxStale: 86_400, onFailure: error => failures.push(error) })
  const settled = () => new Promise(resolve => setImmediate(resolve))

  it('fetches once, then answers without waiting', async () => {
    const keys = remote()
    const first = await Promise.all(Array.from({ length: 20 }, () => keys.find('ES256', 'a')))
    expect(first.every(key => typeof key === 'object')).to.equal(true)
    expect(keys.find('ES256', 'a')).not.to.be.instanceOf(Promise)
    expect(fetches).to.equal(1)
  })

  it('refreshes in the background before the keys are too old, while they are used', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    clock += 479
    keys.find('ES256', 'a')
    expect(fetches).to.equal(1)
    clock += 2
    for (let index = 0; index < 5; index++) expect(keys.find('ES256', 'a')).not.to.be.instanceOf(Promise)
    await settled()
    expect(fetches).to.equal(2)
    clock += 470
    expect(keys.find('ES256', 'a')).not.to.be.instanceOf(Promise)
    expect(fetches).to.equal(2)
  })

  it('waits for new keys when the old ones ran out unused', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    clock += 700
    published = ['b']
    expect(await keys.find('ES256', 'a')).to.equal('unknown')
    expect(fetches).to.equal(2)
  })

  it('asks again for an unknown kid, once a minute at most, and once for all that ask', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    published = ['a', 'b']
    const found = await Promise.all(Array.from({ length: 10 }, () => keys.find('ES256', 'b')))
    expect(found.every(key => typeof key === 'object')).to.equal(true)
    expect(fetches).to.equal(2)
    for (let second = 0; second < 59; second++) {
      clock += 1
      expect(await keys.find('ES256', `made-up-${second}`)).to.equal('unknown')
    }
    expect(fetches).to.equal(2)
    clock += 2
    expect(await keys.find('ES256', 'made-up')).to.equal('unknown')
    expect(fetches).to.equal(3)
  })

  it('serves through an outage for maxStale, then says that it cannot tell', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    down = true
    for (let hour = 1; hour <= 24; hour++) {
      clock = 1_000_000 + hour * 3_600
      expect(await keys.find('ES256', 'a'), `${hour} h`).to.be.an('object')
    }
    clock = 1_000_000 + 600 + 86_400 - 1
    expect(await keys.find('ES256', 'a')).to.be.an('object')
    clock += 1
    expect(await failureOf(keys.find('ES256', 'a'))).to.be.instanceOf(Outage)
    expect(failures).not.to.deep.equal([])
    down = false
    clock += 11
    expect(await keys.find('ES256', 'a')).to.be.an('object')
  })

  it('does not hammer a server that is down', async () => {
    const keys = remote()
    down = true
    for (let index = 0; index < 50; index++) expect(await failureOf(keys.find('ES256', 'a'))).to.be.instanceOf(Outage)
    expect(fetches).to.equal(1)
    clock += 11
    down = false
    expect(await keys.find('ES256', 'a')).to.be.an('object')
    expect(fetches).to.equal(2)
  })

  it('cannot tell about an unknown kid while the server is down', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    down = true
    expect(await failureOf(keys.find('ES256', 'b'))).to.be.instanceOf(Outage)
    expect(await failureOf(keys.find('ES256', 'b'))).to.be.instanceOf(Outage)
    expect(await keys.find('ES256', 'a')).to.be.an('object')
    expect(fetches).to.equal(2)
  })

  it('does not wait behind a slow refresh while the keys are good', async () => {
    const keys = remote()
    await keys.find('ES256', 'a')
    let release: () => void = () => undefined
    slow = new Promise(resolve => {
      release = resolve
    })
    clock += 500
    expect(keys.find('ES256', 'a')).not.to.be.instanceOf(Promise)
    expect(keys.find('ES256', 'a')).not.to.be.instanceOf(Promise)
    release()
    await settled()
    expect(fetches).to.equal(2)
  })

  it('drops a key that the issuer withdrew', async () => {
    published = ['a', 'b']
    const keys = remote()
    await keys.find('ES256', 'a')
    published = ['b']
    clock += 500
    keys.find('ES256', 'b')
    await settled()
    expect(await keys.find('ES256', 'a')).to.equal('unknown')
  })
})

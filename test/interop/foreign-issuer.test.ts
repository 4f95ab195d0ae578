import { expect } from 'chai'
import { OAuth2Server } from 'oauth2-mock-server'
import { ConfigError } from '../../src/config/problems.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { type Files, type Issuers, makeIssuers, issuer as ownIssuer, usualFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { type RunningServer, startServer } from '../support/running-server.ts'

/** An authorization server of somebody else (`oauth2-mock-server`), on a port that stays its own while it is away. */
class ForeignServer {
  #server = new OAuth2Server()
  #port = 0

  async start(): Promise<void> {
    // Not one that the system chooses: while nobody listens there, it may become that of an outgoing connection.
    if (this.#port === 0) this.#port = await freePort()
    this.#server = new OAuth2Server()
    await this.#server.issuer.keys.generate('RS256', { kid: 'rsa-1' })
    await this.resume()
  }

  /** Comes back with the keys that it had. */
  async resume(): Promise<void> {
    await this.#server.start(this.#port, '127.0.0.1')
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.#server.stop()
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  addKey(algorithm: string, kid: string): Promise<unknown> {
    return this.#server.issuer.keys.generate(algorithm, { kid })
  }

  /** From now on its metadata say that it is somebody else. */
  pretend(url: string): void {
    this.#server.issuer.url = url
  }

  /** A token of that server for this one. */
  sign(kid: string, claims: object = {}): Promise<string> {
    const scopesOrTransform = (_header: object, payload: object) =>
      Object.assign(payload, {
        ...{ iss: this.url, sub: 'alice', aud: ownIssuer, email: 'alice@example.com', groups: ['app-orders'] },
        ...claims,
      })
    return this.#server.issuer.buildToken({ kid, scopesOrTransform, expiresIn: 200_000 })
  }
}

describe("an issuer that is somebody else's server", () => {
  let issuers: Issuers
  before(async () => {
    issuers = await makeIssuers()
  })

  let foreign: ForeignServer
  let server: RunningServer | undefined
  /** Every address that the server has fetched from. */
  let asked: string[]
  beforeEach(async () => {
    foreign = new ForeignServer()
    await foreign.start()
  })
  afterEach(async () => {
    await server?.close()
    server = undefined
    await foreign.stop()
  })

  async function filesWith(source: object): Promise<Files> {
    const issuer = { issuer: foreign.url, allowPrivateNetwork: true, ...source }
    const processor = { type: 'jwt', issuers: [issuer], algorithms: ['RS256', 'ES256', 'EdDSA'] }
    return { ...(await usualFiles(issuers)), 'policies/token-processors/people.json': processor }
  }

  async function start(source: object): Promise<RunningServer> {
    const fetch = guardedFetch()
    asked = []
    server = await startServer(await filesWith(source), {
      fetch: (url, request) => {
        asked.push(url)
        return fetch(url, request)
      },
    })
    return server
  }

  const outcome = async (running: RunningServer, token: string) => {
    const { status, json } = await running.exchange({ subject_token: token })
    return status === 200 ? 'issued' : `${status} ${json.error}`
  }

  const sources: Array<[string, () => object]> = [
    ['discovery', () => ({ discovery: true })],
    ['jwksUri', () => ({ jwksUri: `${foreign.url}/jwks` })],
  ]
  for (const [name, source] of sources) {
    describe(`its keys found by ${name}`, () => {
      it('its tokens are taken, of every algorithm that is allowed', async () => {
        await foreign.addKey('ES256', 'ec-1')
        await foreign.addKey('EdDSA', 'ed-1')
        const running = await start(source())
        for (const kid of ['rsa-1', 'ec-1', 'ed-1']) expect(await outcome(running, await foreign.sign(kid)), kid).to.equal('issued')
      })

      it('a new key is found when a token first names it, but not asked for more than once a minute', async () => {
        const running = await start(source())
        expect(await outcome(running, await foreign.sign('rsa-1'))).to.equal('issued')

        await foreign.addKey('RS256', 'rsa-2')
        expect(await outcome(running, await foreign.sign('rsa-2'))).to.equal('issued')

        await foreign.addKey('RS256', 'rsa-3')
        const third = await foreign.sign('rsa-3')
        expect(await outcome(running, third), 'in the same minute').to.equal('400 invalid_request')
        running.advance(61)
        expect(await outcome(running, third), 'a minute later').to.equal('issued')
      })

      it('tokens with keys that somebody made up do not make this server ask again and again', async () => {
        const running = await start(source())
        expect(await outcome(running, await foreign.sign('rsa-1'))).to.equal('issued')
        const once = asked.length
        const [header, ...rest] = (await foreign.sign('rsa-1')).split('.')
        const members = JSON.parse(Buffer.from(header ?? '', 'base64url').toString())
        const madeUp = Array.from({ length: 50 }, (_, index) => {
          const other = { ...members, kid: `made-up-${index}`, jku: `http://127.0.0.1:1/${index}` }
          return [Buffer.from(JSON.stringify(other)).toString('base64url'), ...rest].join('.')
        })
        const outcomes = await Promise.all(madeUp.map(token => outcome(running, token)))
        expect(new Set(outcomes)).to.deep.equal(new Set(['400 invalid_request']))
        // Once more what was asked before, and nothing else.
        expect(asked.slice(once)).to.deep.equal(asked.slice(0, once))
      })

      it('a key that was withdrawn is not taken any more once the set is too old', async () => {
        const running = await start(source())
        const old = await foreign.sign('rsa-1')
        expect(await outcome(running, old)).to.equal('issued')
        await foreign.stop()
        await foreign.start()
        running.advance(700)
        expect(await outcome(running, old)).to.equal('400 invalid_request')
        expect(await outcome(running, await foreign.sign('rsa-1'))).to.equal('issued')
      })

      it('its keys serve while it is away, for maxStale; then 503, and it recovers by itself', async () => {
        const running = await start({ ...source(), maxStale: '24h' })
        const token = await foreign.sign('rsa-1')
        expect(await outcome(running, token)).to.equal('issued')
        await foreign.addKey('RS256', 'rsa-2')
        const ofNewKey = await foreign.sign('rsa-2')

        await foreign.stop()
        running.advance(3600)
        expect(await outcome(running, token), 'an hour later').to.equal('issued')
        expect(await outcome(running, ofNewKey), 'whether there is such a key cannot be told').to.equal('503 temporarily_unavailable')
        running.advance(22 * 3600)
        expect(await outcome(running, token), '23 hours later').to.equal('issued')
        running.advance(2 * 3600)
        expect(await outcome(running, token), '25 hours later').to.equal('503 temporarily_unavailable')

        await foreign.resume()
        running.advance(11)
        expect(await outcome(running, token), 'back').to.equal('issued')
        expect(await outcome(running, ofNewKey), 'back').to.equal('issued')
      })

      it('that was never there yet is an outage, not the fault of the token', async () => {
        const token = await foreign.sign('rsa-1')
        await foreign.stop()
        const running = await start(source())
        const answer = await running.exchange({ subject_token: token })
        expect(answer.status).to.equal(503)
        expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
        expect(running.records.at(-1)).to.deep.include({ outcome: 'unavailable' })

        await foreign.resume()
        running.advance(11)
        expect(await outcome(running, token)).to.equal('issued')
      })

      it('is not asked at all where private networks are not allowed: the configuration says so', async () => {
        const error = await filesWith({ ...source(), allowPrivateNetwork: false })
          .then(startServer)
          .catch(error => error)
        expect(error).to.be.instanceOf(ConfigError)
        expect(error.problems.map(({ message }: { message: string }) => message).join()).to.contain('must be https')
      })
    })
  }

  it('that calls itself by another name in its metadata is not believed', async () => {
    foreign.pretend('https://login.elsewhere.example')
    const running = await start({ discovery: true })
    expect(await outcome(running, await foreign.sign('rsa-1'))).to.equal('503 temporarily_unavailable')
  })

  it('cannot vouch for another issuer', async () => {
    const running = await start({ discovery: true })
    const token = await foreign.sign('rsa-1', { iss: 'https://people.example' })
    expect(await outcome(running, token)).to.equal('400 invalid_request')
  })
})

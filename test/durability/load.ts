import { hash } from 'node:crypto'
import { secretOf } from '../support/configuration.ts'
import type { Issuer } from '../support/issuer.ts'
import { basic, encodeForm, type Parameters } from '../support/running-server.ts'

const exchange = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
}

/** An answer, or that the connection broke before it was there. */
export type Outcome = { status: number; json: Record<string, unknown>; retryAfter: string | null } | 'broken off'

/** Sends one form as a client of the usual configuration. */
export async function post(url: string, parameters: Parameters, client: string): Promise<Outcome> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body: encodeForm(parameters),
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(client, secretOf(client)) },
    })
    const text = await answer.text()
    return { status: answer.status, json: text === '' ? {} : JSON.parse(text), retryAfter: answer.headers.get('retry-after') }
  } catch {
    return 'broken off'
  }
}

/** Many clients at once, and a memory of everything that the server has promised them by answering 200. */
export class Load {
  readonly #issuer: string
  readonly #people: Issuer
  readonly #issued: string[] = []
  readonly #revoked = new Set<string>()
  readonly #maybeRevoked = new Set<string>()
  readonly #used: string[] = []
  readonly #promised = new Set<string>()
  /** Answers that no request of the load should get. */
  readonly unexpected: string[] = []
  #promises = 0
  #count = 0
  #running: Promise<unknown> = Promise.resolve()
  #stopping = false
  #breakable = false
  #news: () => void = () => undefined

  constructor(issuer: string, people: Issuer) {
    this.#issuer = issuer
    this.#people = people
  }

  start(clients = 16): void {
    this.#stopping = false
    this.#breakable = false
    this.#running = Promise.all(Array.from({ length: clients }, () => this.#oneClient()))
  }

  /** From now on a broken connection is no surprise. */
  expectBreaks(): void {
    this.#breakable = true
  }

  /** Waits until there are so many more promises than now, and a good part of them of each kind. */
  async more(count: number): Promise<void> {
    const wanted = this.#promises + count
    const before = this.kinds
    const some = Math.floor(count / 6)
    const has = (kind: keyof typeof before) => this.kinds[kind] >= before[kind] + some
    while (this.#promises < wanted || !(has('issued') && has('revoked') && has('used'))) {
      if (this.unexpected.length > 0) throw new Error(`unexpected: ${this.unexpected.slice(0, 5).join('; ')}`)
      await new Promise<void>(resolve => {
        this.#news = resolve
      })
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** What was promised and is not kept. */
  async broken(): Promise<string[]> {
    const checks = [
      ...this.#issued.filter(token => !this.#maybeRevoked.has(token)).map(token => () => this.#isActive(token, true)),
      ...[...this.#revoked].map(token => () => this.#isActive(token, false)),
      ...this.#used.map(token => () => this.#isUsed(token)),
    ]
    const found: string[] = []
    const checkAll = async () => {
      for (let check = checks.pop(); check !== undefined; check = checks.pop()) found.push(...(await check()))
    }
    await Promise.all(Array.from({ length: 16 }, checkAll))
    return found
  }

  /** Promises that are in none of the audit records. */
  unrecorded(lines: readonly string[]): string[] {
    const recorded = new Set(lines.map(line => JSON.parse(line)).map(line => line.issuedToken?.sha256))
    return [...this.#promised].filter(token => !recorded.has(hash('sha256', token, 'base64url')))
  }

  get kinds(): { issued: number; revoked: number; used: number } {
    return { issued: this.#issued.length, revoked: this.#revoked.size, used: this.#used.length }
  }

  async #oneClient(): Promise<void> {
    while (!this.#stopping) {
      const turn = this.#count++ % 5
      if (turn === 3) await this.#useOnce()
      else if (turn === 4) await this.#revoke()
      else await this.#issue()
    }
  }

  async #issue(): Promise<void> {
    const subject = await this.#people.sign()
    const outcome = await post(`${this.#issuer}/token`, { ...exchange, subject_token: subject, audience: 'billing' }, 'gateway')
    if (this.#isPromise(outcome)) this.#keep(this.#issued, String(outcome.json.access_token), outcome)
  }

  async #useOnce(): Promise<void> {
    const subject = await this.#people.sign()
    const outcome = await post(`${this.#issuer}/token`, { ...exchange, subject_token: subject, audience: 'api' }, 'careful')
    if (this.#isPromise(outcome)) this.#keep(this.#used, subject, outcome)
  }

  async #revoke(): Promise<void> {
    const token = this.#issued.find(candidate => !this.#maybeRevoked.has(candidate))
    if (token === undefined) return this.#issue()
    this.#maybeRevoked.add(token)
    const outcome = await post(`${this.#issuer}/revoke`, { token }, 'gateway')
    if (!this.#isPromise(outcome)) return
    this.#revoked.add(token)
    this.#promises++
    this.#news()
  }

  #keep(list: string[], what: string, outcome: Exclude<Outcome, 'broken off'>): void {
    list.push(what)
    this.#promised.add(String(outcome.json.access_token))
    this.#promises++
    this.#news()
  }

  #isPromise(outcome: Outcome): outcome is Exclude<Outcome, 'broken off'> {
    if (outcome === 'broken off') {
      if (this.#breakable) this.#stopping ||= false
      else this.unexpected.push(outcome)
      return false
    }
    if (outcome.status !== 200) this.unexpected.push(`${outcome.status} ${JSON.stringify(outcome.json)}`)
    this.#news()
    return outcome.status === 200
  }

  async #isActive(token: string, wanted: boolean): Promise<string[]> {
    const outcome = await post(`${this.#issuer}/introspect`, { token }, 'gateway')
    if (outcome !== 'broken off' && outcome.status === 200 && outcome.json.active === wanted) return []
    return [`a token that was ${wanted ? 'issued' : 'revoked'}: ${outcome === 'broken off' ? outcome : JSON.stringify(outcome)}`]
  }

  async #isUsed(subject: string): Promise<string[]> {
    const outcome = await post(`${this.#issuer}/token`, { ...exchange, subject_token: subject, audience: 'api' }, 'careful')
    const refused = outcome !== 'broken off' && outcome.status === 400 && /exchanged before/.test(String(outcome.json.error_description))
    return refused ? [] : [`a token that was used: ${outcome === 'broken off' ? outcome : JSON.stringify(outcome)}`]
  }
}

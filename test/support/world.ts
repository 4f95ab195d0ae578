import { expect } from 'chai'
import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import { type Files, type Issuers, makeIssuers, usualFiles } from './configuration.ts'
import type { Issuer } from './issuer.ts'
import { descriptionCharacters, types } from './oauth.ts'
import { type Answer, type Parameters, type RunningServer, startServer, type WorldOutside } from './running-server.ts'

/** Claims, or a header, that replace the usual ones; `undefined` takes one away. */
export type Claims = Record<string, unknown>

/** An exchange that succeeded. */
export interface Issued {
  readonly token: string
  /** The claims of the token, where it is a JWT. */
  readonly claims: JWTPayload & Claims
  readonly answer: Answer
  /** The audit record. */
  readonly record: Record<string, unknown>
}

/** An exchange that was refused. */
export interface Refused {
  readonly description: string
  readonly answer: Answer
  readonly record: Record<string, unknown>
}

/** A server, the issuers that it trusts, and the two things that happen to a request. */
export class World {
  #server: RunningServer | undefined
  #issuers: Issuers | undefined

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error('the server has not been started yet')
    return this.#server
  }

  get issuers(): Issuers {
    if (this.#issuers === undefined) throw new Error('the issuers have not been made yet')
    return this.#issuers
  }

  async start(change: (files: Files, issuers: Issuers) => Files | Promise<Files>, options: WorldOutside): Promise<void> {
    this.#issuers = await makeIssuers()
    this.#server = await startServer(await change(await usualFiles(this.#issuers), this.#issuers), options)
  }

  /** A token of a person, as young as the server's clock has it. */
  person(claims: Claims = {}, header: Claims = {}): Promise<string> {
    return this.signedBy(this.issuers.people, claims, header)
  }

  /** A token of an agent: `sub` is `robot`. */
  agent(claims: Claims = {}, header: Claims = {}): Promise<string> {
    return this.signedBy(this.issuers.agents, { sub: 'robot', ...claims }, header)
  }

  signedBy(issuer: Issuer, claims: Claims = {}, header: Claims = {}): Promise<string> {
    const now = Math.floor(this.server.now())
    return issuer.sign({ iat: now, exp: now + 600, ...claims }, header)
  }

  /** An exchange of a person's token, unless the parameters bring another one. */
  async exchange(parameters: Parameters = {}, client?: string): Promise<Answer> {
    const token = 'subject_token' in parameters ? {} : { subject_token: await this.person() }
    const answer = await this.server.exchange({ ...token, ...parameters }, client)
    expectTokenAnswer(answer)
    return answer
  }

  /** The exchange, which has to succeed. */
  async issued(parameters: Parameters = {}, client?: string): Promise<Issued> {
    const answer = await this.exchange(parameters, client)
    expect(answer.status, answer.text).to.equal(200)
    const token = String(answer.json.access_token)
    return { token, claims: token.includes('.') ? decodeJwt(token) : {}, answer, record: this.lastRecord() }
  }

  /** The exchange, which has to be refused with this code and for this cause: what the description says, or what the record calls it. */
  async refused(parameters: Parameters, code: string, why: RegExp, client?: string): Promise<Refused> {
    const answer = await this.exchange(parameters, client)
    const { description } = expectError(answer, code)
    const record = this.lastRecord()
    expect(`${(record.refusal as Claims | undefined)?.reason}: ${description}`).to.match(why)
    return { description, answer, record }
  }

  /** An access token of this server, to be exchanged again by the same client. */
  async own(parameters: Parameters = {}, client?: string): Promise<string> {
    return (await this.issued(parameters, client)).token
  }

  /** Exchanges a token of this server. */
  ownAs(token: string, parameters: Parameters = {}): Parameters {
    return { subject_token: token, subject_token_type: types.accessToken, ...parameters }
  }

  /** With an agent's token as actor token. */
  async withActor(claims: Claims = {}): Promise<Parameters> {
    return { actor_token: await this.agent(claims), actor_token_type: types.jwt }
  }

  async introspect(token: string, client = 'gateway'): Promise<Record<string, unknown>> {
    const answer = await this.server.post('/introspect', { token }, client)
    expect(answer.status, answer.text).to.equal(200)
    return answer.json
  }

  async revoke(token: string, client = 'gateway'): Promise<void> {
    const answer = await this.server.post('/revoke', { token }, client)
    expect(answer.status, answer.text).to.equal(200)
  }

  lastRecord(): Record<string, unknown> {
    return this.server.records.at(-1) ?? {}
  }
}

/** A world for the tests of a `describe`, on the usual files or a change of them. */
export function serverFor(change: (files: Files, issuers: Issuers) => Files | Promise<Files> = files => files, options: WorldOutside = {}) {
  const world = new World()
  before(() => world.start(change, options))
  after(() => world.server.close())
  return world
}

/** A world of one test's own. */
export async function withServer(
  change: (files: Files, issuers: Issuers) => Files | Promise<Files>,
  run: (world: World) => Promise<void>,
  options: WorldOutside = {},
): Promise<void> {
  const world = new World()
  await world.start(change, options)
  let failed = true
  try {
    await run(world)
    failed = false
  } finally {
    // What is wrong with the records is the lesser news of a test that failed anyway.
    await world.server.close().catch(error => {
      if (!failed) throw error
    })
  }
}

/** What holds of every answer of the token endpoint, whatever was asked. */
export function expectTokenAnswer({ status, headers, json, text }: Answer): void {
  expect(headers.get('content-type'), text).to.equal('application/json')
  expect(headers.get('cache-control')).to.equal('no-store')
  expect(headers.get('pragma')).to.equal('no-cache')
  if (status === 200) expect(json).to.include.keys('access_token', 'issued_token_type', 'token_type', 'expires_in')
  else expect(json).to.have.all.keys('error', 'error_description')
}

/** Fails unless the answer is this error, with the status that belongs to it and nothing but permitted characters. */
export function expectError(answer: Answer, code: string): { description: string } {
  expect(answer.json.error, answer.text).to.equal(code)
  expect(answer.status).to.equal(statusOf[code] ?? 400)
  expect(answer.json.error_description).to.be.a('string').and.to.match(descriptionCharacters)
  expect(answer.headers.get('cache-control')).to.equal('no-store')
  return { description: String(answer.json.error_description) }
}

const statusOf: Record<string, number> = { invalid_client: 401, temporarily_unavailable: 503, server_error: 500 }

/** The protected header of a JWT. */
export function headerOf(token: string): Claims {
  return { ...decodeProtectedHeader(token) }
}

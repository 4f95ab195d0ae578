import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { buildConfiguration, type Parsed } from '../../src/config/load.ts'
import { everything } from '../../src/explain/disclosure.ts'
import { explain } from '../../src/explain/explain.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { HarmlessStore } from '../../src/explain/harmless-store.ts'
import { presentedCredentials } from '../../src/http/client-credentials.ts'
import { parseForm } from '../../src/http/form.ts'
import { Kept, type KeptDraft } from '../../src/kept.ts'
import type { Outside } from '../../src/outside.ts'
import type { Server } from '../../src/server.ts'
import type { Answer } from './running-server.ts'

/** Refusals that no setting would change: what was sent has to. */
const causedByTheRequest = [
  ...['malformed-request', 'several-client-authentications', 'unknown-grant', 'target-unknown', 'scope-not-available'],
  ...['dpop-proof-refused', 'authorization-details-not-supported', 'descent-too-long', 'delegation-refused', 'too-many-attempts'],
]

/** Explains each request of a test before it is sent, and holds the explanation against the answer. */
export class Foresight {
  readonly #server: Server
  readonly #store: HarmlessStore
  readonly #kept: KeptDraft
  /** How many requests have begun; whoever sees another number afterwards was not alone. */
  #begun = 0
  #underWay = 0

  private constructor(server: Server, store: HarmlessStore, kept: KeptDraft) {
    this.#kept = kept
    this.#server = server
    this.#store = store
  }

  /** A second server of the same configuration, over the store of the first. */
  static async of(parsed: Parsed, outside: Outside): Promise<Foresight> {
    const store = new HarmlessStore(outside.store)
    const kept = new Kept().draft()
    const { server } = await buildConfiguration(parsed, { ...outside, effects: undefined, store, log: pino({ level: 'silent' }) }, kept)
    return new Foresight(server, store, kept)
  }

  /** Lets go of what it has opened beside the server. */
  close(): Promise<void> {
    return this.#kept.discard()
  }

  /** Makes the request, and holds its answer against what was foretold: as far as it came to a form, and no other was made meanwhile. */
  async watch(body: string, headers: Record<string, string>, request: () => Promise<Answer>): Promise<Answer> {
    const number = ++this.#begun
    const isAlone = this.#underWay++ === 0
    try {
      const foretold = isAlone && isForm(body, headers) ? await this.#explain(body, headers) : undefined
      const answer = await request()
      if (foretold !== undefined && number === this.#begun) expectForetold(foretold, answer)
      return answer
    } finally {
      this.#underWay--
    }
  }

  #explain(body: string, headers: Record<string, string>): Promise<Explanation> {
    const read = () => {
      const form = parseForm(body)
      const evidence = { dpopProofs: headers.dpop === undefined ? [] : [headers.dpop], certificate: undefined }
      return { form, credentials: presentedCredentials(headers.authorization, form), clientIp: '127.0.0.1', evidence }
    }
    return this.#store.during(() => explain(this.#server, read, everything))
  }
}

// Others are refused before anything is read, by the endpoint alone.
function isForm(body: string, headers: Record<string, string>): boolean {
  return headers['content-type'] === 'application/x-www-form-urlencoded' && body.length < 250_000
}

/** The explanation and the answer say the same, and a refusal says what to change. */
function expectForetold({ outcome, token, refusal }: Explanation, { status, json }: Answer): void {
  if (token === undefined) {
    const { error_description: description, ...others } = json
    expect({ status: refusal?.status, error: refusal?.error }).to.deep.equal({ status, ...others })
    expect(withoutReference(refusal?.description)).to.equal(withoutReference(description))
    if (outcome === 'refused' && refusal?.setting === undefined) expect(causedByTheRequest).to.include(refusal?.reason)
    return
  }
  const { access_token: text, issued_token_type: issuedTokenType, token_type: tokenType, scope } = json
  expect(status).to.equal(200)
  expect({ issuedTokenType: token.issuedTokenType, tokenType: token.tokenType, scope: token.scope }).to.deep.equal({
    issuedTokenType,
    tokenType,
    scope,
  })
  expect(token.expiresIn).to.be.closeTo(Number(json.expires_in), 2)
  if (token.claims !== undefined && String(text).split('.').length === 3)
    expect(lasting(token.claims)).to.deep.equal(lasting(decodeJwt(String(text))))
}

// An internal error has a new one every time.
function withoutReference(description: unknown): string {
  return String(description).replace(/[0-9a-f-]{36}$/, '…')
}

// What every token has of its own, or depends on the second.
function lasting({ jti, iat, exp, ...claims }: Record<string, unknown>): Record<string, unknown> {
  return claims
}

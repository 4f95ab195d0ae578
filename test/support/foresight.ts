import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import type { ClientCertificate } from '../../src/certificates/client-certificate.ts'
import { readChain } from '../../src/certificates/pem.ts'
import { buildConfiguration, type Parsed } from '../../src/config/load.ts'
import { everything } from '../../src/explain/disclosure.ts'
import { explain, explainMessage } from '../../src/explain/explain.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { HarmlessStore } from '../../src/explain/harmless-store.ts'
import { presentedCertificate } from '../../src/explain/presented-certificate.ts'
import { presentedCredentials } from '../../src/http/client-credentials.ts'
import { parseForm } from '../../src/http/form.ts'
import { Kept, type KeptDraft } from '../../src/kept.ts'
import type { Outside } from '../../src/outside.ts'
import type { Server } from '../../src/server.ts'
import type { TrustMessage } from '../../src/sts/answer-request.ts'
import { readEnvelope } from '../../src/sts/envelope.ts'
import type { SoapVersion } from '../../src/sts/names.ts'
import type { Certified } from './certificate-authority.ts'
import type { Answer } from './running-server.ts'

/** What is sent to an endpoint, and with which certificate. */
export interface Sent {
  readonly path: string
  readonly body: string
  readonly headers: Record<string, string>
  readonly as?: Certified | undefined
}

/** Refusals that no setting would change: what was sent has to. */
const causedByTheRequest = [
  ...['malformed-request', 'several-client-authentications', 'unknown-grant', 'target-unknown', 'scope-not-available'],
  ...['security-token-unsupported', 'operation-not-available', 'type-not-available', 'time-range-refused', 'request-not-understood'],
  ...['header-not-understood', 'reply-address-refused', 'message-expired', 'security-header-refused', 'soap-version-mismatch'],
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
  watch(sent: Sent, request: () => Promise<Answer>): Promise<Answer> {
    return this.#compare(isForm(sent) ? () => this.#explain(sent) : undefined, request, expectForetold)
  }

  /** The same of a message to the security token service. */
  watchMessage(sent: Sent, request: () => Promise<Answer>): Promise<Answer> {
    const soap = soapVersionOf(sent)
    const read = () => messageOf(sent, soap ?? '1.1', this.#certificateOf(sent))
    const tell = () => this.#store.during(() => explainMessage(this.#server, read, everything))
    return this.#compare(soap === undefined ? undefined : tell, request, expectForetoldMessage)
  }

  async #compare(
    tell: (() => Promise<Explanation>) | undefined,
    request: () => Promise<Answer>,
    expectAlike: (foretold: Explanation, answer: Answer, seconds: number) => void,
  ): Promise<Answer> {
    const number = ++this.#begun
    const isAlone = this.#underWay++ === 0
    const began = performance.now()
    try {
      const foretold = isAlone ? await tell?.() : undefined
      const answer = await request()
      if (foretold !== undefined && number === this.#begun) expectAlike(foretold, answer, (performance.now() - began) / 1000)
      return answer
    } finally {
      this.#underWay--
    }
  }

  #explain(sent: Sent): Promise<Explanation> {
    const { body, headers } = sent
    const read = () => {
      const form = parseForm(body)
      const certificate = this.#certificateOf(sent)
      const evidence = { dpopProofs: headers.dpop === undefined ? [] : [headers.dpop], certificate: certificate?.leaf }
      return { form, credentials: presentedCredentials(headers.authorization, form, certificate), clientIp: '127.0.0.1', evidence }
    }
    return this.#store.during(() => explain(this.#server, read, everything))
  }

  #certificateOf({ as }: Sent): ClientCertificate | undefined {
    return presentedCertificate(readChain(as?.certificate ?? ''), this.#server.callers)
  }
}

// Others are refused before anything is read, by the endpoint alone.
function isForm({ body, headers }: Sent): boolean {
  return headers['content-type'] === 'application/x-www-form-urlencoded' && body.length < 250_000
}

// As for a form: what is refused before it is read is the endpoint's alone.
function soapVersionOf({ body, headers }: Sent): SoapVersion | undefined {
  const type = headers['content-type'] ?? ''
  if (body.length > 250_000 || !/^[^;]+(; ?charset=utf-8)?(; ?action="[^"]*")?$/i.test(type)) return undefined
  return type.startsWith('text/xml') ? '1.1' : type.startsWith('application/soap+xml') ? '1.2' : undefined
}

function messageOf({ path, body, headers }: Sent, soap: SoapVersion, certificate: ClientCertificate | undefined): TrustMessage {
  const [, , connection, virtualServer] = path.split('?')[0]?.split('/') ?? []
  const action = soap === '1.1' ? headers.soapaction : /action="([^"]*)"/.exec(headers['content-type'] ?? '')?.[1]
  return {
    envelope: readEnvelope(body, soap),
    destination: { connection, virtualServerId: virtualServer && Buffer.from(virtualServer, 'base64url').toString() },
    authorization: headers.authorization,
    httpAction: action?.replace(/^"(.*)"$/, '$1'),
    certificate,
    clientIp: '127.0.0.1',
  }
}

function expectForetoldMessage({ outcome, token, refusal }: Explanation, { status, text }: Answer): void {
  if (refusal === undefined) {
    expect(status, text).to.equal(200)
    return void expect(text).to.include(
      outcome === 'validated' ? 'status/valid<' : token?.tokenType === 'N_A' ? 'RequestedSecurityToken' : '',
    )
  }
  if (status === 200) return void expect(text).to.include('status/invalid<')
  expect(status, text).to.equal(refusal.status)
  expect(text).to.include(refusal.description.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'))
  if (outcome === 'refused') expect(text).to.include(refusal.error.split(':')[1])
  if (outcome === 'refused' && refusal.setting === undefined) expect(causedByTheRequest).to.include(refusal.reason)
}

/** The explanation and the answer, which is so many seconds younger at most, say the same; and a refusal says what to change. */
function expectForetold({ outcome, token, refusal }: Explanation, { status, json }: Answer, seconds: number): void {
  if (token === undefined) {
    const { error_description: description, ...others } = json
    expect({ status: refusal?.status, error: refusal?.error }).to.deep.equal({ status, ...others })
    expect(withoutReference(refusal?.description)).to.equal(withoutReference(description))
    if (outcome === 'refused' && refusal?.setting === undefined) expect(causedByTheRequest).to.include(refusal?.reason)
    if (outcome === 'failed') expect(refusal?.cause).to.match(/^(the plug-in |a fault of this server: )/)
    return
  }
  const { access_token: text, issued_token_type: issuedTokenType, token_type: tokenType, scope } = json
  expect(status).to.equal(200)
  expect({ issuedTokenType: token.issuedTokenType, tokenType: token.tokenType, scope: token.scope }).to.deep.equal({
    issuedTokenType,
    tokenType,
    scope,
  })
  expect(token.expiresIn).to.be.closeTo(Number(json.expires_in), 1 + seconds)
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

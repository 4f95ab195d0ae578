import { hash } from 'node:crypto'
import { type CompactJws, CompactJwsReader, decodeJsonObject, type JoseHeader } from '../keys/compact-jws.ts'
import { OAuthError, TokenRejected } from '../oauth/errors.ts'
import type { Instant, Outside } from '../outside.ts'
import type { DpopSettings } from './dpop-settings.ts'
import { Nonces } from './nonces.ts'
import { type ProofClaims, type ProvedRequest, readProofClaims, requireInForce } from './proof-claims.ts'
import { type ProofKey, proofKeyOf } from './proof-key.ts'
import { proofRefused, settingOfDpop } from './refused.ts'
import { comparableUri } from './target-uri.ts'

/** The longest proof that is looked at: RSA with 8,192 bits, twice over. */
const longestProof = 8_192

/** Checks the DPoP proofs of the token endpoint (RFC 9449 §4.3), which may have another address for mutual TLS (RFC 8705 §5). */
export class DpopProofs {
  readonly #settings: DpopSettings
  readonly #algorithms: ReadonlySet<string>
  readonly #request: ProvedRequest
  readonly #outside: Pick<Outside, 'store'>
  readonly #nonces: Nonces | undefined
  readonly #reader = new CompactJwsReader()
  /** A client repeats its header in every proof, and the reader remembers headers. */
  readonly #keys = new WeakMap<JoseHeader, ProofKey>()

  constructor(settings: DpopSettings, addresses: readonly string[], outside: Pick<Outside, 'store' | 'random'>) {
    this.#settings = settings
    this.#algorithms = new Set(settings.algorithms)
    // The addresses that clients know: behind a proxy, the one that was called is another.
    this.#request = { method: 'POST', uris: new Set(addresses.map(comparableUri)) }
    this.#outside = outside
    this.#nonces = settings.nonce === 'required' ? new Nonces(settings.maxAge, outside) : undefined
  }

  /** The thumbprint of the key whose private half signed the proof; `values` are those of every `DPoP` header. Uses the proof up. */
  async check(values: readonly string[], now: Instant): Promise<string> {
    const jws = this.#open(values)
    const key = this.#keyOf(jws.header)
    const claims = decodeJsonObject(jws.encodedPayload)
    if (claims === undefined) throw proofRefused('its claims are not a JSON object, or name a claim twice')
    if (!key.verify(jws.signingInput, jws.signature)) throw proofRefused('its signature is not valid')
    const read = readProofClaims(claims, this.#request)
    requireInForce(claims, now, this.#settings.clockSkew)
    await this.#useUp(key, read, await this.#goodFor(read, now))
    return key.jkt
  }

  /** What the next proof has to bring; undefined where nothing is needed. */
  async nextNonce(now: Instant): Promise<string | undefined> {
    return await this.#nonces?.current(now)
  }

  #open(values: readonly string[]): CompactJws {
    const [proof = '', ...others] = values
    // Some read the first and some the last; Node joins them by a comma.
    if (others.length > 0 || proof.includes(',')) throw proofRefused('there are several')
    if (proof.length > longestProof) throw proofRefused(`it is longer than ${longestProof} characters`)
    try {
      return this.#reader.read(proof)
    } catch (error) {
      throw error instanceof TokenRejected ? proofRefused(error.message.replaceAll('the token', 'the proof')) : error
    }
  }

  #keyOf(header: JoseHeader): ProofKey {
    const known = this.#keys.get(header)
    if (known !== undefined) return known
    const key = proofKeyOf(header, this.#algorithms)
    this.#keys.set(header, key)
    return key
  }

  /** Seconds for which the proof would go on being taken. Where a nonce tells when it was made, the client's clock does not matter (§4.3 item 11). */
  async #goodFor({ issuedAt, nonce }: ProofClaims, now: Instant): Promise<number> {
    if (this.#nonces !== undefined) return await this.#requireNonce(this.#nonces, nonce, now)
    const { maxAge, clockSkew } = this.#settings
    if (issuedAt > now + clockSkew) throw proofRefused('it was made in the future (iat)', 'clockSkew')
    if (issuedAt < now - maxAge - clockSkew) throw proofRefused('it is too old (iat)', 'maxAge')
    // The clock of another machine may be behind ours, so that the proof is in time there when it no longer is here.
    return issuedAt + maxAge + 2 * clockSkew - now
  }

  async #requireNonce(nonces: Nonces, nonce: string | undefined, now: Instant): Promise<number> {
    if (nonce !== undefined && (await nonces.isGood(nonce, now))) return nonces.longestUse
    const why = nonce === undefined ? 'a DPoP proof needs a nonce here' : 'the nonce of the DPoP proof is not good any more'
    throw new OAuthError('dpop-nonce-needed', why, { setting: settingOfDpop('nonce'), nonce: await nonces.current(now) })
  }

  /** §11.1: one proof, one use, over all processes. After the signature, so that nobody can use up the proofs of others. */
  async #useUp({ jkt }: ProofKey, { id }: ProofClaims, seconds: number): Promise<void> {
    const key = `dpop:${hash('sha256', `${jkt}\0${id}`, 'base64url')}`
    if (!(await this.#outside.store.putIfAbsent(key, '', Math.max(1, Math.ceil(seconds))))) throw proofRefused('it was used before (jti)')
  }
}

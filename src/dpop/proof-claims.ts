import type { JsonObject, JsonValue } from '../json.ts'
import type { Instant } from '../outside.ts'
import { proofRefused } from './refused.ts'
import { comparableUri } from './target-uri.ts'

/** What the request is that a proof has to be for. */
export interface ProvedRequest {
  readonly method: string
  /** The addresses by which clients know it, in the form of `comparableUri`. */
  readonly uris: ReadonlySet<string | undefined>
}

/** What a proof says, checked but for its time. */
export interface ProofClaims {
  readonly id: string
  readonly issuedAt: Instant
  readonly nonce: string | undefined
}

/** Reads the claims of a proof (RFC 9449 §4.2, §4.3 items 3, 8 and 9). */
export function readProofClaims(claims: JsonObject, request: ProvedRequest): ProofClaims {
  const { jti, htm, htu, iat, nonce } = claims
  if (!isText(jti)) throw proofRefused('it has no jti')
  if (htm !== request.method) throw proofRefused('it is for another method (htm)')
  const address = isText(htu) ? comparableUri(htu) : undefined
  if (address === undefined || !request.uris.has(address))
    throw proofRefused('it is for another address (htu); needed is that of this endpoint as the metadata has it')
  if (!isInstant(iat)) throw proofRefused('it does not say when it was made (iat)')
  if (nonce !== undefined && !isText(nonce)) throw proofRefused('its nonce is not a string')
  return { id: jti, issuedAt: iat, nonce }
}

/** A proof may say when it ends, as any JWT (RFC 7519 §4.1.4, §4.1.5); most do not. */
export function requireInForce({ exp, nbf }: JsonObject, now: Instant, clockSkew: number): void {
  if (exp !== undefined && !(isInstant(exp) && now < exp + clockSkew)) throw proofRefused('it has expired')
  if (nbf !== undefined && !(isInstant(nbf) && now >= nbf - clockSkew)) throw proofRefused('it is not valid yet')
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== ''
}

// JSON.parse makes Infinity of 1e999.
function isInstant(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

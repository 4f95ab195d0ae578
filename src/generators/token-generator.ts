import type { Grant, IssuedToken } from '../exchange/grant.ts'
import type { Contract } from '../policies/processor-policy.ts'

/** The part of what has been decided that a generator writes into its token. */
export type GeneratorGrant = Pick<
  Grant,
  'attributes' | 'client' | 'delegation' | 'expiresBy' | 'authentication' | 'proxyRestriction' | 'now'
>

/** Makes one kind of outbound token. One instance is one file in `policies/token-generators`. */
export interface TokenGenerator {
  readonly id: string
  readonly type: string
  /** The token type that it makes (RFC 8693 §3). */
  readonly tokenType: string
  readonly contract: Contract
  /** Seconds a token lives at most. */
  readonly lifetime: number
  /** Whether the subject token's expiry does not cap it. */
  readonly outlivesSubject: boolean
  /** Whether it writes the actors of a delegation by itself; otherwise the mapping has to read `act`, or a delegation is refused. */
  readonly expressesActor: boolean
  generate(grant: GeneratorGrant): Promise<IssuedToken>
}

import type { Instant } from '../outside.ts'
import type { Server } from '../server.ts'
import type { Possession, PossessionEvidence } from './possession.ts'

/**
 * Step 4: which keys does the request prove to hold (RFC 9449 §4.3, RFC 8705 §3)? A proof is used up here. Only an authenticated client is
 * heard, so that nobody else can fill the store.
 */
export async function provePossession(
  { dpop }: Pick<Server, 'dpop'>,
  { dpopProofs, certificate }: PossessionEvidence,
  now: Instant,
): Promise<Possession> {
  return {
    ...(dpopProofs.length > 0 && { jkt: await dpop.check(dpopProofs, now) }),
    ...(certificate !== undefined && { certificate }),
  }
}

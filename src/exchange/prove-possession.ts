import { OAuthError } from '../oauth/errors.ts'
import type { Possession, PossessionEvidence } from './possession.ts'

/** Step 4: which keys does the request prove to hold? Only an authenticated client is heard, so that nobody else can fill the store. */
export async function provePossession({ dpopProofs, certificate }: PossessionEvidence): Promise<Possession> {
  if (dpopProofs.length > 0) throw new OAuthError('dpop-not-supported', 'this server does not bind tokens to a DPoP key')
  return { ...(certificate !== undefined && { certificate }) }
}

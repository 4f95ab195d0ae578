import { OAuthError } from '../oauth/errors.ts'
import type { Grant, IssuedToken } from './grant.ts'

/** Step 12: the target makes the token, from what has been decided and nothing else. */
export async function generateToken(grant: Grant): Promise<IssuedToken> {
  const { maker, fulfilment } = grant.target.mapping
  try {
    return await maker.generate(grant)
  } catch (error) {
    if (!(error instanceof OAuthError) || error.setting !== undefined) throw error
    // What a kind of token cannot express is decided where its attributes are mapped.
    throw new OAuthError(error.reason, error.message, { cause: error.cause, setting: fulfilment.setting })
  }
}

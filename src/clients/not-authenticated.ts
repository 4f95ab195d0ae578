import { OAuthError } from '../oauth/errors.ts'

/**
 * The one refusal of everybody who did not prove who they are (RFC 6749 §5.2 `invalid_client`). All causes read alike, so that nobody
 * learns which clients there are or what was nearly right; `because` is for the log and repeats nothing that was presented.
 */
export function notAuthenticated(because: string): OAuthError {
  return new OAuthError('client-not-authenticated', 'the client could not be authenticated', { cause: because })
}

import { OAuthError } from '../oauth/errors.ts'

/** The refusal of a proof (RFC 9449 §5); `member` is the one of `dpop` in `server.json` that decided so, where one did. */
export function proofRefused(why: string, member?: string, cause?: unknown): OAuthError {
  const setting = member === undefined ? undefined : settingOfDpop(member)
  return new OAuthError('dpop-proof-refused', `the DPoP proof is refused: ${why}`, { setting, cause })
}

/** How refusals and explanations name a member of `dpop` in `server.json`. */
export function settingOfDpop(member: string): string {
  return `server.json dpop.${member}`
}

import type { Form } from '../http/form.ts'
import { OAuthError } from '../oauth/errors.ts'

/** The parameters of a token exchange (RFC 8693 §2.1), complete in themselves but not yet judged. */
export interface ExchangeRequest {
  readonly subjectToken: string
  readonly subjectTokenType: string
  /** Whether there is a password in the subject token: its digest could be guessed, and is not recorded. */
  readonly guessable?: true
  readonly actor: { readonly token: string; readonly tokenType: string } | undefined
  readonly requestedTokenType: string | undefined
  readonly resources: readonly string[]
  readonly audiences: readonly string[]
  /** Undefined when none was requested. */
  readonly scope: readonly string[] | undefined
}

/** Reads the parameters of the exchange. What is half or malformed is refused, and so is what would have to be ignored although it changes what is issued. */
export function readRequest(form: Form): ExchangeRequest {
  if (form.get('authorization_details') !== undefined) {
    throw new OAuthError('authorization-details-not-supported', 'this server has no types of authorization_details')
  }
  return {
    subjectToken: required(form, 'subject_token'),
    subjectTokenType: required(form, 'subject_token_type'),
    actor: readActor(form),
    requestedTokenType: form.get('requested_token_type'),
    resources: form.all('resource'),
    audiences: form.all('audience'),
    scope: readScope(form.get('scope')),
  }
}

const understood = new Set([
  ...['grant_type', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type', 'resource', 'audience', 'scope'],
])

/** Names of parameters that no standard gives a meaning here: ignored (RFC 6749 §3.2) and recorded. */
export function ignoredParameters(form: Form): string[] {
  return form.names(understood)
}

function required(form: Form, name: string): string {
  const value = form.get(name)
  if (value === undefined) throw new OAuthError('malformed-request', `${name} is missing`)
  return value
}

// RFC 8693 §2.1: actor_token_type is required with actor_token, and must not be there without it.
function readActor(form: Form): ExchangeRequest['actor'] {
  const token = form.get('actor_token')
  const tokenType = form.get('actor_token_type')
  if (token === undefined && tokenType === undefined) return undefined
  if (token === undefined) throw new OAuthError('malformed-request', 'actor_token_type is given without actor_token')
  if (tokenType === undefined) throw new OAuthError('malformed-request', 'actor_token is given without actor_token_type')
  return { token, tokenType }
}

function readScope(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined
  const tokens = text.split(' ').filter(token => token !== '')
  if (!tokens.every(token => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(token))) {
    throw new OAuthError('scope-not-available', 'scope has characters that no scope can have (RFC 6749 section 3.3)')
  }
  return tokens.length === 0 ? undefined : [...new Set(tokens)]
}

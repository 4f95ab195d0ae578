import { isUtf8 } from 'node:buffer'
import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { PresentedCredentials, SecretCandidate } from '../clients/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import { jwtBearerAssertion } from '../oauth/token-types.ts'
import { decodeFormText, type Form } from './form.ts'

/** Finds out how the client says who it is: exactly one method, or none that we know (RFC 6749 §2.3, RFC 7521 §4.2). */
export function presentedCredentials(authorization: string | undefined, form: Form, certificate?: ClientCertificate): PresentedCredentials {
  const header = authorization?.trim() || undefined
  const secret = form.get('client_secret')
  const assertion = form.get('client_assertion') ?? form.get('client_assertion_type')
  if ([header, secret, assertion].filter(method => method !== undefined).length > 1) throw severalMethods()
  if (header !== undefined) return fromHeader(header, form.get('client_id'))
  if (secret !== undefined) return fromBody(form.get('client_id'), secret)
  if (assertion !== undefined) return fromAssertion(form)
  if (certificate === undefined) return nothing('no credentials were presented')
  const clientId = form.get('client_id')
  // RFC 8705 §2: a certificate may be there for another reason, and does not say which client it is meant to prove.
  return clientId === undefined ? nothing('a client certificate without client_id') : { method: 'certificate', clientId, certificate }
}

/** The client that the credentials speak of, unproved: for the record of an attempt that failed. */
export function claimedClientId(presented: PresentedCredentials): string | undefined {
  if (presented.method === 'none') return undefined
  return 'clientId' in presented ? presented.clientId : presented.candidates[0]?.clientId
}

/** What the `Authorization` header alone says, where there is no form beside it. */
export function credentialsInHeader(authorization: string): PresentedCredentials {
  return fromHeader(authorization.trim(), undefined)
}

function fromHeader(header: string, clientId: string | undefined): PresentedCredentials {
  const space = header.indexOf(' ')
  const scheme = space < 0 ? header : header.slice(0, space)
  if (scheme.toLowerCase() !== 'basic') return nothing('the Authorization header has a scheme that no client uses here')
  const candidates = space < 0 ? [] : readingsOfBasic(header.slice(space + 1).trim())
  if (candidates.length === 0) return nothing('the Basic credentials are malformed')
  if (clientId === undefined) return { method: 'client_secret_basic', candidates }
  // A client_id beside Basic may only repeat it; where the pair can be read in two ways it says which one is meant.
  const meant = candidates.filter(candidate => candidate.clientId === clientId)
  if (meant.length === 0)
    throw new OAuthError('several-client-authentications', 'client_id and the Authorization header name different clients')
  return { method: 'client_secret_basic', candidates: meant }
}

function fromBody(clientId: string | undefined, secret: string): PresentedCredentials {
  if (clientId === undefined) return nothing('client_secret without client_id')
  return { method: 'client_secret_post', candidates: [{ clientId, secret }] }
}

function fromAssertion(form: Form): PresentedCredentials {
  const assertion = form.get('client_assertion')
  // RFC 7522's saml2-bearer was one more way to be impersonated, and is gone with rfc7523bis.
  if (form.get('client_assertion_type') !== jwtBearerAssertion) return nothing('client_assertion_type is not jwt-bearer')
  if (assertion === undefined) return nothing('client_assertion_type without client_assertion')
  return { method: 'private_key_jwt', clientId: form.get('client_id'), assertion }
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/

/** The pair as RFC 6749 §2.3.1 wants it, form-decoded, and as curl and many libraries send it, raw. Empty when it is no pair. */
function readingsOfBasic(credentials: string): SecretCandidate[] {
  if (!base64.test(credentials)) return []
  const bytes = Buffer.from(credentials, 'base64')
  // Authlib sends latin-1.
  const pair = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
  const colon = pair.indexOf(':')
  if (colon < 1) return []
  const raw = { clientId: pair.slice(0, colon), secret: pair.slice(colon + 1) }
  const clientId = decodeFormText(raw.clientId)
  const secret = decodeFormText(raw.secret)
  if (clientId === undefined || secret === undefined) return [raw]
  return clientId === raw.clientId && secret === raw.secret ? [raw] : [{ clientId, secret }, raw]
}

function nothing(because: string): PresentedCredentials {
  return { method: 'none', because }
}

function severalMethods(): OAuthError {
  return new OAuthError('several-client-authentications', 'the client must authenticate in exactly one way')
}

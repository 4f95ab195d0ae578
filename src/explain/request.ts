import type { PresentedChain } from '../certificates/trust-anchors.ts'
import type { PresentedCredentials } from '../clients/client.ts'
import type { TokenRequest } from '../exchange/exchange.ts'
import type { Callers } from '../http/caller.ts'
import { presentedCredentials } from '../http/client-credentials.ts'
import { parseForm } from '../http/form.ts'
import { tokenExchangeGrant, tokenTypes } from '../oauth/token-types.ts'
import { presentedCertificate } from './presented-certificate.ts'

/** A request as somebody describes it, to be explained. */
export interface DescribedRequest {
  /** A body as it would be sent (`application/x-www-form-urlencoded`). */
  readonly form: string
  /** Parameters that replace those of the form. */
  readonly parameters: Readonly<Record<string, readonly string[]>>
  /** The client, taken at its word; undefined: the form has its credentials, which are then checked. */
  readonly client: string | undefined
  readonly clientIp: string
  /** The value of the `DPoP` header; absent: there is none. It is checked, and not used up. */
  readonly dpop?: string | undefined
  /** The certificate of the connection, whose key counts as proved; absent: there is none. */
  readonly certificate?: PresentedChain | undefined
}

const shortNames: Readonly<Record<string, string>> = {
  access_token: tokenTypes.accessToken,
  jwt: tokenTypes.jwt,
  saml1: tokenTypes.saml1,
  saml2: tokenTypes.saml2,
}

/** The token type, also by the last part of its name alone. */
export function tokenTypeNamed(name: string): string {
  return Object.hasOwn(shortNames, name) ? (shortNames[name] as string) : name
}

/** The request as the token endpoint would have read it. Throws what that would refuse it with. */
export function readDescribed(described: DescribedRequest, callers: Callers): TokenRequest {
  const { form, parameters, client, clientIp, dpop } = described
  const sent = new URLSearchParams(form)
  for (const [name, values] of Object.entries(parameters)) {
    sent.delete(name)
    for (const value of values) sent.append(name, value)
  }
  // Only a form can leave it out: whoever explains by parameters means an exchange.
  if (form === '' && !sent.has('grant_type')) sent.append('grant_type', tokenExchangeGrant)
  const read = parseForm(Object.keys(parameters).length === 0 && form !== '' ? form : sent.toString())
  const certificate = presentedCertificate(described.certificate, callers)
  const credentials: PresentedCredentials =
    client === undefined ? presentedCredentials(undefined, read, certificate) : { method: 'none', because: 'taken at its word' }
  const evidence = { dpopProofs: dpop === undefined ? [] : [dpop], certificate: certificate?.leaf }
  return { form: read, credentials, clientIp, evidence }
}

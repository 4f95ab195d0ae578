import { hash } from 'node:crypto'
import { notAuthenticated } from '../clients/not-authenticated.ts'
import type { AuthenticatedClient } from '../exchange/grant.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { XmlElement } from '../saml/xml-element.ts'
import type { Store } from '../stores/store.ts'
import { malformed, onlyChild, plainText } from './envelope.ts'
import { instantIn } from './instant.ts'
import { security } from './names.ts'
import { messageLife, messageSkew, requireYoung } from './security-header.ts'

/** A name with its password, and what makes the pair good only once. */
export interface UserName {
  readonly name: string
  readonly password: string
  readonly nonce: string | undefined
  readonly created: Instant | undefined
}

/** Reads a UsernameToken (WSS Username Token Profile §3.1). A digest would need the password itself to be kept here (WT-16). */
export function readUserName(element: XmlElement): UserName {
  const child = (name: string) => onlyChild(element, [security.wsse], name)
  const [name, password, nonce] = [child('Username'), child('Password'), child('Nonce')]
  const created = onlyChild(element, [security.wsu], 'Created')
  if (name === undefined || password === undefined) throw malformed('the UsernameToken has no user name or no password')
  if ((password.attributes.get('Type') ?? security.passwordText) !== security.passwordText)
    throw new OAuthError('security-token-unsupported', 'the password of a UsernameToken is taken as PasswordText only')
  if (nonce !== undefined && created === undefined) throw malformed('the UsernameToken has a Nonce and does not say when it was made')
  return {
    name: plainText(name),
    // Not trimmed: white space may belong to it.
    password: password.children.length === 0 ? password.text : '',
    nonce: nonce && plainText(nonce),
    created: created && instantIn(created),
  }
}

/**
 * A UsernameToken with a nonce is good once, and one that says when it was made for some minutes (WSS Username Token Profile §3.1). After
 * the password was found to be right: otherwise outsiders would fill the store.
 */
export async function requireFreshUserName(
  store: Store,
  client: AuthenticatedClient,
  { nonce, created }: UserName,
  now: Instant,
): Promise<void> {
  if (created !== undefined) requireYoung(created, now)
  if (nonce === undefined) return
  const key = `nonce:${hash('sha256', JSON.stringify([client.id, nonce, created]), 'base64url')}`
  if (!(await store.putIfAbsent(key, '', messageLife + 2 * messageSkew))) throw notAuthenticated('the nonce was used before')
}

import { parseOutsidersObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { TokenForm } from '../processors/processor.ts'
import { decodeBase64Binary } from '../saml/base64.ts'
import { namespaces } from '../saml/names.ts'
import type { XmlDocument } from '../saml/read.ts'
import { childrenOf, isElement, type XmlElement } from '../saml/xml-element.ts'
import { malformed, plainText } from './envelope.ts'
import { foreignAccessToken, samlTokens, security } from './names.ts'
import { isAssertion } from './security-header.ts'
import { readUserName } from './user-name.ts'

/** A token of a message, as its processor takes it. */
export interface InboundToken {
  readonly form: TokenForm
  readonly type: string
  readonly text: string
  /** Who it says has issued it, unproved: good for choosing whose keys are asked, and for nothing else (SC-23). */
  readonly claimedIssuer: string | undefined
}

/** Takes a token out of its message. What it stood in has no influence any more on what it says. */
export function takeOut(element: XmlElement, document: XmlDocument): InboundToken {
  if (isAssertion(element)) return assertion(element, document)
  if (isElement(element, security.wsse, 'BinarySecurityToken')) return binary(element)
  if (isElement(element, security.wsse, 'UsernameToken')) return userName(element)
  throw unsupported('a token is of no kind that is taken here')
}

function assertion(element: XmlElement, document: XmlDocument): InboundToken {
  const is11 = element.namespace === namespaces.saml11
  return {
    form: 'assertion',
    type: is11 ? tokenTypes.saml1 : tokenTypes.saml2,
    text: Buffer.from(document.cutOut(element), 'utf8').toString('base64url'),
    claimedIssuer: is11 ? element.attributes.get('Issuer') : childrenOf(element, namespaces.saml2, 'Issuer')[0]?.text,
  }
}

const textTypes: Readonly<Record<string, string>> = {
  [tokenTypes.jwt]: tokenTypes.jwt,
  [tokenTypes.accessToken]: tokenTypes.accessToken,
  [foreignAccessToken]: tokenTypes.accessToken,
}

/** WS-Security §6.3: text in base64, of a type that its `ValueType` declares. */
function binary(element: XmlElement): InboundToken {
  const valueType = element.attributes.get('ValueType') ?? ''
  const type = Object.hasOwn(textTypes, valueType) ? textTypes[valueType] : undefined
  if (type === undefined) throw unsupported('the ValueType of a BinarySecurityToken is unknown here')
  if ((element.attributes.get('EncodingType') ?? security.base64) !== security.base64)
    throw unsupported('a BinarySecurityToken is taken in Base64Binary only')
  const bytes = decodeBase64Binary(plainText(element))
  if (bytes === undefined) throw malformed('a BinarySecurityToken is not base64')
  const text = bytes.toString('utf8')
  return { form: 'text', type, text, claimedIssuer: issuerOfJwt(text) }
}

function issuerOfJwt(text: string): string | undefined {
  const [, payload = ''] = text.split('.')
  const issuer = parseOutsidersObject(Buffer.from(payload, 'base64url').toString('utf8'))?.iss
  return typeof issuer === 'string' ? issuer : undefined
}

function userName(element: XmlElement): InboundToken {
  const { name, password } = readUserName(element)
  return { form: 'username', type: 'username', text: JSON.stringify({ name, password }), claimedIssuer: undefined }
}

/** By which of our token types a client asks for a token with this `TokenType`; another one is compared as it is. */
export function tokenTypeOf(wanted: string): string {
  const { saml2, saml11 } = samlTokens
  if (wanted === saml2.type || wanted === saml2.also) return tokenTypes.saml2
  return wanted === saml11.type || wanted === saml11.also ? tokenTypes.saml1 : wanted
}

/** The refusal of a token that no processor here could judge. */
export function unsupported(why: string): OAuthError {
  return new OAuthError('security-token-unsupported', why)
}

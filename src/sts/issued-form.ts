import type { IssuedToken } from '../exchange/grant.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { element, text, type Xml } from '../saml/write.ts'
import { samlTokens, security } from './names.ts'

/** A token as it stands in an answer, and how it is referred to. */
export interface IssuedForm {
  /** What it is called where the request has not said how it calls it. */
  readonly tokenType: string
  readonly token: Xml
  readonly reference: Xml
}

/** The form of a token: an assertion as it was signed, byte for byte (WT-23); everything else as text in a BinarySecurityToken. */
export function issuedForm({ token, id }: IssuedToken, tokenType: string): IssuedForm {
  const version = tokenType === tokenTypes.saml2 ? samlTokens.saml2 : tokenType === tokenTypes.saml1 ? samlTokens.saml11 : undefined
  const assertion = version && Buffer.from(token, 'base64url').toString('utf8')
  if (version === undefined || assertion === undefined || !/^<[\w.-]+:(?:Encrypted)?Assertion /.test(assertion))
    return binaryForm(token, tokenType)
  const reference = element(
    'wsse:SecurityTokenReference',
    { 'xmlns:wsse': security.wsse, 'xmlns:wsse11': security.wsse11, 'wsse11:TokenType': version.type },
    element('wsse:KeyIdentifier', { ValueType: version.idType }, text(id)),
  )
  return { tokenType: version.type, token: assertion as Xml, reference }
}

/** WS-Security §6.3 and §7.2. */
function binaryForm(token: string, tokenType: string): IssuedForm {
  const wsse = { 'xmlns:wsse': security.wsse }
  const attributes = { ...wsse, 'xmlns:wsu': security.wsu, EncodingType: security.base64, ValueType: tokenType, 'wsu:Id': 'token' }
  const reference = element('wsse:Reference', { URI: '#token', ValueType: tokenType })
  return {
    tokenType,
    token: element('wsse:BinarySecurityToken', attributes, text(Buffer.from(token, 'utf8').toString('base64'))),
    reference: element('wsse:SecurityTokenReference', wsse, reference),
  }
}

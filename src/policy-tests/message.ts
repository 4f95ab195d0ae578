import { createPrivateKey } from 'node:crypto'
import { readCertificate } from '../certificates/certificate.ts'
import type { ClientCertificate } from '../certificates/client-certificate.ts'
import { generateKey } from '../keys/generate-key.ts'
import { selfSignedCertificate } from '../keys/self-signed-certificate.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import { namespaces } from '../saml/names.ts'
import { element, join, text, type Xml } from '../saml/write.ts'
import type { Server } from '../server.ts'
import type { TrustMessage } from '../sts/answer-request.ts'
import { readEnvelope } from '../sts/envelope.ts'
import { addressingNamespaces, policyNamespaces, security, soapNamespaces, trust14, trustNamespaces } from '../sts/names.ts'
import type { MessageParameters, PolicyCase } from './cases.ts'

/** The message of a case, as the service would have read it. The tokens in it prove nothing: what they would prove is assumed. */
export async function messageOf(
  { message, subject, actor, clientIp }: PolicyCase & { message: MessageParameters },
  server: Server,
): Promise<TrustMessage> {
  const connection = connectionOf(message, subject, server)
  const issuer = issuerOf(subject) ?? connection?.entityId ?? ''
  const held = connection?.form === 'x509' ? undefined : tokenFor(connection?.mapping.subjectProcessor, issuer)
  const acting = actor && tokenFor(connection?.actorMapping?.actor?.processor, '')
  const envelope = element(
    'soap:Envelope',
    { 'xmlns:soap': soapNamespaces['1.1'] },
    element('soap:Header', {}, ...(acting ? [element('wsse:Security', { 'xmlns:wsse': security.wsse }, acting)] : [])),
    element('soap:Body', {}, requestOf(message, held)),
  )
  return {
    envelope: readEnvelope(envelope, '1.1'),
    destination: { connection: message.connection, virtualServerId: message.virtualServerId },
    // The client is taken at its word; so a UsernameToken can only be the token in question.
    authorization: `Basic ${Buffer.from('assumed:-').toString('base64')}`,
    httpAction: undefined,
    certificate: connection?.form === 'x509' ? await assumedCertificate() : undefined,
    clientIp,
  }
}

/** The connection that such a message is for: the one that it names, or that of the issuer of its token. */
export function connectionOf(
  message: MessageParameters,
  subject: PolicyCase['subject'],
  { connections }: Pick<Server, 'connections'>,
): IdpConnection | undefined {
  if (message.connection !== undefined) return connections.get(message.connection)
  const issuer = issuerOf(subject)
  return [...connections.values()].find(({ entityId }) => entityId === issuer)
}

function issuerOf({ issuer, iss }: PolicyCase['subject']): string | undefined {
  return [issuer, iss].find(each => typeof each === 'string')
}

const wst = trustNamespaces['1.3']

function requestOf({ requestType, tokenType, appliesTo, actAs }: MessageParameters, held: Xml | undefined): Xml {
  const holder = requestType === 'Validate' ? 'wst:ValidateTarget' : 'wst:OnBehalfOf'
  const around = (token: Xml) => (actAs ? element('wst14:ActAs', { 'xmlns:wst14': trust14 }, token) : element(holder, {}, token))
  return element(
    'wst:RequestSecurityToken',
    { 'xmlns:wst': wst },
    element('wst:RequestType', {}, text(`${wst}/${requestType}`)),
    join(tokenType === undefined ? undefined : element('wst:TokenType', {}, text(tokenType))),
    join(appliesTo === undefined ? undefined : appliesToOf(appliesTo)),
    join(held === undefined ? undefined : around(held)),
  )
}

function appliesToOf(address: string): Xml {
  const wsa = { 'xmlns:wsa': addressingNamespaces[0] }
  const endpoint = element('wsa:EndpointReference', wsa, element('wsa:Address', {}, text(address)))
  return element('wsp:AppliesTo', { 'xmlns:wsp': policyNamespaces[0] }, endpoint)
}

/** A token of the kind that a processor takes; where there is none, the message is refused before anybody looks at it. */
function tokenFor(processor: TokenProcessor | undefined, issuer: string): Xml {
  const wsse = { 'xmlns:wsse': security.wsse }
  const assumed = text('assumed')
  if (processor?.form === 'username')
    return element('wsse:UsernameToken', wsse, element('wsse:Username', {}, assumed), element('wsse:Password', {}, assumed))
  if (processor?.form !== 'assertion') {
    const jwt = `e30.${Buffer.from(JSON.stringify({ iss: issuer })).toString('base64url')}.`
    const ValueType = processor?.origin === 'own' ? tokenTypes.accessToken : tokenTypes.jwt
    return element('wsse:BinarySecurityToken', { ...wsse, ValueType }, text(Buffer.from(jwt).toString('base64')))
  }
  return processor.wellKnownTypes?.includes(tokenTypes.saml1) === true
    ? element('saml:Assertion', { 'xmlns:saml': namespaces.saml11, Issuer: issuer })
    : element('saml:Assertion', { 'xmlns:saml': namespaces.saml2 }, element('saml:Issuer', {}, text(issuer)))
}

async function assumedCertificate(): Promise<ClientCertificate> {
  const { privateKeyPem } = await generateKey('ES256')
  const pem = selfSignedCertificate(createPrivateKey(privateKeyPem), { commonName: 'assumed', notBefore: new Date(), days: 1 })
  const leaf = readCertificate(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
  if (leaf === undefined) throw new Error('a certificate was made that cannot be read')
  return { leaf, others: [], trust: undefined }
}

import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { ExchangeRequest } from '../exchange/read-request.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { TokenForm } from '../processors/processor.ts'
import type { XmlElement } from '../saml/xml-element.ts'
import { type Envelope, malformed, onlyChild, plainText } from './envelope.ts'
import { tokenTypeOf } from './inbound-token.ts'
import { instantIn } from './instant.ts'
import { addressingNamespaces, policyNamespaces, security, type TrustVersion, trustNamespaces } from './names.ts'
import { type Operation, operationOf, trustVersionOf } from './operation.ts'
import { messageSkew, type SecurityHeader } from './security-header.ts'
import { tokensOf } from './tokens-of-request.ts'

/** A RequestSecurityToken (WS-Trust 1.3 §3.1), complete in itself but not yet judged, in the words of the exchange. */
export interface TrustRequest extends ExchangeRequest {
  readonly operation: Operation
  readonly form: TokenForm
  readonly actorForm: TokenForm | undefined
  readonly claimedIssuer: string | undefined
  /** Whether somebody acts for the subject in the new token (`ActAs`): the one of the actor token or, without one, the client. */
  readonly isDelegation: boolean
  readonly appliesTo: string | undefined
  /** `TokenType` as it was sent. */
  readonly tokenType: string | undefined
  /** When the token has to end at the latest. */
  readonly endsBy: Instant | undefined
}

/** What a message asks of whom, beside its body. */
export interface Asked {
  readonly envelope: Envelope
  readonly security: SecurityHeader
  /** The actions that WS-Addressing and HTTP name. */
  readonly actions: ReadonlyArray<string | undefined>
  /** Whether the UsernameToken of the header says who calls, so that it is no token to be judged. */
  readonly userNameIsCaller: boolean
  /** The client certificate of the connection. */
  readonly certificate: ClientCertificate | undefined
  readonly now: Instant
}

/** The TokenType by which only the status of a token is asked for (WS-Trust 1.3 §7). */
export function statusType(version: TrustVersion): string {
  return `${trustNamespaces[version]}/RSTR/Status`
}

/** Reads the request. What would have to be ignored although it changes what is issued is refused. */
export function readTrustRequest(asked: Asked): TrustRequest {
  const { content } = asked.envelope
  const version = trustVersionOf(content)
  if (version === undefined || content.name !== 'RequestSecurityToken') throw malformed('the body has no RequestSecurityToken')
  const operation = operationOf(content, asked.actions)
  const member = memberOf(content)
  requireBearer(member('KeyType'))
  const wanted = member('TokenType')
  const tokenType = wanted && plainText(wanted)
  const { subject, actor, isDelegation } = tokensOf(content, operation, asked)
  const appliesTo = appliesToOf(content)
  return {
    ...{ operation, form: subject.form, actorForm: actor?.form, claimedIssuer: subject.claimedIssuer, isDelegation, appliesTo, tokenType },
    endsBy: endOf(onlyChild(content, [content.namespace], 'Lifetime'), asked.now),
    subjectToken: subject.text,
    subjectTokenType: subject.type,
    ...(subject.form === 'username' && { guessable: true }),
    actor: actor && { token: actor.text, tokenType: actor.type },
    requestedTokenType: tokenType === undefined || tokenType === statusType(version) ? undefined : tokenTypeOf(tokenType),
    resources: appliesTo === undefined ? [] : [appliesTo],
    audiences: [],
    scope: undefined,
  }
}

const understood = [
  ...['RequestType', 'TokenType', 'KeyType', 'AppliesTo', 'Lifetime', 'OnBehalfOf', 'ActAs', 'ValidateTarget', 'SecondaryParameters'],
  // Of no importance to bearer tokens, and always sent by some clients (WT-5, WT-11).
  ...['Renewing', 'KeySize', 'ComputedKeyAlgorithm', 'EncryptionAlgorithm', 'CanonicalizationAlgorithm', 'SignatureAlgorithm'],
]

/** Names of elements that have no meaning here: ignored (WS-Trust 1.3 §3.1) and recorded. */
export function ignoredElements({ content }: Envelope): string[] {
  return content.children.map(({ name }) => name).filter(name => !understood.includes(name))
}

/** Finds members of the request; what a client has from the policy of the service stands below `SecondaryParameters` (WT-5). */
function memberOf(request: XmlElement): (name: string) => XmlElement | undefined {
  const { namespace } = request
  const secondary = onlyChild(request, [namespace], 'SecondaryParameters')
  return name => onlyChild(request, [namespace], name) ?? (secondary && onlyChild(secondary, [namespace], name))
}

const bearer = [`${trustNamespaces['1.3']}/Bearer`, 'http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey']

// A token that its holder could not use, or that is weaker than was asked for, is worse than none (WT-6).
function requireBearer(keyType: XmlElement | undefined): void {
  if (keyType !== undefined && !bearer.includes(plainText(keyType)))
    throw new OAuthError('operation-not-available', 'only bearer tokens are issued here: set the KeyType to Bearer')
}

/** The address of the service that the token is for. It is compared, and never called (WT-7). */
function appliesToOf(request: XmlElement): string | undefined {
  const appliesTo = onlyChild(request, policyNamespaces, 'AppliesTo')
  if (appliesTo === undefined) return undefined
  const endpoint = onlyChild(appliesTo, addressingNamespaces, 'EndpointReference')
  const address = endpoint && onlyChild(endpoint, [endpoint.namespace], 'Address')
  const text = address && plainText(address)
  if (text === undefined || text === '') throw malformed('AppliesTo has no EndpointReference with an Address')
  return text
}

/** WS-Trust 1.3 §4.1: the lifetime that is wanted. What is longer than can be had is cut down, which the answer says (WT-9). */
function endOf(lifetime: XmlElement | undefined, now: Instant): Instant | undefined {
  if (lifetime === undefined) return undefined
  const child = (name: string) => onlyChild(lifetime, [security.wsu], name)
  const [created, expires] = [child('Created'), child('Expires')].map(element => element && instantIn(element))
  if (created !== undefined && (created > now + messageSkew || (expires !== undefined && expires <= created))) throw impossible()
  if (expires !== undefined && expires < now + 1) throw impossible()
  return expires
}

function impossible(): OAuthError {
  return new OAuthError('time-range-refused', 'the Lifetime begins later, or has ended')
}

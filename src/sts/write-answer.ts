import type { Instant } from '../outside.ts'
import { element, join, text, type Xml } from '../saml/write.ts'
import type { TrustAnswer } from './answer-request.ts'
import type { Issued } from './issue.ts'
import { issuedForm } from './issued-form.ts'
import type { Manner } from './manner.ts'

import { security, trustNamespaces } from './names.ts'
import { statusType, type TrustRequest } from './read-request.ts'
import { period, writeEnvelope } from './write-envelope.ts'

/** What an answer is written with beside what it says. */
interface Writing {
  readonly manner: Manner
  /** `Context` of the request, which goes back with the answer (WS-Trust 1.3 §3.2, WT-13). */
  readonly context: string | undefined
  readonly now: Instant
}

/** Writes an answer (WS-Trust 1.3 §3.2, WT-21): a collection for `Issue` of 1.3, else the bare response. */
export function writeAnswer(answer: TrustAnswer, { manner, context, now }: Writing): string {
  const namespace = trustNamespaces[manner.trust]
  const { request, issued, status } = answer
  const response = element(
    'wst:RequestSecurityTokenResponse',
    { Context: context },
    issued === undefined ? element('wst:TokenType', {}, text(statusType(manner.trust))) : issuedPart(issued, request, now),
    status === undefined ? join() : statusPart(status, namespace),
    issued === undefined ? join() : closingPart(request, namespace),
  )
  const isFinal = manner.trust === '1.3' ? 'Final' : ''
  if (request.operation === 'validate') return writeEnvelope(manner, `${namespace}/RSTR/Validate${isFinal}`, response, now)
  if (manner.trust !== '1.3') return writeEnvelope(manner, `${namespace}/RSTR/Issue`, response, now)
  const collection = element('wst:RequestSecurityTokenResponseCollection', {}, response)
  return writeEnvelope(manner, `${namespace}/RSTRC/IssueFinal`, collection, now)
}

/** WS-Trust 1.3 §7: valid or not; why not is for the record. */
function statusPart({ valid }: NonNullable<TrustAnswer['status']>, namespace: string): Xml {
  const word = valid ? 'valid' : 'invalid'
  const reason = valid ? 'The token is valid' : 'The token is not valid'
  return element('wst:Status', {}, element('wst:Code', {}, text(`${namespace}/status/${word}`)), element('wst:Reason', {}, text(reason)))
}

function issuedPart({ token, target }: Issued, request: TrustRequest, now: Instant): Xml {
  const form = issuedForm(token, target.issuedTokenType)
  return join(
    element('wst:TokenType', {}, text(request.tokenType ?? form.tokenType)),
    element('wst:RequestedSecurityToken', {}, form.token),
    element('wst:RequestedAttachedReference', {}, form.reference),
    element('wst:RequestedUnattachedReference', {}, form.reference),
    request.appliesTo === undefined ? join() : appliesTo(request.appliesTo),
    element('wst:Lifetime', { 'xmlns:wsu': security.wsu }, period(now, token.expiresAt)),
  )
}

function closingPart({ operation }: TrustRequest, namespace: string): Xml {
  const name = operation === 'issue' ? 'Issue' : 'Validate'
  return join(element('wst:RequestType', {}, text(`${namespace}/${name}`)), element('wst:KeyType', {}, text(bearerIn(namespace))))
}

function bearerIn(namespace: string): string {
  return namespace === trustNamespaces['1.3'] ? `${namespace}/Bearer` : 'http://schemas.xmlsoap.org/ws/2005/05/identity/NoProofKey'
}

function appliesTo(address: string): Xml {
  const wsa = 'http://www.w3.org/2005/08/addressing'
  return element(
    'wsp:AppliesTo',
    { 'xmlns:wsp': 'http://schemas.xmlsoap.org/ws/2004/09/policy' },
    element('wsa:EndpointReference', { 'xmlns:wsa': wsa }, element('wsa:Address', {}, text(address))),
  )
}

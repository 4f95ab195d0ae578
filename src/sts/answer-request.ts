import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { Witness } from '../exchange/witness.ts'
import { OAuthError, type RefusalReason } from '../oauth/errors.ts'
import type { Server } from '../server.ts'
import { readAddressing, requireUnderstood } from './addressing.ts'
import type { Asking } from './asking.ts'
import { authenticateCaller } from './authenticate-caller.ts'
import { checkCaller } from './check-caller.ts'
import type { Envelope } from './envelope.ts'
import { type Issued, issue } from './issue.ts'
import { ignoredElements, readTrustRequest, type TrustRequest } from './read-request.ts'
import { readSecurity, requireFresh } from './security-header.ts'
import { type Destination, selectConnection } from './select-connection.ts'
import { selectTokens } from './select-tokens.ts'
import { readUserName, requireFreshUserName } from './user-name.ts'
import { validate } from './validate.ts'

/** A message to the security token service, after its envelope was read (step 1). */
export interface TrustMessage {
  readonly envelope: Envelope
  readonly destination: Destination
  readonly authorization: string | undefined
  /** `SOAPAction`, or the `action` of the media type. */
  readonly httpAction: string | undefined
  readonly certificate: ClientCertificate | undefined
  readonly clientIp: string
}

/** What is answered: a token, a status, or both. */
export interface TrustAnswer {
  readonly request: TrustRequest
  readonly issued: Issued | undefined
  /** Only for `Validate`; `refusal` is for the record. */
  readonly status: { readonly valid: boolean; readonly refusal: OAuthError | undefined } | undefined
}

/**
 * One message, every stage in order: the same as those of an exchange (`exchange/exchange.ts`), with a SOAP message instead of a form and
 * an IdP connection instead of a processor policy. `witness` hears of each result.
 */
export async function answerRequest(server: Server, message: TrustMessage, witness: Witness): Promise<TrustAnswer> {
  const { envelope, certificate, clientIp, destination } = message
  const now = server.outside.now()

  // Is everything in it understood, and is it young?
  requireUnderstood(envelope)
  const addressing = readAddressing(envelope)
  const security = readSecurity(envelope)
  requireFresh(security, now)

  // Who asks, and for what?
  const { client: authenticated, userNameIsCaller } = await authenticateCaller(server.authenticator, message, security, witness)
  if (userNameIsCaller && security.userName !== undefined)
    await requireFreshUserName(server.outside.store, authenticated, readUserName(security.userName), now)
  const client = witness.exchanging(checkCaller(authenticated))
  const possession = witness.possession(certificate === undefined ? {} : { certificate: certificate.leaf })
  witness.ignored(ignoredElements(envelope))
  const actions = [addressing?.action, message.httpAction]
  const request = witness.request(readTrustRequest({ envelope, security, actions, userNameIsCaller, certificate, now }))

  // Which rules apply?
  const selected = witness.connection(selectConnection(server, client, request, destination))
  const mapping = witness.mapping(selectTokens(selected, request, witness))
  const asking = { server, client, request, selected, mapping, possession, certificate, clientIp, now }
  return request.operation === 'issue'
    ? { request, issued: await issue(asking, witness), status: undefined }
    : await answerValidation(asking, witness)
}

async function answerValidation(asking: Asking, witness: Witness): Promise<TrustAnswer> {
  const { request } = asking
  const statusOnly = request.requestedTokenType === undefined
  try {
    const issued = statusOnly ? void (await validate(asking, witness)) : await issue(asking, witness)
    return { request, issued, status: { valid: true, refusal: undefined } }
  } catch (error) {
    if (!(error instanceof OAuthError) || !saysInvalid(error.reason, statusOnly)) throw error
    return { request, issued: undefined, status: { valid: false, refusal: error } }
  }
}

const ofTheToken: readonly RefusalReason[] = ['subject-token-rejected', 'already-used']
const ofItsContent: readonly RefusalReason[] = [
  ...(['contract-not-met', 'criterion-failed', 'expression-failed', 'lookup-found-nothing', 'lookup-found-several'] as const),
]

// That no token can be made from a valid one is no statement about it.
function saysInvalid(reason: RefusalReason, statusOnly: boolean): boolean {
  return ofTheToken.includes(reason) || (statusOnly && ofItsContent.includes(reason))
}

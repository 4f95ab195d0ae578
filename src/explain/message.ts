import type { PresentedChain } from '../certificates/trust-anchors.ts'
import type { Callers } from '../http/caller.ts'
import type { TrustMessage } from '../sts/answer-request.ts'
import { readEnvelope } from '../sts/envelope.ts'
import { soapNamespaces } from '../sts/names.ts'
import { presentedCertificate } from './presented-certificate.ts'

/** A message to the security token service as somebody describes it, to be explained. */
export interface DescribedMessage {
  /** The SOAP envelope as it would be sent. */
  readonly message: string
  /** The connection and the virtual server that the path would name. */
  readonly connection: string | undefined
  readonly virtualServer: string | undefined
  /** The caller, taken at its word; undefined: the UsernameToken of the message, or the certificate, is what it is known by, and checked. */
  readonly client: string | undefined
  readonly clientIp: string
  /** The certificate of the connection, whose key counts as proved; absent: there is none. */
  readonly certificate?: PresentedChain | undefined
}

/** The message as the service would have read it. Throws what that would refuse it with. */
export function readDescribedMessage(described: DescribedMessage, callers: Callers): TrustMessage {
  const { message, connection, virtualServer, client, clientIp } = described
  // The media type would tell; here the message itself has to.
  const soap = message.includes(soapNamespaces['1.2']) ? '1.2' : '1.1'
  return {
    envelope: readEnvelope(message, soap),
    destination: { connection, virtualServerId: virtualServer },
    // Whoever is taken at its word comes by HTTP Basic, so that a UsernameToken is the token in question.
    authorization: client === undefined ? undefined : `Basic ${Buffer.from(`${encodeURIComponent(client)}:-`).toString('base64')}`,
    httpAction: undefined,
    certificate: presentedCertificate(described.certificate, callers),
    clientIp,
  }
}

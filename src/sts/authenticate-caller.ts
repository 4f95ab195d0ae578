import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { PresentedCredentials } from '../clients/client.ts'
import { authenticateClient } from '../exchange/authenticate-client.ts'
import type { AuthenticatedClient } from '../exchange/grant.ts'
import type { Witness } from '../exchange/witness.ts'
import { credentialsInHeader } from '../http/client-credentials.ts'
import { OAuthError, Outage } from '../oauth/errors.ts'
import type { Server } from '../server.ts'
import type { SecurityHeader } from './security-header.ts'
import { readUserName } from './user-name.ts'

/** What a message brings to say who calls, beside its security header. */
export interface CallerEvidence {
  readonly authorization: string | undefined
  readonly certificate: ClientCertificate | undefined
  readonly clientIp: string
}

/** Who calls, and whether the UsernameToken has said so: otherwise that is a token. */
export interface Caller {
  readonly client: AuthenticatedClient
  readonly userNameIsCaller: boolean
}

/**
 * Step 2: who calls? By HTTP Basic; without that by its certificate, where a client that may call is known by it; else by the
 * UsernameToken of the security header (WT-35). Whoever has a certificate for other reasons goes on using its password.
 */
export async function authenticateCaller(
  authenticator: Server['authenticator'],
  evidence: CallerEvidence,
  security: SecurityHeader,
  witness: Pick<Witness, 'credentials' | 'client'>,
): Promise<Caller> {
  const { presented, doubt } = await callerCredentials(authenticator, evidence, security)
  try {
    const client = await authenticateClient({ authenticator }, witness.credentials(presented), evidence.clientIp)
    return { client: witness.client(client), userNameIsCaller: presented.method === 'username_token' }
  } catch (error) {
    // It may be one whom we cannot ask about: nobody is called a stranger then.
    if (doubt !== undefined && error instanceof OAuthError) throw doubt
    throw error
  }
}

interface Presented {
  readonly presented: PresentedCredentials
  /** Why nobody knows whether the certificate is that of a caller. */
  readonly doubt?: Outage
}

async function callerCredentials(
  authenticator: Server['authenticator'],
  { authorization, certificate }: CallerEvidence,
  { userName }: SecurityHeader,
): Promise<Presented> {
  if (authorization !== undefined) return { presented: credentialsInHeader(authorization) }
  const byCertificate = certificate && ({ method: 'certificate', clientId: undefined, certificate } as const)
  if (userName === undefined) return { presented: byCertificate ?? { method: 'none', because: 'no credentials were presented' } }
  const known = certificate === undefined ? false : await authenticator.knows(certificate).catch(outage)
  if (known === true && byCertificate !== undefined) return { presented: byCertificate }
  const { name, password } = readUserName(userName)
  const presented = { method: 'username_token', candidates: [{ clientId: name, secret: password }] } as const
  return known instanceof Outage ? { presented, doubt: known } : { presented }
}

function outage(error: unknown): Outage {
  if (error instanceof Outage) return error
  throw error
}

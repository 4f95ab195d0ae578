import type { PresentedCredentials } from '../clients/client.ts'
import type { Server } from '../server.ts'
import type { AuthenticatedClient } from './grant.ts'

/** Step 2: who asks? Before anything is said about the other parameters (RFC 6749 §2.3, §3.2.1). `address` is where the request came from. */
export async function authenticateClient(
  { authenticator }: Pick<Server, 'authenticator'>,
  presented: PresentedCredentials,
  address: string,
): Promise<AuthenticatedClient> {
  return (await authenticator.authenticate(presented, address)) as AuthenticatedClient
}

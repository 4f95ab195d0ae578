import { settingOf } from '../config/folders.ts'
import type { ExchangingClient, SelectedConnection } from '../exchange/grant.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { Server } from '../server.ts'
import type { TrustRequest } from './read-request.ts'

/** Where a message was sent to: the parts of its path, of which both may be missing. */
export interface Destination {
  readonly connection: string | undefined
  readonly virtualServerId: string | undefined
}

/** Step 4: the connection that the path names, or else that of the token's issuer; and by which name this server was addressed. */
export function selectConnection(
  { connections }: Pick<Server, 'connections'>,
  client: ExchangingClient,
  { claimedIssuer }: TrustRequest,
  { connection: id, virtualServerId }: Destination,
): SelectedConnection {
  const connection = id === undefined ? ofIssuer(connections, claimedIssuer) : connections.get(id)
  // One answer for what is not there and for what is somebody else's: nobody learns whose partners there are.
  if (connection === undefined || !client.wsTrust.connections.has(connection.id)) throw notAvailable(client)
  if (virtualServerId !== undefined && !connection.virtualServerIds.includes(virtualServerId)) {
    const setting = settingOf('idp-connections', connection.id, 'virtualServerIds')
    throw new OAuthError('connection-not-available', 'the connection has no such virtual server', { setting })
  }
  return { connection, virtualServerId: virtualServerId ?? connection.virtualServerIds[0] } as SelectedConnection
}

// What the token says of its issuer is not proved; the connection has its keys asked, and takes nobody else's token.
function ofIssuer(connections: ReadonlyMap<string, IdpConnection>, issuer: string | undefined): IdpConnection | undefined {
  return [...connections.values()].find(({ entityId }) => entityId === issuer)
}

function notAvailable(client: ExchangingClient): OAuthError {
  const setting = settingOf('clients', client.id, 'wsTrust', 'connections')
  return new OAuthError('connection-not-available', 'there is no such connection for this client', { setting })
}

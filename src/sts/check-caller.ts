import { settingOf } from '../config/folders.ts'
import type { AuthenticatedClient, ExchangingClient } from '../exchange/grant.ts'
import { OAuthError } from '../oauth/errors.ts'

/** Step 3: may this client call the security token service at all? */
export function checkCaller(client: AuthenticatedClient): ExchangingClient {
  if (!client.enabled)
    throw new OAuthError('client-disabled', 'this client is disabled', { setting: settingOf('clients', client.id, 'enabled') })
  if (!client.wsTrust.enabled) {
    const setting = settingOf('clients', client.id, 'wsTrust', 'enabled')
    throw new OAuthError('ws-trust-not-enabled', 'WS-Trust is not enabled for this client', { setting })
  }
  return client as ExchangingClient
}

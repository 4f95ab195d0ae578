import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import type { AuthenticatedClient, ExchangingClient } from './grant.ts'

/** Step 3: is the grant known, and may this client use it (RFC 6749 §5.2)? */
export function checkGrant(client: AuthenticatedClient, grantType: string | undefined): ExchangingClient {
  if (grantType === undefined) throw new OAuthError('malformed-request', 'grant_type is missing')
  if (grantType !== tokenExchangeGrant) throw new OAuthError('unknown-grant', `the only grant_type here is ${tokenExchangeGrant}`)
  if (!client.enabled)
    throw new OAuthError('client-disabled', 'this client is disabled', { setting: settingOf('clients', client.id, 'enabled') })
  if (!client.tokenExchange.enabled) {
    const setting = settingOf('clients', client.id, 'tokenExchange', 'enabled')
    throw new OAuthError('exchange-not-enabled', 'token exchange is not enabled for this client', { setting })
  }
  return client as ExchangingClient
}

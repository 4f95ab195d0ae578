import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Server } from '../server.ts'
import type { ExchangingClient } from './grant.ts'

/** Step 4: the client's own processor policy, else the server's default. */
export function selectPolicy(server: Server, client: ExchangingClient): ProcessorPolicy {
  const policy = client.tokenExchange.policy ?? server.defaults.policy
  if (policy === undefined)
    throw new OAuthError('no-policy', 'no processor policy is configured for this client, and the server has no default', {
      setting: settingOf('clients', client.id, 'tokenExchange', 'processorPolicy'),
    })
  return policy
}

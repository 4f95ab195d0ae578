import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import type { AddressedTokens, ExchangingClient, ProvenToken, ProvenTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 8: a token is taken only by those it was meant for; otherwise whoever stole or was shown one could launder it here (RFC 8693 §5). */
export function checkAudience(server: Server, client: ExchangingClient, tokens: ProvenTokens): AddressedTokens {
  requireAddressed(server, client, tokens.subject)
  if (tokens.actor !== undefined) requireAddressed(server, client, tokens.actor)
  return tokens as AddressedTokens
}

function requireAddressed(server: Server, client: ExchangingClient, token: ProvenToken): void {
  const { processor, proof } = token
  if (proof.audiences.length === 0) throw rejected(token, 'it names no audience')
  // Each restriction has to be met on its own (SAML Core §2.5.1.4).
  for (const audiences of [proof.audiences, ...(proof.furtherAudiences ?? [])]) {
    if (processor.origin === 'own') {
      if (!isForClient(client, proof.clientId, audiences)) throw notForClient(token, client)
    } else if (!isForServer(server, client, processor, audiences))
      throw rejected(token, 'its audience is another party', { member: 'audiences' })
  }
}

function notForClient({ role }: ProvenToken, client: ExchangingClient): OAuthError {
  const why = `the ${role} token is refused: it was issued to another client and is not addressed to this one`
  return new OAuthError(`${role}-token-rejected`, why, { setting: settingOf('clients', client.id, 'audiences') })
}

function isForClient(client: ExchangingClient, clientId: string | undefined, audiences: readonly string[]): boolean {
  return clientId === client.id || audiences.some(audience => audience === client.id || client.audiences.includes(audience))
}

// Our client ids are never compared here: a foreign issuer chooses its audience names, and could choose one of ours.
function isForServer(server: Server, client: ExchangingClient, processor: TokenProcessor, audiences: readonly string[]): boolean {
  return audiences.some(audience => {
    if (audience === server.issuer || audience === server.tokenEndpoint) return true
    return (
      processor.audiences?.some(accepted => (accepted === 'client' ? client.audiences.includes(audience) : accepted === audience)) === true
    )
  })
}

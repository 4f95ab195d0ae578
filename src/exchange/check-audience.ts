import type { Server } from '../server.ts'
import type { AddressedTokens, ExchangingClient, ProvenToken, ProvenTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Step 8: a token is taken only by those it was meant for; otherwise whoever stole or was shown one could launder it here (RFC 8693 §5). */
export function checkAudience(server: Server, client: ExchangingClient, tokens: ProvenTokens): AddressedTokens {
  requireAddressed(server, client, tokens.subject)
  if (tokens.actor !== undefined) requireAddressed(server, client, tokens.actor)
  return tokens as AddressedTokens
}

function requireAddressed(server: Server, client: ExchangingClient, { role, processor, proof }: ProvenToken): void {
  if (proof.audiences.length === 0) throw rejected(role, 'it names no audience')
  const addressed = processor.origin === 'own' ? isForClient(client, proof) : isForServer(server, client, { processor, proof })
  if (!addressed)
    throw rejected(
      role,
      processor.origin === 'own' ? 'it was issued to another client and is not addressed to this one' : 'its audience is another party',
    )
}

function isForClient(client: ExchangingClient, { clientId, audiences }: ProvenToken['proof']): boolean {
  return clientId === client.id || audiences.some(audience => audience === client.id || client.audiences.includes(audience))
}

// Our client ids are never compared here: a foreign issuer chooses its audience names, and could choose one of ours.
function isForServer(server: Server, client: ExchangingClient, { processor, proof }: Pick<ProvenToken, 'processor' | 'proof'>): boolean {
  return proof.audiences.some(audience => {
    if (audience === server.issuer || audience === server.tokenEndpoint) return true
    return (
      processor.audiences?.some(accepted => (accepted === 'client' ? client.audiences.includes(audience) : accepted === audience)) === true
    )
  })
}

import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import type { AddressedTokens, ExchangingClient, ProvenToken, ProvenTokens } from './grant.ts'
import { rejected } from './process-tokens.ts'

/** Who was asked: how a foreign token has to call it. */
export interface Addressee {
  readonly names: readonly string[]
  /** Whether it also goes by the audiences that the file of a processor accepts. */
  readonly alsoByProcessor: boolean
}

/** Whoever asks at the token endpoint asks this server itself. */
export function addresseeOf({ issuer, tokenEndpoint }: Pick<Server, 'issuer' | 'tokenEndpoint'>): Addressee {
  return { names: [issuer, tokenEndpoint], alsoByProcessor: true }
}

/** Step 8: a token is taken only by those it was meant for; otherwise whoever stole or was shown one could launder it here (RFC 8693 §5). */
export function checkAudience(addressee: Addressee, client: ExchangingClient, tokens: ProvenTokens): AddressedTokens {
  requireAddressed(addressee, client, tokens.subject)
  if (tokens.actor !== undefined) requireAddressed(addressee, client, tokens.actor)
  return tokens as AddressedTokens
}

function requireAddressed(addressee: Addressee, client: ExchangingClient, token: ProvenToken): void {
  const { processor, proof } = token
  // A password has no audience: whoever it is told can only be the one who was meant.
  if (processor.origin === 'presented') return
  if (proof.audiences.length === 0) throw rejected(token, 'it names no audience')
  // Each restriction has to be met on its own (SAML Core §2.5.1.4).
  for (const audiences of [proof.audiences, ...(proof.furtherAudiences ?? [])]) {
    if (processor.origin === 'own') {
      if (!isForClient(client, proof.clientId, audiences)) throw notForClient(token, client)
    } else if (!isFor(addressee, client, processor, audiences))
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
function isFor(addressee: Addressee, client: ExchangingClient, processor: TokenProcessor, audiences: readonly string[]): boolean {
  const accepted = addressee.alsoByProcessor ? (processor.audiences ?? []) : []
  return audiences.some(audience => {
    if (addressee.names.includes(audience)) return true
    return accepted.some(name => (name === 'client' ? client.audiences.includes(audience) : name === audience))
  })
}

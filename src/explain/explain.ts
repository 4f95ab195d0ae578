import { settingOf } from '../config/folders.ts'
import { exchange, type TokenAnswer, type TokenRequest } from '../exchange/exchange.ts'
import type { TokenContent } from '../exchange/grant.ts'
import { failureOf } from '../http/failure.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Server } from '../server.ts'
import type { Disclosure } from './disclosure.ts'
import type { ExplainedRefusal, ExplainedToken, Explanation } from './explanation.ts'
import { Narrator } from './narrator.ts'

/**
 * Runs one exchange through the pipeline and tells how it went. `server` was built on a `HarmlessStore` and without `effects`, so that
 * nothing is used up, issued or counted. `read` gives the request, or throws what the token endpoint would refuse it with.
 */
export async function explain(server: Server, read: () => TokenRequest, disclosure: Disclosure): Promise<Explanation> {
  // Whoever asks for an explanation must not have credentials issued somewhere.
  if (server.outside.effects !== undefined) throw new Error('explanations need a server that can do nothing outside')
  const narrator = new Narrator(disclosure)
  const { version } = server
  try {
    const answer = await exchange(server, read(), narrator)
    return { version, outcome: 'issued', steps: narrator.steps, token: tokenOf(answer, narrator.content) }
  } catch (error) {
    const { outcome } = failureOf(error, false)
    return { version, outcome, steps: narrator.steps, refusal: refusalOf(error, narrator, server) }
  }
}

/** The server, for requests of one client that need no credentials: an administrator asks, who does not have its secret. */
export function takenAtItsWord(server: Server, clientId: string): Server {
  const client = server.clients.get(clientId)
  const setting = settingOf('clients', clientId)
  return {
    ...server,
    authenticator: {
      knows: async () => false,
      async authenticate() {
        if (client !== undefined) return client
        throw new OAuthError('client-not-authenticated', 'the client could not be authenticated', {
          cause: 'there is no such client',
          setting,
        })
      },
    },
  }
}

function tokenOf(answer: TokenAnswer, content: TokenContent | undefined): ExplainedToken {
  const { issued_token_type: issuedTokenType, token_type: tokenType, expires_in: expiresIn, scope } = answer
  return { issuedTokenType, tokenType, expiresIn, ...(scope !== undefined && { scope }), ...content }
}

function refusalOf(error: unknown, narrator: Narrator, server: Server): ExplainedRefusal {
  const { status, body, internal } = failureOf(error, false)
  const { reason, cause, outage, reference, setting } = internal
  const because = cause ?? outage ?? reference
  const decidedBy = setting ?? (reason === 'client-not-authenticated' ? settingOfClient(narrator.claimedClient, server) : undefined)
  return {
    ...{ step: narrator.current ?? 'done', status, error: body.error, description: body.error_description, reason },
    ...(because !== undefined && { cause: because }),
    ...(decidedBy !== undefined && { setting: decidedBy }),
  }
}

// The refusal itself does not know whom it refuses: all of them are alike.
function settingOfClient(id: string | undefined, { clients }: Server): string {
  return id !== undefined && clients.has(id) ? settingOf('clients', id, 'authentication') : 'clients/'
}

import { settingOf } from '../config/folders.ts'
import { exchange, type TokenAnswer, type TokenRequest } from '../exchange/exchange.ts'
import type { TokenContent } from '../exchange/grant.ts'
import { type Failure, failureOf } from '../http/failure.ts'
import { OAuthError } from '../oauth/errors.ts'
import { nameOf, PluginFault, placeThrown } from '../plugins/fault.ts'
import type { Server } from '../server.ts'
import { answerRequest, type TrustMessage } from '../sts/answer-request.ts'
import { faultOf, isSendersFault, statusOfFault } from '../sts/faults.ts'
import type { Issued } from '../sts/issue.ts'
import type { SoapVersion } from '../sts/names.ts'
import type { Disclosure } from './disclosure.ts'
import type { ExplainedRefusal, ExplainedToken, Explanation } from './explanation.ts'
import { Narrator } from './narrator.ts'

/**
 * Runs one exchange through the pipeline and tells how it went. `server` was built on a `HarmlessStore` and without `effects`, so that
 * nothing is used up, issued or counted. `read` gives the request, or throws what the token endpoint would refuse it with.
 */
export function explain(server: Server, read: () => TokenRequest, disclosure: Disclosure): Promise<Explanation> {
  const run = async (narrator: Narrator): Promise<Ended> => {
    const answer = await exchange(server, read(), narrator)
    return { outcome: 'issued', token: tokenOf(answer, narrator.content) }
  }
  return narrate(server, disclosure, { run, wordsOf: ({ status, body }) => ({ status, error: body.error }), presented: () => false })
}

/** The same of a message to the security token service; a token that is not valid is a refusal here, also where the answer says so. */
export function explainMessage(server: Server, read: () => TrustMessage, disclosure: Disclosure): Promise<Explanation> {
  let soap: SoapVersion = '1.1'
  let presented = false
  const run = async (narrator: Narrator): Promise<Ended> => {
    const message = read()
    soap = message.envelope.soap
    presented = message.authorization !== undefined
    const { issued, status } = await answerRequest(server, message, narrator)
    if (status?.refusal !== undefined) throw status.refusal
    return issued === undefined ? { outcome: 'validated' } : { outcome: 'issued', token: tokenInMessage(issued, server, narrator.content) }
  }
  const wordsOf = (failure: Failure) => {
    const { of, name } = isSendersFault(failure) ? faultOf(failure) : { of: 'soap', name: 'Receiver' }
    return { status: statusOfFault(soap, failure), error: `${of}:${name}` }
  }
  return narrate(server, disclosure, { run, wordsOf, presented: () => presented })
}

type Ended = Pick<Explanation, 'outcome' | 'token'>

/** What is explained, and in which words it is refused. */
interface Explained {
  run(narrator: Narrator): Promise<Ended>
  wordsOf(failure: Failure): { readonly status: number; readonly error: string }
  /** Whether there was an `Authorization` header, which some refusals answer in kind. */
  presented(): boolean
}

async function narrate(server: Server, disclosure: Disclosure, { run, wordsOf, presented }: Explained): Promise<Explanation> {
  // Whoever asks for an explanation must not have credentials issued somewhere.
  if (server.outside.effects !== undefined) throw new Error('explanations need a server that can do nothing outside')
  const narrator = new Narrator(disclosure)
  const { version } = server
  try {
    const { outcome, token } = await run(narrator)
    return { version, outcome, steps: narrator.steps, ...(token !== undefined && { token }) }
  } catch (error) {
    const failure = failureOf(error, presented())
    const refusal = { ...refusalOf(failure, narrator, server), ...faultIn(error, failure), ...wordsOf(failure) }
    return { version, outcome: failure.outcome, steps: narrator.steps, refusal }
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

function tokenInMessage({ token, target }: Issued, server: Server, content: TokenContent | undefined): ExplainedToken {
  const expiresIn = token.expiresAt - Math.floor(server.outside.now())
  return { issuedTokenType: target.issuedTokenType, tokenType: token.tokenType, expiresIn, ...content }
}

function refusalOf({ status, body, internal }: Failure, narrator: Narrator, server: Server): ExplainedRefusal {
  const { reason, cause, outage, setting } = internal
  const because = cause ?? outage
  const decidedBy = setting ?? (reason === 'client-not-authenticated' ? settingOfClient(narrator.claimedClient, server) : undefined)
  return {
    ...{ step: narrator.current ?? 'done', status, error: body.error, description: body.error_description, reason },
    ...(because !== undefined && { cause: because }),
    ...(decidedBy !== undefined && { setting: decidedBy }),
  }
}

// Nothing of it stands in a log: it is said here, without the message of what was thrown, which may repeat a token.
function faultIn(error: unknown, { internal: { reason } }: Failure): { cause?: string } {
  if (reason !== 'bug') return {}
  const place = placeThrown(error)
  const what =
    error instanceof PluginFault ? error.message : `a fault of this server: ${error instanceof Error ? nameOf(error) : typeof error}`
  return { cause: place === '' ? what : `${what}, ${place}` }
}

// The refusal itself does not know whom it refuses: all of them are alike.
function settingOfClient(id: string | undefined, { clients }: Server): string {
  return id !== undefined && clients.has(id) ? settingOf('clients', id, 'authentication') : 'clients/'
}

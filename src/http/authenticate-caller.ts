import type { IncomingMessage } from 'node:http'
import { authenticateClient } from '../exchange/authenticate-client.ts'
import type { AuthenticatedClient } from '../exchange/grant.ts'
import type { Server } from '../server.ts'
import { requireUnderstandable } from './caller.ts'
import { presentedCredentials } from './client-credentials.ts'
import type { Form } from './form.ts'

/** Which client asks, at an endpoint that leaves no record of an exchange (RFC 6749 §2.3). */
export function authenticateCaller(server: Server, request: IncomingMessage, form: Form): Promise<AuthenticatedClient> {
  const caller = server.callers.of(request)
  requireUnderstandable(caller)
  const presented = presentedCredentials(request.headers.authorization, form, caller.certificate)
  return authenticateClient(server, presented, caller.address)
}

import type { ExpressionContext } from '../expressions/expression.ts'
import type { Instant } from '../outside.ts'
import type { ExchangingClient } from './grant.ts'
import type { ExchangeRequest } from './read-request.ts'

/** What expressions read as `context`. Parameters that were not sent are empty, so that every member is there. */
export function expressionContext(client: ExchangingClient, request: ExchangeRequest, clientIp: string, now: Instant): ExpressionContext {
  return {
    clientId: client.id,
    client: client.properties,
    clientIp,
    scopes: request.scope ?? [],
    resources: request.resources,
    audiences: request.audiences,
    requestedTokenType: request.requestedTokenType ?? '',
    now: new Date(now * 1000),
  }
}

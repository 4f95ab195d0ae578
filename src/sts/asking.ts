import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { Addressee } from '../exchange/check-audience.ts'
import { expressionContext } from '../exchange/expression-context.ts'
import type { ExchangingClient, SelectedConnection, SelectedMapping } from '../exchange/grant.ts'
import type { Possession } from '../exchange/possession.ts'
import type { ExpressionContext } from '../expressions/expression.ts'
import type { Instant } from '../outside.ts'
import type { ProcessorRequest } from '../processors/processor.ts'
import type { Server } from '../server.ts'
import type { TrustRequest } from './read-request.ts'

/** Who asks for what, and by which rules: what both operations go on with. */
export interface Asking {
  readonly server: Server
  readonly client: ExchangingClient
  readonly request: TrustRequest
  readonly selected: SelectedConnection
  readonly mapping: SelectedMapping
  readonly possession: Possession
  readonly certificate: ClientCertificate | undefined
  readonly clientIp: string
  readonly now: Instant
}

/** The virtual server that was addressed: an incoming token has to be meant for it, whatever else its processor takes elsewhere. */
export function addresseeOf({ selected }: Asking): Addressee {
  return { names: [selected.virtualServerId], alsoByProcessor: false }
}

/** What processors may know of the message beside the time. */
export function knownOf({ selected, clientIp, certificate }: Asking): Omit<ProcessorRequest, 'now'> {
  return { addressed: [selected.virtualServerId], clientIp, ...(certificate && { certificate }) }
}

/** What expressions read as `context`. */
export function contextOf({ client, request, selected, clientIp, now }: Asking): ExpressionContext {
  return { ...expressionContext(client, request, clientIp, now), virtualServerId: selected.virtualServerId }
}

/** Those of a connection are its mapping's. */
export const noFurtherCriteria = { criteria: [] } as const

import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import type { Proof } from '../processors/processor.ts'
import type { Disclosure } from './disclosure.ts'

/** What a processor has found in a token. */
export function factsOf(proof: Proof, disclosure: Disclosure): JsonObject {
  const { issuer, subject, audiences, expiresAt, notBefore, issuedAt, clientId, scope, confirmation } = proof
  return {
    issuer,
    subject,
    audiences,
    ...dated('expires', expiresAt),
    ...dated('not_before', notBefore),
    ...dated('issued', issuedAt),
    ...(clientId !== undefined && { client_id: clientId }),
    ...(scope !== undefined && { scope: scope.join(' ') }),
    ...(confirmation !== undefined && { bound: true }),
    attributes: disclosure.attributes(proof.attributes),
  }
}

function dated(name: string, instant: Instant | undefined): JsonObject {
  return instant === undefined ? {} : { [name]: new Date(instant * 1000).toISOString() }
}

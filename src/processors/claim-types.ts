import type { Path } from '../config/problems.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Parts } from '../plugin.ts'

const text = { types: ['string'], words: 'a string' }
const time = { types: ['number', 'integer'], words: 'a number of seconds' }

/** What the registered claims are in every token that is taken (`claims.ts`), as the types of JSON Schema. */
const registered: Readonly<Record<string, { readonly types: readonly string[]; readonly words: string }>> = {
  ...{ iss: text, sub: text, jti: text, client_id: text, azp: text, acr: text },
  ...{ exp: time, nbf: time, iat: time, auth_time: time },
  ...{ aud: { types: ['string', 'array'], words: 'a string or a list' }, amr: { types: ['array'], words: 'a list' } },
  cnf: { types: ['object'], words: 'an object' },
}

/** Reports what a file says of a registered claim that would refuse every token. */
export function reportClaimTypes(claims: JsonObject, parts: Parts, path: Path): void {
  const properties = isJsonObject(claims.properties) ? claims.properties : {}
  for (const [name, { types, words }] of Object.entries(registered)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!isJsonObject(schema) || schema.type === undefined) continue
    const fits = [schema.type].flat().some(type => types.includes(String(type)))
    if (!fits) parts.problem([...path, 'properties', name, 'type'], `"${name}" of a token is ${words}: no token would fit`)
  }
}

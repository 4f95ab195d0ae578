import type { Path } from '../config/problems.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Parts } from '../plugin.ts'
import type { Fulfilment } from './processor-policy.ts'

// Who somebody is may be told by any of its attributes.
const identities = ['subject', 'sub', 'SAML_SUBJECT']

/**
 * Warns of an attribute that is filled from one of another name, although there is one of its own: `groups` from `given_name`. `source` is
 * the schema of what is read.
 */
export function warnOfCrossing({ contract, expressions }: Fulfilment, source: JsonObject | undefined, path: Path, parts: Parts): void {
  for (const [name, { source: text }] of expressions) {
    const read = /^(?:subject|policy)(?:\.attributes)?\.(\w+)$/.exec(text)?.[1]
    if (read === undefined || read === name || identities.includes(name)) continue
    const message = `is filled from "${read}", although "${name}" is there to be read`
    if (isAmong(name, source)) parts.warn('crossed-attribute', [...path, 'attributes', name], message)
    else if (source === undefined && differ(contract.attributes[name], contract.attributes[read]))
      parts.warn('crossed-attribute', [...path, 'attributes', name], `is filled from "${read}", which is an attribute of another type here`)
  }
}

/** Whether what is read has an attribute of the name; those of an assertion stand one level deeper. */
function isAmong(name: string, source: JsonObject | undefined): boolean {
  const properties = source?.properties
  if (!isJsonObject(properties)) return false
  const { attributes } = properties
  if (isJsonObject(attributes) && isJsonObject(properties.nameId)) return isAmong(name, attributes)
  return Object.hasOwn(properties, name)
}

function differ(one: JsonObject | undefined, other: JsonObject | undefined): boolean {
  return one !== undefined && other !== undefined && JSON.stringify(one.type) !== JSON.stringify(other.type)
}

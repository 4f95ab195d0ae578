import type { JsonObject, JsonValue } from '../json.ts'
import { namesOf } from '../observe/audit-entry.ts'
import type { Actor } from '../processors/processor.ts'

/** How much of what tokens say an explanation shows. */
export interface Disclosure {
  /** Attributes by name; `loggable` are those that their contract marks with `"log": true`. */
  attributes(values: JsonObject, loggable?: readonly string[]): JsonObject
  /** The value of one attribute. */
  value(value: JsonValue, isLoggable: boolean): JsonValue
  text(text: string): string
  actor(actor: Actor): Actor
}

/** Everything: for whoever has the token and the configuration before them. */
export const everything: Disclosure = { attributes: values => values, value: value => value, text: text => text, actor: actor => actor }

const hidden = '***'

/** Names of attributes, and the values of loggable ones only: what the audit record may show. */
export const loggableOnly: Disclosure = {
  attributes: (values, loggable = []) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, loggable.includes(name) ? value : hidden])),
  value: (value, isLoggable) => (isLoggable ? value : hidden),
  text: () => hidden,
  actor: namesOf,
}

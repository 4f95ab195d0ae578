import { isJsonObject, type JsonValue } from '../../json.ts'

/** What a JSON pointer leads to; undefined where there is no such thing (RFC 6901). */
export function valueAt(document: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(name) ? (value[Number(name)] as JsonValue | undefined) : undefined
    else value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return value
}

/** A number of so many digits that JSON has already lost some. */
export function hasLostDigits(value: JsonValue | undefined): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value)
  if (Array.isArray(value)) return value.some(hasLostDigits)
  return isJsonObject(value) && Object.values(value).some(hasLostDigits)
}

/** A value as JSON has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject

/** A JSON object. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined
}

/** Whether a JSON value is an object. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Whoever walks through ten thousand nested brackets exhausts the stack.
const deepestNesting = 64

/**
 * Parses a JSON object that an outsider wrote. Undefined where it is no object, is nested too deeply, or names a member
 * twice: two readers of `{"aud":"a","aud":"b"}` can disagree (RFC 8725bis).
 */
export function parseOutsidersObject(text: string): JsonObject | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  // In valid JSON every member has one colon outside of strings; a member named twice is in the text, but not in the value.
  return countMembers(value, 1) === countColonsOutsideStrings(text) ? value : undefined
}

/** How many members there are at all depths; NaN, which equals nothing, when it is nested too deeply. */
function countMembers(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0
  if (depth > deepestNesting) return Number.NaN
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item, depth + 1)
    return count
  }
  for (const name in value) {
    count += 1 + countMembers((value as Record<string, unknown>)[name], depth + 1)
  }
  return count
}

function countColonsOutsideStrings(text: string): number {
  let count = 0
  let insideString = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (insideString) {
      if (code === 0x5c) at++
      else if (code === 0x22) insideString = false
    } else if (code === 0x22) insideString = true
    else if (code === 0x3a) count++
  }
  return count
}

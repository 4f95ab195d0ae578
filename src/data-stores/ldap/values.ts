import type { JsonObject, JsonValue } from '../../json.ts'
import { typeOf } from '../table-rows.ts'
import { UnfitAnswer } from '../unfit-answer.ts'

/** How the bytes of an attribute are written where they are no text. */
export type BinaryForm = 'base64' | 'hex' | 'sid' | 'guid'

/** What an attribute of an entry becomes, by the JSON Schema that the store declares for it. */
export interface DeclaredAttribute {
  readonly name: string
  readonly schema: JsonObject
  readonly binary: BinaryForm | undefined
}

/** The value of an attribute as JSON; undefined where it is absent. Throws an `UnfitAnswer` when it is nothing that was declared. */
export function attributeValue({ name, schema, binary }: DeclaredAttribute, values: readonly Buffer[]): JsonValue | undefined {
  if (typeOf(schema) === 'array') {
    const items = isSchema(schema.items) ? schema.items : {}
    // A directory has no empty lists: nobody can tell one from an absent attribute.
    return values.map(value => single(name, typeOf(items), binary, value))
  }
  const [value, ...others] = values
  if (value === undefined) return undefined
  // Which of them comes first is up to the directory.
  if (others.length > 0) throw new UnfitAnswer(`the attribute "${name}" has ${values.length} values, and is declared to have one`)
  return single(name, typeOf(schema), binary, value)
}

function single(name: string, type: string, binary: BinaryForm | undefined, value: Buffer): JsonValue {
  const text = binary === undefined ? textOf(name, value) : binaryText(name, binary, value)
  if (type === 'boolean') return booleanIn(name, text)
  return type === 'integer' || type === 'number' ? numberIn(name, type, text) : text
}

function textOf(name: string, value: Buffer): string {
  const text = value.toString('utf8')
  // Else two values that differ would read alike.
  if (!Buffer.from(text, 'utf8').equals(value)) throw new UnfitAnswer(`the attribute "${name}" is no text; say its form in "binary"`)
  return text
}

/** RFC 4517 §3.3.3. */
function booleanIn(name: string, text: string): boolean {
  if (text !== 'TRUE' && text !== 'FALSE') throw new UnfitAnswer(`the attribute "${name}" is neither TRUE nor FALSE`)
  return text === 'TRUE'
}

/** RFC 4517 §3.3.16. */
function numberIn(name: string, type: string, text: string): number {
  const number = Number(text)
  const isNumber = /^-?\d+$/.test(text) || (type === 'number' && /^-?\d+\.\d+$/.test(text))
  if (!isNumber) throw new UnfitAnswer(`the attribute "${name}" is no ${type}`)
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER)
    throw new UnfitAnswer(`the attribute "${name}" is too large for a number; declare it as a string`)
  return number
}

function binaryText(name: string, form: BinaryForm, value: Buffer): string {
  if (form === 'base64' || form === 'hex') return value.toString(form)
  const text = form === 'sid' ? sidIn(value) : guidIn(value)
  if (text === undefined) throw new UnfitAnswer(`the attribute "${name}" is no ${form.toUpperCase()}`)
  return text
}

/** A security identifier of Windows ([MS-DTYP] §2.4.2.2), as `S-1-5-21-…`. */
function sidIn(value: Buffer): string | undefined {
  const count = value[1] ?? 0
  if (value.length < 8 || value.length !== 8 + 4 * count) return undefined
  const authorities = Array.from({ length: count }, (_, index) => value.readUInt32LE(8 + 4 * index))
  return ['S', value[0], value.readUIntBE(2, 6), ...authorities].join('-')
}

/** A GUID of Windows ([MS-DTYP] §2.3.4.2): its first three parts have their lowest byte first. */
function guidIn(value: Buffer): string | undefined {
  if (value.length !== 16) return undefined
  const parts = [
    [0, 4],
    [4, 6],
    [6, 8],
  ].map(([start, end]) => Buffer.from(value.subarray(start, end)).reverse())
  return [...parts, value.subarray(8, 10), value.subarray(10)].map(part => part.toString('hex')).join('-')
}

function isSchema(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

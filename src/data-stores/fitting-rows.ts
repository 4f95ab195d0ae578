import type { CompiledSchema } from '../config/json-schema.ts'
import type { JsonValue } from '../json.ts'
import { mayBeAbsent } from '../policies/lookup-schema.ts'
import type { Row } from './data-store.ts'
import { UnfitAnswer } from './unfit-answer.ts'

/** What a lookup passes on of an entry: the attributes that are asked for, and no others. Throws an `UnfitAnswer`, which repeats no value. */
export function fittingRows(
  store: string,
  schemas: ReadonlyArray<{ readonly name: string; readonly schema: CompiledSchema }>,
  setting: string,
): (row: Row) => Row {
  return row => {
    const fit: Record<string, JsonValue> = {}
    for (const { name, schema } of schemas) {
      const value = (Object.hasOwn(row, name) ? row[name] : undefined) ?? undefined
      const problem = value === undefined ? missing(name, schema) : schema.problem(value, name)
      if (problem !== undefined)
        throw new UnfitAnswer(`what the data store "${store}" answers at ${setting} is not what its "attributes" say: ${problem}`)
      if (value !== undefined) fit[name] = value
    }
    return fit
  }
}

function missing(name: string, { schema }: CompiledSchema): string | undefined {
  return mayBeAbsent(schema) ? undefined : `${name} is missing`
}

import type { ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { JsonObject, JsonValue } from '../json.ts'
import { linearTimeRegExp } from './linear-time-regexp.ts'
import type { Path } from './problems.ts'
import { mistakeInSchema } from './schema-mistakes.ts'

/** A JSON Schema that an administrator wrote, compiled. */
export interface CompiledSchema {
  readonly schema: JsonObject
  /** What is wrong with the value, as `email must match format "email"`; undefined when nothing is. Never repeats the value. */
  problem(value: JsonValue | undefined): string | undefined
}

/** A JSON Schema that cannot be used. `path` is where in the schema the mistake is. */
export class SchemaMistake extends Error {
  readonly path: Path
  constructor(path: Path, message: string) {
    super(message)
    this.path = path
  }
}

/** Compiles the JSON Schemas (draft 2020-12) of one configuration. Equal ones are compiled once. */
export class SchemaCompiler {
  readonly #ajv: Ajv2020
  readonly #compiled = new Map<string, CompiledSchema>()

  constructor() {
    const strictly = {
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allErrors: false,
      addUsedSchema: false,
      logger: false,
    } as const
    // The optimizer takes longer than all the rest, and what comes out is no faster.
    this.#ajv = new Ajv2020({ ...strictly, code: { regExp: linearTimeRegExp, optimize: false } })
    formats.default(this.#ajv as never)
  }

  /** Throws a `SchemaMistake`. */
  compile(schema: JsonObject): CompiledSchema {
    const text = JSON.stringify(schema)
    const known = this.#compiled.get(text)
    if (known !== undefined) return known
    const validate = this.#validator(schema)
    const compiled = { schema, problem: (value: JsonValue | undefined) => (validate(value) ? undefined : describe(validate.errors?.[0])) }
    this.#compiled.set(text, compiled)
    return compiled
  }

  #validator(schema: JsonObject) {
    const mistake = mistakeInSchema(this.#ajv, schema)
    if (mistake !== undefined) throw new SchemaMistake(mistake.path, mistake.message)
    try {
      return this.#ajv.compile(schema)
    } catch (error) {
      throw new SchemaMistake([], `this JSON Schema cannot be used: ${(error as Error).message}`)
    }
  }
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it does not meet its schema'
  const where = error.instancePath.slice(1).replaceAll('/', '.')
  return `${where === '' ? 'it' : where} ${error.message ?? 'does not meet its schema'}`
}

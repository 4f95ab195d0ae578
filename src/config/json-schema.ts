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
  /**
   * What is wrong with the value, as `email must match format "email"`, or `it …` for the value as a whole, unless it has a `name`;
   * undefined when nothing is. Never repeats the value.
   */
  problem(value: JsonValue | undefined, name?: string): string | undefined
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
    const strictly = { strict: true, strictTypes: false, strictRequired: false, strictTuples: false, allErrors: false } as const
    // What is wrong with a schema is found without the meta-schema, whose compilation takes longer than that of most configurations.
    const quickly = { meta: false, validateSchema: false, addUsedSchema: false, logger: false } as const
    // ajv's optimizer takes as long as all the rest, and what comes out is no faster.
    this.#ajv = new Ajv2020({ ...strictly, ...quickly, code: { regExp: linearTimeRegExp, optimize: false } })
    formats.default(this.#ajv as never)
    // The one format whose pattern takes quadratic time on a hostile value.
    this.#ajv.addFormat('url', { type: 'string', validate: isWebAddress })
  }

  /** Throws a `SchemaMistake`. */
  compile(schema: JsonObject): CompiledSchema {
    const text = JSON.stringify(schema)
    const known = this.#compiled.get(text)
    if (known !== undefined) return known
    const validate = this.#validator(schema)
    const compiled: CompiledSchema = {
      schema,
      problem: (value, name = '') => (validate(value) ? undefined : describe(validate.errors?.[0], name)),
    }
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

function isWebAddress(text: string): boolean {
  return /^(https?|ftp):\/\//i.test(text) && URL.canParse(text)
}

function describe(error: ErrorObject | undefined, name: string): string {
  const within = (error?.instancePath ?? '').slice(1).replaceAll('/', '.')
  const where = [name, within].filter(step => step !== '').join('.')
  return `${where === '' ? 'it' : where} ${error?.message ?? 'does not meet its schema'}`
}

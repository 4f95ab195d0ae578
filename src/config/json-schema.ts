import { Ajv, type ErrorObject } from 'ajv'
import formats from 'ajv-formats'
import { RE2JS } from 're2js'
import type { JsonObject, JsonValue } from '../json.ts'

/** A JSON Schema that an administrator wrote, compiled. */
export interface CompiledSchema {
  readonly schema: JsonObject
  /** What is wrong with the value, as `email must match format "email"`; undefined when nothing is. Never repeats the value. */
  problem(value: JsonValue | undefined): string | undefined
}

/** Compiles the JSON Schemas of one configuration. Throws an `Error` that says what is wrong with a schema. */
export class SchemaCompiler {
  readonly #ajv: Ajv

  constructor() {
    this.#ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: false, code: { regExp: linearTimeRegExp } })
    formats.default(this.#ajv)
    // Annotations of ours: they say nothing about the value.
    this.#ajv.addVocabulary(['log', 'saml'])
  }

  compile(schema: JsonObject): CompiledSchema {
    const validate = this.#ajv.compile(schema)
    return { schema, problem: value => (validate(value) ? undefined : describe(validate.errors?.[0])) }
  }
}

// A pattern runs on values that outsiders choose: with a backtracking engine one of each stops the server for minutes.
function linearTimeRegExp(pattern: string, flags: string) {
  const compiled = RE2JS.compile(pattern, flags.includes('i') ? RE2JS.CASE_INSENSITIVE : 0)
  return { test: (text: string) => compiled.matcher(text).find() }
}
linearTimeRegExp.code = 'undefined'

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it does not meet its schema'
  const where = error.instancePath.slice(1).replaceAll('/', '.')
  return `${where === '' ? 'it' : where} ${error.message ?? 'does not meet its schema'}`
}

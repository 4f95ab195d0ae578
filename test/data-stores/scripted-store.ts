import pino from 'pino'
import { SchemaCompiler } from '../../src/config/json-schema.ts'
import type { Path } from '../../src/config/problems.ts'
import { type ExpressionSource, type Reference, type TemplateSource, template } from '../../src/config/values.ts'
import type { DataStore, QueryValue, Row } from '../../src/data-stores/data-store.ts'
import { dataStoreKind } from '../../src/data-stores/store-kind.ts'
import { lookUp } from '../../src/exchange/look-up.ts'
import type { MadeLookup } from '../../src/exchange/witness.ts'
import { type Declarations, ExpressionCompiler } from '../../src/expressions/compile.ts'
import type { JsonObject, JsonValue } from '../../src/json.ts'
import { type Keeping, Kept } from '../../src/kept.ts'
import type { Parts } from '../../src/plugin.ts'
import { buildLookups } from '../../src/policies/build-lookups.ts'
import { lookupsSettings } from '../../src/policies/lookup-settings.ts'

/** What a scripted store does when it is asked. */
export type Script = (values: readonly QueryValue[], signal: AbortSignal) => Promise<readonly Row[]>

const text = { type: 'string' }

/** A data store that does what a test says, and the clock of whoever asks it. */
export class ScriptedStore {
  script: Script = async () => []
  asked = 0
  now = 1_000_000
  readonly problems: string[] = []
  readonly warnings: string[] = []
  readonly logged: string[] = []
  readonly #expressions = new ExpressionCompiler()
  readonly #schemas = new SchemaCompiler()
  #store: DataStore | undefined

  /** Builds the store, and lookups in it. `settings` are those of the lookup `person`. */
  async lookups(settings: object = {}, { kept = new Kept().draft() as Keeping, store = {} as object, declared = {} as Declarations } = {}) {
    const parts = this.#parts(kept)
    const kind = dataStoreKind('scripted', {}, { query: template }, () => ({
      attributes: { number: text, groups: { type: ['array', 'null'], items: text }, level: { type: ['integer', 'null'] } },
      prepare: ({ query }, lookupParts) => {
        const compiled = lookupParts.template(query as TemplateSource, ['query'])
        return {
          describe: values => compiled.pieces.map(piece => ('value' in piece ? `<${String(values[piece.value])}>` : piece.text)).join(''),
          run: (values, signal) => {
            this.asked++
            return this.script(values, signal)
          },
        }
      },
    }))
    this.#store = await kind.schema.parse({ type: 'scripted', ...store }).build(parts)
    const whole = { dataStore: 'hr', query: '(mail={subject.mail})', attributes: ['number'], ...settings }
    const parsed = lookupsSettings.parse({ person: whole })
    return buildLookups(parsed, { subject: { type: 'object', properties: { mail: text }, required: ['mail'] }, ...declared }, parts, [
      'lookups',
    ])
  }

  get store(): DataStore {
    if (this.#store === undefined) throw new Error('the store has not been built yet')
    return this.#store
  }

  #parts(kept: Keeping): Parts {
    const at = (path: Path) => path.map(String).join('.')
    const log = pino({ level: 'info' }, { write: (line: string) => this.logged.push(line) })
    return {
      id: 'hr',
      outside: { now: () => this.now, log },
      kept,
      text: () => '',
      dataStore: (_reference: Reference) => this.store,
      jsonSchema: (schema: JsonObject) => this.#schemas.compile(schema),
      settingAt: (path: Path) => at(path),
      problem: (path: Path, message: string, offset?: number) =>
        this.problems.push(`${at(path)}${offset === undefined ? '' : `+${offset}`}: ${message}`),
      warn: (code: string, path: Path) => this.warnings.push(`${code} ${at(path)}`),
      expression: ({ source, offset }: ExpressionSource, path: Path, declared: Declarations, expected: JsonObject) => {
        try {
          return this.#expressions.compile(source, at(path), declared, expected).expression
        } catch (error) {
          this.problems.push(`${at(path)}+${offset}: ${(error as Error).message}`)
          return undefined
        }
      },
    } as unknown as Parts
  }
}

/** Makes the lookups of a mapping, and gives what was found and what was told of each. */
export async function made(built: Awaited<ReturnType<ScriptedStore['lookups']>>, subject: JsonObject = { mail: 'a@b.example' }) {
  const told: MadeLookup[] = []
  const found: JsonValue = await lookUp(built.lookups ?? [], lookup => ({ subject, lookup }), {
    lookedUp: (_lookup, result) => void told.push(result),
  })
  return { found, told }
}

/** What went wrong, in one line: the reason or kind, and the message. */
export async function failure(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt
  } catch (error) {
    const { name, message, reason, setting } = error as Error & { reason?: string; setting?: string }
    return `${reason ?? name}: ${message} [${setting}]`
  }
  return 'nothing'
}

import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import type { Client } from '../clients/client.ts'
import type { DataStore } from '../data-stores/data-store.ts'
import { ExpressionCompiler, ExpressionProblem } from '../expressions/compile.ts'
import type { TokenGenerator } from '../generators/token-generator.ts'
import type { JsonObject } from '../json.ts'
import type { Keeping } from '../kept.ts'
import type { ConfiguredKey } from '../keys/key-file.ts'
import { type LinesOfKeys, linesOfKeys } from '../keys/lines-of-keys.ts'
import type { Outside } from '../outside.ts'
import { NotBuilt, type Parts, type Probe, SettingProblem } from '../plugin.ts'
import type { GeneratorGroup } from '../policies/generator-group.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import { usedFirst } from './build-order.ts'
import type { Findings } from './findings.ts'
import { type FolderKind, folderKinds } from './folders.ts'
import { SchemaCompiler, SchemaMistake } from './json-schema.ts'
import type { ParsedFile } from './parse.ts'
import { memberName, type Path } from './problems.ts'
import type { ServerSettings } from './server-file.ts'
import { Turns } from './turns.ts'
import type { ExternalText } from './values.ts'

/** What all files became, by kind and id. */
export interface Built {
  readonly keys: Map<string, ConfiguredKey>
  readonly 'data-stores': Map<string, DataStore>
  readonly 'access-token-managers': Map<string, AccessTokenManager>
  readonly 'token-generators': Map<string, TokenGenerator>
  readonly 'generator-groups': Map<string, GeneratorGroup>
  readonly 'token-processors': Map<string, TokenProcessor>
  readonly 'processor-policies': Map<string, ProcessorPolicy>
  readonly 'idp-connections': Map<string, IdpConnection>
  readonly clients: Map<string, Client>
  readonly keyLines: LinesOfKeys
  readonly probes: readonly ConfiguredProbe[]
}

/** What can be asked of another server, and the file that names it. */
export interface ConfiguredProbe extends Probe {
  readonly file: ParsedFile
}

/** What the rest of the configuration needs to know of the server. */
export interface Surroundings {
  /** Undefined when `server.json` has problems; what depends on it is then not checked. */
  readonly server: ServerSettings | undefined
  readonly texts: ReadonlyMap<ExternalText, string>
  readonly outside: Outside
  readonly kept: Keeping
  readonly findings: Findings
}

/** Builds every file, each kind after those that it refers to, and collects problems and warnings of all. */
export class Builder {
  readonly #surroundings: Surroundings
  readonly #expressions = new ExpressionCompiler()
  readonly #schemas = new SchemaCompiler()
  readonly #built = {
    keys: new Map<string, ConfiguredKey>(),
    'data-stores': new Map<string, DataStore>(),
    'access-token-managers': new Map<string, AccessTokenManager>(),
    'token-generators': new Map<string, TokenGenerator>(),
    'generator-groups': new Map<string, GeneratorGroup>(),
    'token-processors': new Map<string, TokenProcessor>(),
    'processor-policies': new Map<string, ProcessorPolicy>(),
    'idp-connections': new Map<string, IdpConnection>(),
    clients: new Map<string, Client>(),
  }
  readonly #probes: ConfiguredProbe[] = []
  #keyLines: LinesOfKeys = { signing: new Map(), decryption: new Map(), problems: [] }

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  async build(parsed: readonly ParsedFile[]): Promise<Built> {
    const turns = new Turns()
    for (const kind of folderKinds) {
      const files = usedFirst(
        parsed.filter(file => file.source.kind === kind),
        this.#surroundings.findings,
      )
      for (const file of files) {
        await turns.next()
        await this.#buildFile(kind, file)
      }
      if (kind === 'keys') this.#drawKeyLines(files)
    }
    return { ...this.#built, keyLines: this.#keyLines, probes: this.#probes }
  }

  async #buildFile(kind: FolderKind, file: ParsedFile): Promise<void> {
    let misleading = false
    const problem = (path: Path, message: string, offset?: number) => {
      // Whoever fulfils a contract with problems would be told to fulfil them.
      misleading ||= path[0] === 'contract'
      this.#surroundings.findings.report(file, path, message, offset)
    }
    try {
      const built = await file.blueprint.build(this.#partsFor(file, problem))
      if (!misleading) (this.#built[kind] as Map<string, unknown>).set(file.source.id, built)
    } catch (error) {
      if (error instanceof SettingProblem) problem(error.path, error.message)
      else if (!(error instanceof NotBuilt)) throw error
    }
  }

  #drawKeyLines(files: readonly ParsedFile[]): void {
    this.#keyLines = linesOfKeys([...this.#built.keys.values()])
    const byId = new Map(files.map(file => [file.source.id, file]))
    for (const { id, path, message } of this.#keyLines.problems) {
      const file = byId.get(id)
      if (file !== undefined && (path[0] !== 'status' || this.#isWhole(id))) this.#surroundings.findings.report(file, path, message)
    }
  }

  // What is missing in a line of keys may be the very key that could not be built.
  #isWhole(id: string): boolean {
    const passed = new Set<string>()
    for (let next: string | undefined = id; next !== undefined && !passed.has(next); ) {
      const key = this.#built.keys.get(next)
      if (key === undefined) return false
      passed.add(next)
      next = key.replaces
    }
    return true
  }

  #partsFor(file: ParsedFile, problem: Parts['problem']): Parts {
    const { server, texts, outside, kept, findings } = this.#surroundings
    return {
      id: file.source.id,
      issuer: server?.issuer ?? 'https://unknown.invalid',
      outside,
      kept,
      problem,
      warn: (code, path, message) => findings.warn(file, code, path, message),
      problemAt: ({ from, name }, position, message) => findings.reportAt(from === 'file' ? name : `env:${name}`, position, message),
      settingAt: path => `${file.source.file} ${memberName(path)}`,
      probe: probe => this.#probes.push({ ...probe, file }),
      text: external => texts.get(external) ?? fail(),
      signingKey: ({ id }, path) =>
        this.#keyLines.signing.get(id) ?? this.#unusableKey(id, path, 'it decrypts, and a key that signs is needed'),
      decryptionKeys: ({ id }, path) =>
        this.#keyLines.decryption.get(id) ?? this.#unusableKey(id, path, 'it signs, and a key that decrypts is needed'),
      dataStore: ({ id }) => this.#built['data-stores'].get(id) ?? fail(),
      accessTokenManager: ({ id }) => this.#built['access-token-managers'].get(id) ?? fail(),
      generatorGroup: ({ id }) => this.#built['generator-groups'].get(id) ?? fail(),
      tokenGenerator: ({ id }) => this.#built['token-generators'].get(id) ?? fail(),
      tokenProcessor: ({ id }) => this.#built['token-processors'].get(id) ?? fail(),
      processorPolicy: ({ id }) => this.#built['processor-policies'].get(id) ?? fail(),
      jsonSchema: (schema, path) => this.#compileSchema(schema, path),
      expression: (...expression) => this.#compileExpression(file, ...expression),
    }
  }

  #compileSchema(schema: JsonObject, path: Path) {
    try {
      return this.#schemas.compile(schema)
    } catch (error) {
      if (!(error instanceof SchemaMistake)) throw error
      throw new SettingProblem([...path, ...error.path], error.message)
    }
  }

  #compileExpression(file: ParsedFile, ...[{ source, offset }, path, declared, expected, where]: Parameters<Parts['expression']>) {
    const { findings } = this.#surroundings
    const before = where === undefined ? '' : `${where}: `
    try {
      const place = `${file.source.file} ${memberName(path)}`
      const { expression, unguarded } = this.#expressions.compile(source, place, declared, expected)
      for (const { path: member, start } of unguarded) {
        const message = `${before}reads ${member}, which its schema does not require; guard it with has()`
        findings.warn(file, 'optional-claim-read', path, message, offset + start)
      }
      return expression
    } catch (error) {
      if (!(error instanceof ExpressionProblem)) throw error
      findings.report(file, path, `${before}${error.message}`, offset + error.offset)
      return undefined
    }
  }

  #unusableKey(id: string, path: Path, why: string): never {
    const key = this.#built.keys.get(id)
    const usable = this.#keyLines.signing.has(id) || this.#keyLines.decryption.has(id)
    if (key !== undefined && usable) throw new SettingProblem(path, `the key "${id}" does not fit: ${why}`)
    return fail()
  }
}

function fail(): never {
  throw new NotBuilt()
}

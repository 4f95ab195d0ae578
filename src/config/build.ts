import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import type { Client } from '../clients/client.ts'
import { ExpressionCompiler, ExpressionProblem } from '../expressions/compile.ts'
import type { TokenGenerator } from '../generators/token-generator.ts'
import type { ConfiguredKey } from '../keys/key-file.ts'
import { type LinesOfKeys, linesOfKeys } from '../keys/lines-of-keys.ts'
import type { Outside } from '../outside.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import type { GeneratorGroup } from '../policies/generator-group.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import { type FolderKind, folderKinds } from './folders.ts'
import { SchemaCompiler } from './json-schema.ts'
import type { ParsedFile } from './parse.ts'
import { type Path, type Problem, placeOf, type Warning } from './problems.ts'
import type { ServerSettings } from './server-file.ts'
import { didYouMean } from './suggest.ts'
import type { ExternalText } from './values.ts'

/** What all files became, by kind and id. */
export interface Built {
  readonly keys: Map<string, ConfiguredKey>
  readonly 'access-token-managers': Map<string, AccessTokenManager>
  readonly 'token-generators': Map<string, TokenGenerator>
  readonly 'generator-groups': Map<string, GeneratorGroup>
  readonly 'token-processors': Map<string, TokenProcessor>
  readonly 'processor-policies': Map<string, ProcessorPolicy>
  readonly clients: Map<string, Client>
  readonly keyLines: LinesOfKeys
}

/** What the rest of the configuration needs to know of the server. */
export interface Surroundings {
  readonly server: ServerSettings
  readonly texts: ReadonlyMap<ExternalText, string>
  readonly outside: Outside
}

/** Thrown where something refers to a file that has problems of its own; those are reported, this is not. */
class NotBuilt extends Error {}

/** Builds every file, each kind after those that it refers to, and collects problems and warnings of all. */
export class Builder {
  readonly problems: Problem[] = []
  readonly warnings: Warning[] = []
  readonly #surroundings: Surroundings
  readonly #expressions = new ExpressionCompiler()
  readonly #schemas = new SchemaCompiler()
  readonly #built = {
    keys: new Map<string, ConfiguredKey>(),
    'access-token-managers': new Map<string, AccessTokenManager>(),
    'token-generators': new Map<string, TokenGenerator>(),
    'generator-groups': new Map<string, GeneratorGroup>(),
    'token-processors': new Map<string, TokenProcessor>(),
    'processor-policies': new Map<string, ProcessorPolicy>(),
    clients: new Map<string, Client>(),
  }
  #keyLines: LinesOfKeys = { signing: new Map(), decryption: new Map(), problems: [] }

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  async build(parsed: readonly ParsedFile[]): Promise<Built> {
    for (const kind of folderKinds) {
      const files = parsed.filter(file => file.source.kind === kind)
      for (const file of files) await this.#buildFile(kind, file)
      if (kind === 'keys') this.#drawKeyLines(files)
    }
    return { ...this.#built, keyLines: this.#keyLines }
  }

  async #buildFile(kind: FolderKind, file: ParsedFile): Promise<void> {
    try {
      const built = await file.blueprint.build(this.#partsFor(file))
      ;(this.#built[kind] as Map<string, unknown>).set(file.source.id, built)
    } catch (error) {
      if (error instanceof SettingProblem) this.#report(file, error.path, error.message)
      else if (!(error instanceof NotBuilt)) throw error
    }
  }

  #drawKeyLines(files: readonly ParsedFile[]): void {
    this.#keyLines = linesOfKeys([...this.#built.keys.values()])
    for (const { id, path, message } of this.#keyLines.problems) {
      const file = files.find(({ source }) => source.id === id)
      if (file !== undefined) this.#report(file, path, message)
    }
  }

  #partsFor(file: ParsedFile): Parts {
    const { server, texts, outside } = this.#surroundings
    const problem = (path: Path, message: string, offset?: number) => this.#report(file, path, message, offset)
    const warn = (code: string, path: Path, message: string) => {
      this.warnings.push({ code, message, place: placeOf(file.source.file, file.source.text, path) })
    }
    return {
      id: file.source.id,
      issuer: server.issuer,
      outside,
      problem,
      warn,
      text: external => texts.get(external) ?? fail(),
      signingKey: ({ id }, path) =>
        this.#keyLines.signing.get(id) ?? this.#unusableKey(id, path, 'it decrypts, and a key that signs is needed'),
      decryptionKeys: ({ id }, path) =>
        this.#keyLines.decryption.get(id) ?? this.#unusableKey(id, path, 'it signs, and a key that decrypts is needed'),
      accessTokenManager: ({ id }) => this.#built['access-token-managers'].get(id) ?? fail(),
      generatorGroup: ({ id }) => this.#built['generator-groups'].get(id) ?? fail(),
      tokenGenerator: ({ id }) => this.#built['token-generators'].get(id) ?? fail(),
      tokenProcessor: ({ id }) => this.#built['token-processors'].get(id) ?? fail(),
      processorPolicy: ({ id }) => this.#built['processor-policies'].get(id) ?? fail(),
      jsonSchema: (schema, path) => {
        try {
          return this.#schemas.compile(schema)
        } catch (error) {
          throw new SettingProblem(path, `this JSON Schema cannot be used: ${(error as Error).message}`)
        }
      },
      expression: ({ source }, path, declared, expected) => {
        try {
          const place = `${file.source.file.replace(/\.json$/, '')} ${path.join('.')}`
          const { expression, unguarded } = this.#expressions.compile(source, place, declared, expected)
          for (const { path: member } of unguarded)
            warn('optional-claim-read', path, `reads ${member}, which its schema does not require; guard it with has()`)
          return expression
        } catch (error) {
          if (!(error instanceof ExpressionProblem)) throw error
          problem(path, error.message, error.offset)
          return undefined
        }
      },
      scopes: (names, path) => {
        const known = Object.keys(server.scopes)
        for (const [index, name] of names.entries()) {
          if (!known.includes(name)) problem([...path, index], `server.json lists no scope "${name}"${didYouMean(name, known)}`)
        }
        return new Set(names)
      },
    }
  }

  #unusableKey(id: string, path: Path, why: string): never {
    if (this.#built.keys.has(id) && this.#keyLines.problems.length === 0)
      throw new SettingProblem(path, `the key "${id}" does not fit: ${why}`)
    return fail()
  }

  #report(file: ParsedFile, path: Path, message: string, offset?: number): void {
    this.problems.push({ place: placeOf(file.source.file, file.source.text, path, offset), message })
  }
}

function fail(): never {
  throw new NotBuilt()
}

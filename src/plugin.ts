import { z } from 'zod'
import type { AccessTokenManager } from './access-tokens/access-token-manager.ts'
import type { CompiledSchema } from './config/json-schema.ts'
import type { Path } from './config/problems.ts'
import { type ExpressionSource, type ExternalText, everyFile, type Reference, strict } from './config/values.ts'
import type { DataStore } from './data-stores/data-store.ts'
import type { Declarations } from './expressions/compile.ts'
import type { Expression } from './expressions/expression.ts'
import type { TokenGenerator } from './generators/token-generator.ts'
import type { JsonObject } from './json.ts'
import type { Keeping } from './kept.ts'
import type { DecryptionKey } from './keys/decryption-key.ts'
import type { SigningKey } from './keys/signing-key.ts'
import type { Outside } from './outside.ts'
import type { GeneratorGroup } from './policies/generator-group.ts'
import type { ProcessorPolicy } from './policies/processor-policy.ts'
import type { TokenProcessor } from './processors/processor.ts'

/** What a plug-in is given when it is built: its own name, the outside world, and whatever its settings refer to. */
export interface Parts {
  /** The id of the instance: its file's name. */
  readonly id: string
  /** This server's issuer identifier. */
  readonly issuer: string
  readonly outside: Outside
  /** What earlier configurations have fetched or opened, and this one goes on with. */
  readonly kept: Keeping
  /** The content of a secret, key or certificate that the settings name. */
  text(external: ExternalText): string
  /** The active key of the line that the named key belongs to, and every key of that line that verifies. */
  signingKey(reference: Reference, path: Path): SigningKeyLine
  /** Every key of the line that the named key belongs to: each may decrypt. */
  decryptionKeys(reference: Reference, path: Path): readonly DecryptionKey[]
  /** Throws `NotBuilt`, as the others below do, when that file has problems of its own. */
  dataStore(reference: Reference): DataStore
  accessTokenManager(reference: Reference): AccessTokenManager
  tokenProcessor(reference: Reference): TokenProcessor
  tokenGenerator(reference: Reference): TokenGenerator
  generatorGroup(reference: Reference): GeneratorGroup
  processorPolicy(reference: Reference): ProcessorPolicy
  /** Compiles a JSON Schema of the settings that stands at this path. */
  jsonSchema(schema: JsonObject, path: Path): CompiledSchema
  /**
   * Compiles a CEL expression that stands at this path; undefined when it has a problem, which is then reported. `expected` is the
   * JSON Schema of its result. `where` says for what it was checked, where it is checked for several things.
   */
  expression(source: ExpressionSource, path: Path, declared: Declarations, expected: JsonObject, where?: string): Expression | undefined
  /** How refusals and explanations name the setting at this path: `policies/processor-policies/partner.json issues[0].attributes`. */
  settingAt(path: Path): string
  /** Reports a problem and goes on, so that an administrator sees all of them at once. `offset` points into a string. */
  problem(path: Path, message: string, offset?: number): void
  /** The same for a problem in a file that the settings name. */
  problemAt(external: ExternalText, position: { readonly line: number; readonly column: number }, message: string): void
  /** Reports a setting that is legal and dangerous. `code` names its page in `docs/warnings.md`. */
  warn(code: string, path: Path, message: string): void
  /** Registers what `cambist check --online` asks of another server. */
  probe(probe: Probe): void
}

/** Asks another server as an exchange would, and changes nothing there. */
export interface Probe {
  /** The setting that names the server. */
  readonly path: Path
  /** What is asked for: `the keys of https://login.example.com`. */
  readonly what: string
  /** Resolves to what was found, in a few words. Rejects with an `Error` for a person when no exchange could use it. */
  run(): Promise<string>
}

/** A signing key with its predecessor and successor: all are published, one signs. */
export interface SigningKeyLine {
  readonly active: SigningKey
  readonly published: readonly SigningKey[]
  /** Those of `published` that are to sign later (`next`): whoever pins keys has to know them before. */
  readonly upcoming: readonly SigningKey[]
}

/** A setting that cannot work, found while building. The loader adds file, line and column. */
export class SettingProblem extends Error {
  readonly path: Path
  constructor(path: Path, message: string) {
    super(message)
    this.path = path
  }
}

/** Thrown where something is needed of a file that has problems of its own; those are reported, this is not. */
export class NotBuilt extends Error {}

/** What it returns, or undefined where that needs a file that has problems of its own. */
export function ifBuilt<Built>(build: () => Built): Built | undefined {
  try {
    return build()
  } catch (error) {
    if (error instanceof NotBuilt) return undefined
    throw error
  }
}

/** What parsing a plug-in's file gives: its settings, and how to build it from them. */
export interface Blueprint<Built> {
  readonly type: string
  readonly settings: object
  build(parts: Parts): Built | Promise<Built>
}

/** A kind of plug-in: a zod schema whose parse result builds it, so that settings, defaults, editor schema and behaviour sit together. */
export interface PluginKind<Built> {
  readonly type: string
  readonly schema: z.ZodType<Blueprint<Built>>
  /** The package that it comes from; undefined: it is our own. */
  readonly from?: string
}

/** What `pluginKind` makes. As a class, so that what another copy of this package has made is told apart: its values are not ours. */
export class DefinedKind<Built> implements PluginKind<Built> {
  readonly type: string
  readonly schema: z.ZodType<Blueprint<Built>>
  /** The members that are this kind's own. */
  readonly shape: z.ZodRawShape
  constructor(type: string, schema: z.ZodType<Blueprint<Built>>, shape: z.ZodRawShape) {
    this.type = type
    this.schema = schema
    this.shape = shape
  }
}

/** Members that every plug-in's file may have. `extends` is resolved before the schema is applied. */
export const everyPlugin = {
  ...everyFile,
  extends: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'The id of a file of this folder and type whose settings apply where this one says nothing' }),
}

/** Defines a kind of plug-in by the shape of its settings and the function that builds it from them; for `absent` see `strict`. */
export function pluginKind<Shape extends z.ZodRawShape, Built>(
  type: string,
  shape: Shape,
  build: (settings: z.output<z.ZodObject<Shape>>, parts: Parts) => Built | Promise<Built>,
  absent: Readonly<Record<string, string>> = {},
): DefinedKind<Built> {
  const members = { ...everyPlugin, type: z.literal(type).meta({ description: 'What kind of thing this file describes' }), ...shape }
  const schema = strict(members, absent).transform(
    (settings): Blueprint<Built> => ({ type, settings, build: parts => build(settings as z.output<z.ZodObject<Shape>>, parts) }),
  )
  return new DefinedKind(type, schema, shape)
}

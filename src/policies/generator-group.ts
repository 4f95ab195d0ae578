import type { TokenGenerator } from '../generators/token-generator.ts'

/** Which generator makes which requested token type for some resources. */
export interface GeneratorGroup {
  readonly id: string
  readonly resources: readonly string[]
  readonly audiences: readonly string[]
  /** By the requested token type. */
  readonly generators: ReadonlyMap<string, TokenGenerator>
  /** The token type where none is requested. */
  readonly defaultType: string
}

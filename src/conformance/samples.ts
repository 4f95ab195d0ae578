import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'

/** A token, or what makes one for the clock of the check. */
export type SampleToken = string | ((now: Instant) => string | Promise<string>)

/** Tokens for a token processor. */
export interface ProcessorSample {
  /** Tokens that prove something, and some of what they prove (members of the proof, each compared as a whole). */
  readonly genuine: ReadonlyArray<{ readonly token: SampleToken; readonly proves: JsonObject }>
  /** Tokens that prove nothing, by what is wrong with them: of another key, of another issuer, without an end … */
  readonly refused: Readonly<Record<string, SampleToken>>
  /** What a policy test says of such a token (`subject` of a case), and some of what it then proves. */
  readonly assumed?: { readonly says: JsonObject; readonly proves: JsonObject }
}

/** What a token generator is given. */
export interface GeneratorSample {
  readonly attributes: JsonObject
}

/** What an access token manager is given. */
export interface ManagerSample extends GeneratorSample {
  readonly scope?: readonly string[]
}

/** A configuration to try plug-ins with, and what to try. */
export interface Samples {
  /** The files, by their paths (`policies/token-processors/legacy.json`). Without a `server.json` there is a plain one. */
  readonly files: Readonly<Record<string, JsonObject>>
  /** The secrets and keys that they name: `env:NAME` or `file:path`. */
  readonly texts?: Readonly<Record<string, string>>
  /** What to try with the files in `policies/token-processors`, by their ids. */
  readonly tokenProcessors?: Readonly<Record<string, ProcessorSample>>
  readonly tokenGenerators?: Readonly<Record<string, GeneratorSample>>
  readonly accessTokenManagers?: Readonly<Record<string, ManagerSample>>
}

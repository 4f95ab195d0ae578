import type { JsonObject } from '../../json.ts'

/** What is known of the assertions that are made for a well-known party. A file that names a preset can only tighten it. */
export interface SamlPreset {
  readonly name: string
  readonly audiences: readonly string[]
  /** What a bearer confirmation names as its recipient, unless the file says which. */
  readonly recipients: readonly string[]
  /** Whether a file may name the address as a recipient. */
  isRecipient(address: string): boolean
  /** Bytes at most, decoded. */
  readonly maxSize: number
  /** Seconds since IssueInstant at most. */
  readonly maxAge: number
  /** The JSON Schema of what `read` adds to what expressions read. */
  readonly facts: JsonObject
  /** What the attributes say, by short names. Throws `TokenRejected` where that party would refuse them. */
  read(attributes: JsonObject): JsonObject
}

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import pino from 'pino'
import { SchemaCompiler } from '../../src/config/json-schema.ts'
import type { Path } from '../../src/config/problems.ts'
import type { ExternalText } from '../../src/config/values.ts'
import type { JsonObject } from '../../src/json.ts'
import { Kept } from '../../src/kept.ts'
import { signerFor } from '../../src/keys/compact-jws.ts'
import type { DecryptionKey } from '../../src/keys/decryption-key.ts'
import { type GuardedFetch, guardedFetch } from '../../src/keys/guarded-fetch.ts'
import type { SignatureAlgorithm } from '../../src/keys/signing-key.ts'
import { type Parts, type PluginKind, SettingProblem } from '../../src/plugin.ts'
import type { TokenProcessor } from '../../src/processors/processor.ts'

/** What a processor in a test is built with. */
export interface Surroundings {
  texts?: Record<string, string>
  fetch?: GuardedFetch
  now?: () => number
  decryptionKeys?: readonly DecryptionKey[]
}

/** The issuer of the server under test. */
export const ownIssuer = 'https://sts.example.com'

/** Builds a processor from its file as the loader does, and tells what was reported. */
export async function build(kind: PluginKind<TokenProcessor>, file: object, around: Surroundings = {}) {
  const problems: string[] = []
  const warnings: string[] = []
  const schemas = new SchemaCompiler()
  const at = (path: Path) => path.map(String).join('.')
  const parts = {
    id: 'test',
    issuer: ownIssuer,
    outside: {
      fetch: around.fetch ?? guardedFetch(),
      now: around.now ?? (() => Date.now() / 1000),
      log: pino({ level: 'silent' }),
    },
    kept: new Kept().draft(),
    text: ({ name }: ExternalText) => around.texts?.[name] ?? '',
    decryptionKeys: () => around.decryptionKeys ?? [],
    jsonSchema: (schema: JsonObject) => schemas.compile(schema),
    problem: (path: Path, message: string) => problems.push(`${at(path)}: ${message}`),
    warn: (code: string, path: Path) => warnings.push(`${code} ${at(path)}`),
    probe: () => undefined,
  } as unknown as Parts
  const parsed = kind.schema.safeParse({ type: kind.type, ...file })
  if (!parsed.success) {
    const issues = parsed.error.issues.map(issue => `${at(issue.path)}: ${issue.message}`)
    return { processor: undefined, problems: issues, warnings }
  }
  try {
    return { processor: await parsed.data.build(parts), problems, warnings }
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    return { processor: undefined, problems: [...problems, `${at(error.path)}: ${error.message}`], warnings }
  }
}

/** The processor of a file without problems. */
export async function processorOf(kind: PluginKind<TokenProcessor>, file: object, around: Surroundings = {}): Promise<TokenProcessor> {
  const { processor, problems } = await build(kind, file, around)
  if (processor === undefined || problems.length > 0) throw new Error(`problems: ${problems.join('; ')}`)
  return processor
}

/** Anything as base64url of its JSON. */
export function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A key of somebody else, who signs tokens with it. */
export interface ForeignKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: JsonObject
  /** Signs any header and payload, also malformed ones. */
  sign(header: unknown, payload: unknown): Promise<string>
}

/** Makes a foreign key. Its tokens say `alg` and `kid` unless the header is text. */
export function foreignKey(algorithm: SignatureAlgorithm, kid = 'k1'): ForeignKey {
  const { privateKey, publicKey } = pairFor(algorithm)
  const signInput = signerFor(algorithm, privateKey)
  return {
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: algorithm } as JsonObject,
    async sign(header, payload) {
      const input = `${encode(typeof header === 'string' ? header : { alg: algorithm, kid, ...(header as object) })}.${encode(payload)}`
      return `${input}.${await signInput(input)}`
    },
  }
}

function pairFor(algorithm: SignatureAlgorithm) {
  if (algorithm.startsWith('ES')) {
    return generateKeyPairSync('ec', { namedCurve: { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm as string] ?? '' })
  }
  return algorithm.startsWith('Ed') ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

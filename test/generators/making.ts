import { randomBytes } from 'node:crypto'
import { SchemaCompiler } from '../../src/config/json-schema.ts'
import type { Path } from '../../src/config/problems.ts'
import type { ExternalText, Reference } from '../../src/config/values.ts'
import type { GeneratorGrant, TokenGenerator } from '../../src/generators/token-generator.ts'
import type { JsonObject } from '../../src/json.ts'
import type { GuardedFetch } from '../../src/keys/guarded-fetch.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { type Parts, type PluginKind, SettingProblem, type SigningKeyLine } from '../../src/plugin.ts'

/** The issuer of the server under test. */
export const ownIssuer = 'https://sts.example.com'

/** When everything happens in these tests. */
// Other software reads these tokens by its own clock, at the end of a test run that may take long: they live for two hours.
export const now = Math.floor(Date.now() / 1000)

/** What a generator in a test is built with. */
export interface Surroundings {
  readonly keys?: Readonly<Record<string, SigningKey | SigningKeyLine>>
  readonly texts?: Readonly<Record<string, string>>
  readonly generators?: Readonly<Record<string, TokenGenerator>>
  /** Absent: nothing may happen outside. */
  readonly effects?: GuardedFetch
}

/** Builds a generator from its file as the loader does, and tells what was reported. */
export async function build(kind: PluginKind<TokenGenerator>, file: object, around: Surroundings = {}) {
  const problems: string[] = []
  const warnings: string[] = []
  const schemas = new SchemaCompiler()
  const at = (path: Path) => path.map(String).join('.')
  const parts = {
    id: 'partner',
    issuer: ownIssuer,
    outside: { now: () => now, random: randomBytes, effects: around.effects },
    tokenGenerator: ({ id }: Reference) => around.generators?.[id],
    text: ({ name }: ExternalText) => around.texts?.[name] ?? '',
    signingKey: ({ id }: Reference) => lineOf(around.keys?.[id]),
    jsonSchema: (schema: JsonObject) => schemas.compile(schema),
    problem: (path: Path, message: string) => problems.push(`${at(path)}: ${message}`),
    warn: (code: string, path: Path) => warnings.push(`${code} ${at(path)}`),
    probe: () => undefined,
  } as unknown as Parts
  const parsed = kind.schema.safeParse({ type: kind.type, ...file })
  if (!parsed.success) {
    return { generator: undefined, problems: parsed.error.issues.map(issue => `${at(issue.path)}: ${issue.message}`), warnings }
  }
  try {
    return { generator: await parsed.data.build(parts), problems, warnings }
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    return { generator: undefined, problems: [...problems, `${at(error.path)}: ${error.message}`], warnings }
  }
}

function lineOf(key: SigningKey | SigningKeyLine | undefined): SigningKeyLine {
  if (key === undefined) throw new Error('the test has no such key')
  return 'active' in key ? key : { active: key, published: [key], upcoming: [] }
}

/** The generator of a file without problems. */
export async function generatorOf(kind: PluginKind<TokenGenerator>, file: object, around: Surroundings = {}): Promise<TokenGenerator> {
  const { generator, problems } = await build(kind, file, around)
  if (generator === undefined || problems.length > 0) throw new Error(`problems: ${problems.join('; ')}`)
  return generator
}

/** A grant as the pipeline hands it over. */
export function grantOf(attributes: JsonObject, more: object = {}): GeneratorGrant {
  return {
    attributes,
    client: { id: 'orders' },
    delegation: { act: undefined },
    binding: { confirmation: undefined, certificate: undefined },
    expiresBy: now + 7200,
    now,
    ...more,
  } as unknown as GeneratorGrant
}

/** Makes a token and gives it as it is, or as the XML that it holds. */
export async function make(generator: TokenGenerator, attributes: JsonObject, more: object = {}) {
  const issued = await generator.generate(grantOf(attributes, more))
  return { ...issued, xml: Buffer.from(issued.token, 'base64url').toString('utf8') }
}

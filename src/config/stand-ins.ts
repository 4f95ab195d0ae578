import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto'
import { keyManagementAlgorithms } from '../keys/decryption-key.ts'
import { type GeneratedKey, generateKey } from '../keys/generate-key.ts'
import { selfSignedCertificate } from '../keys/self-signed-certificate.ts'
import { type PresetName, presets } from '../processors/presets/index.ts'
import { Findings } from './findings.ts'
import type { AbsentText } from './link.ts'
import type { Parsed } from './load.ts'
import type { ParsedFile } from './parse.ts'
import { describe, type Path } from './problems.ts'
import type { ServerSettings } from './server-file.ts'
import type { ExternalText } from './values.ts'

/** A configuration in which something was made up, and what. */
export interface StoodIn {
  readonly parsed: Parsed
  readonly replaced: readonly AbsentText[]
}

type Algorithm = GeneratedKey['algorithm']

/**
 * Makes up every secret, key and certificate that is not here: a checkout in Git has none, and its configuration can be checked and
 * its policies be tested all the same. Nothing that issues tokens may use this.
 */
export async function withStandIns(parsed: Parsed): Promise<StoodIn> {
  const texts = new Map(parsed.texts)
  const replaced: AbsentText[] = []
  for (const absent of parsed.absent) {
    const made = await standInFor(absent, texts)
    if (made === undefined) continue
    for (const [external, text] of made) texts.set(external, text)
    replaced.push(absent)
  }
  return { parsed: { ...parsed, texts, absent: [], problems: without(replaced, parsed.problems) }, replaced }
}

function without(replaced: readonly AbsentText[], problems: Parsed['problems']): Parsed['problems'] {
  const findings = new Findings()
  for (const { file, path, message } of replaced) findings.report(file, path, message)
  const gone = new Set(findings.problems.map(describe))
  return problems.filter(problem => !gone.has(describe(problem)))
}

type Texts = Array<readonly [ExternalText, string]>

/** What is put in the place of one text; undefined where nothing can be made up. */
async function standInFor({ external, file, path }: AbsentText, texts: ReadonlyMap<ExternalText, string>): Promise<Texts | undefined> {
  if (file.source.kind === 'keys') return path[0] === 'privateKey' ? keyPair(file) : certificateOfKey(file, external, texts)
  if (file.source.kind === 'server' && /^(privateKey|certificate)$/.test(String(path.at(-1))))
    return shownPair(file, path, new URL((file.blueprint.settings as ServerSettings).issuer).hostname)
  const inSettings = path.map(String)
  // A table is neither: nothing could be looked up in it.
  if (file.source.kind === 'data-stores' && inSettings.at(-1) === 'file') return undefined
  if (file.source.kind === 'data-stores' && /^(certificate|privateKey)$/.test(inSettings.at(-1) ?? '')) return shownPair(file, path)
  // What a partner publishes about himself cannot be made up, and is no secret: it belongs into Git.
  if (inSettings.includes('metadata') || inSettings.includes('trustAnchors')) return undefined
  if (inSettings.includes('encryption')) return [[external, await readersKey(file, inSettings)]]
  if (inSettings.at(-1) === 'jwks') return [[external, JSON.stringify({ keys: [(await generateKey(algorithmOf(file))).publicJwk] })]]
  if (/^(certificates|metadataSignedBy|holder|certificate|ca)$/.test(inSettings.filter(step => !/^\d+$/.test(step)).at(-1) ?? ''))
    return [[external, certificate((await generateKey('ES256')).privateKeyPem)]]
  return [[external, inSettings.at(-1) === 'url' ? 'redis://stand-in.invalid' : randomBytes(32).toString('base64url')]]
}

/** The public key of somebody that tokens are encrypted for, in the form that the setting at the path has. */
async function readersKey({ blueprint }: ParsedFile, path: readonly string[]): Promise<string> {
  const settings = path.slice(0, -1).reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], blueprint.settings)
  const { keyEncryption, kid } = settings as { readonly keyEncryption: string; readonly kid?: string }
  const { privateKeyPem, publicJwk } = await generateKey(keyManagementAlgorithms.find(name => name === keyEncryption) ?? 'RSA-OAEP-256')
  if (path.at(-1) === 'certificate') return certificate(privateKeyPem)
  if (path.at(-1) === 'jwks') return JSON.stringify({ keys: [{ ...publicJwk, ...(kid !== undefined && { kid }) }] })
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString()
}

interface KeySettings {
  readonly algorithm: Algorithm
  readonly privateKey: ExternalText
  readonly certificate?: ExternalText
}

// A certificate that is here belongs to the key that is not.
async function keyPair({ blueprint }: ParsedFile): Promise<Texts> {
  const { algorithm, privateKey, certificate: external } = blueprint.settings as KeySettings
  const { privateKeyPem } = await generateKey(algorithm)
  return [[privateKey, privateKeyPem], ...(external === undefined ? [] : [[external, certificate(privateKeyPem)] as const])]
}

function certificateOfKey({ blueprint }: ParsedFile, external: ExternalText, texts: ReadonlyMap<ExternalText, string>): Texts | undefined {
  if (texts.has(external)) return [[external, texts.get(external) ?? '']]
  const pem = texts.get((blueprint.settings as KeySettings).privateKey)
  return pem === undefined ? undefined : [[external, certificate(pem)]]
}

type ShownPair = Partial<Record<'certificate' | 'privateKey', ExternalText>>

// One without the other would be a mistake: both are made up, even where one is here.
async function shownPair({ blueprint }: ParsedFile, path: Path, name?: string): Promise<Texts> {
  const settings = path.slice(0, -1).reduce((found, step) => (found as Record<PropertyKey, object>)[step] ?? {}, blueprint.settings)
  const { certificate: shown, privateKey } = settings as ShownPair
  const { privateKeyPem } = await generateKey('ES256')
  return [
    ...(shown === undefined ? [] : [[shown, certificate(privateKeyPem, name)] as const]),
    ...(privateKey === undefined ? [] : [[privateKey, privateKeyPem] as const]),
  ]
}

function certificate(privateKeyPem: string, commonName = 'stand-in'): string {
  return selfSignedCertificate(createPrivateKey(privateKeyPem), { commonName, notBefore: new Date(), days: 365 })
}

interface Verifying {
  readonly algorithms?: readonly Algorithm[]
  readonly preset?: string
  readonly authentication?: { readonly algorithms?: readonly Algorithm[] }
}

// A key that fits none of the accepted algorithms would be a mistake.
function algorithmOf({ blueprint }: ParsedFile): Algorithm {
  const { algorithms, preset, authentication } = blueprint.settings as Verifying
  const [first] = algorithms ?? authentication?.algorithms ?? presets[preset as PresetName]?.algorithms ?? []
  return first ?? 'ES256'
}

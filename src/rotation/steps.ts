import { createPrivateKey, X509Certificate } from 'node:crypto'
import { applyEdits, modify } from 'jsonc-parser'
import { type FoundText, findInstances } from '../config/link.ts'
import type { ParsedFile } from '../config/parse.ts'
import type { Path } from '../config/problems.ts'
import { ExternalText, Reference } from '../config/values.ts'
import { isSignatureAlgorithm } from '../keys/algorithms.ts'
import { makeKeyPair } from '../keys/key-pair.ts'
import type { Change } from './change.ts'
import type { KeyOfLine } from './key-line.ts'

/** The steps of a rotation, in their order. */
export const stepNames = ['next', 'activate', 'remove'] as const

/** One of them. */
export type StepName = (typeof stepNames)[number]

/** What a step needs to know. */
export interface Surroundings {
  /** The newest first. */
  readonly line: readonly KeyOfLine[]
  readonly parsed: readonly ParsedFile[]
  /** The text of a JSON file of the configuration. */
  readonly textOf: (file: string) => string
  readonly find: (external: ExternalText) => FoundText
  /** The id of the key that is made; undefined: one is made up. */
  readonly newId: string | undefined
}

/** A step that can be done. */
export interface Step {
  readonly change: Change
  /** From when on it harms nobody, in seconds, and why; undefined where it never does. */
  readonly safe: { readonly from: number; readonly because: string } | undefined
  /** What it says when it is done, or would be. */
  readonly says: readonly string[]
}

/** Why a step cannot be done. */
export interface Obstacle {
  readonly obstacle: string
}

const hour = 3_600
const day = 24 * hour
/** Clocks that differ, and those who start late. */
const tolerance = 300
const usualBits = 2048

/** The step that comes next for a line of keys. */
export function nextStepOf(line: readonly KeyOfLine[]): StepName {
  if (line.some(({ status }) => status === 'next')) return 'activate'
  return line.some(({ status }) => status === 'retired') ? 'remove' : 'next'
}

/** Plans a step. Nothing is changed yet. */
export async function planStep(name: StepName, surroundings: Surroundings): Promise<Step | Obstacle> {
  if (name === 'next') return planNext(surroundings)
  return name === 'activate' ? planActivation(surroundings) : planRemoval(surroundings)
}

/** A successor, which is published and does not sign. */
async function planNext({ line, parsed, find, newId }: Surroundings): Promise<Step | Obstacle> {
  const [newest] = line
  const active = line.find(({ status }) => status === 'active')
  const upcoming = line.find(({ status }) => status === 'next')
  if (upcoming !== undefined) return { obstacle: `"${upcoming.id}" is the next key already` }
  if (newest === undefined || active === undefined) return { obstacle: 'no key of the line is active' }
  const certificate = active.certificate === undefined ? undefined : readCertificate(find(active.certificate))
  if (certificate !== undefined && !isSelfSigned(certificate)) return { obstacle: foreignCertificate(active.id, certificate) }
  const id = newId ?? idAfter(newest.id, new Set(parsed.filter(({ source }) => source.kind === 'keys').map(({ source }) => source.id)))
  const wanted = { id, algorithm: active.algorithm, status: 'next', replaces: newest.id, bits: bitsOf(find(active.privateKey)) }
  const { kid, files } = await makeKeyPair({ ...wanted, certificateDays: certificate && daysOf(certificate) })
  return {
    change: { created: files, written: [], deleted: [] },
    safe: undefined,
    says: [
      `${files.map(({ file }) => file).join(', ')}: ${active.algorithm}, next, kid ${kid}`,
      `"${id}" is published, and "${active.id}" signs on`,
    ],
  }
}

/** The next key signs, the active one retires. */
function planActivation({ line, textOf }: Surroundings): Step | Obstacle {
  // The oldest one, where there are several.
  const upcoming = line.findLast(({ status }) => status === 'next')
  if (upcoming === undefined) return { obstacle: 'no key of the line is next' }
  const active = line.filter(({ status }) => status === 'active')
  const status = (key: KeyOfLine, value: string) => ({ file: key.file, content: edited(textOf(key.file), ['status'], value) })
  return {
    // After the first of them the line has no active key, which no server takes.
    change: { created: [], written: [...active.map(key => status(key, 'retired')), status(upcoming, 'active')], deleted: [] },
    // With no active key this is the second half of a step that was begun: every moment without it is one too many.
    safe: active.length === 0 ? undefined : publishedFor(upcoming),
    says: [`"${upcoming.id}" is active${active.map(({ id }) => `, "${id}" is retired: what it signed stays good`).join('')}`],
  }
}

/** The oldest retired key is gone; who names it names the active one. */
function planRemoval({ line, parsed, textOf }: Surroundings): Step | Obstacle {
  const retired = line.findLast(({ status }) => status === 'retired')
  if (retired === undefined) return { obstacle: 'no key of the line is retired' }
  const active = line.find(({ status }) => status === 'active')
  const namings = parsed.flatMap(file => namingsOf(retired.id, file))
  if (active === undefined && namings.length > 0) return { obstacle: 'no key of the line is active' }
  const repointed = namings.map(({ file, paths }) => ({
    file,
    content: paths.reduceRight((text, path) => renamed(text, path, active?.id), textOf(file)),
  }))
  const unlinked = line
    .filter(({ replaces }) => replaces === retired.id)
    .map(({ file }) => ({ file, content: edited(textOf(file), ['replaces'], retired.replaces) }))
  return {
    change: { created: [], written: [...repointed, ...unlinked], deleted: [retired.file, ...ownTexts(retired, parsed)] },
    safe: neededUntil(retired, line, parsed),
    says: [
      `"${retired.id}" is removed: nothing that it signed is good any more, and what is encrypted to it is lost`,
      ...repointed.map(({ file }) => `${file} names "${active?.id}" instead`),
    ],
  }
}

/** Where a file names the key by itself. Keys name each other by `replaces`, which is another matter. */
function namingsOf(id: string, { source, blueprint, inherited }: ParsedFile): Array<{ file: string; paths: Path[] }> {
  if (source.kind === 'keys') return []
  const paths = findInstances(blueprint.settings, Reference)
    .filter(([path, reference]) => reference.kind === 'keys' && reference.id === id && !inherited.has(String(path[0])))
    .map(([path]) => path)
  return paths.length === 0 ? [] : [{ file: source.file, paths }]
}

// A list that has the new name already must not have it twice.
function renamed(text: string, path: Path, id: string | undefined): string {
  const list = path.slice(0, -1).reduce<unknown>((value, name) => (value as Record<PropertyKey, unknown>)?.[name], JSON.parse(text))
  return edited(text, path, Array.isArray(list) && list.includes(id) ? undefined : id)
}

/** The files of the private key and its certificate, where they are this key's alone and in the folder of keys. */
function ownTexts({ id, privateKey, certificate }: KeyOfLine, parsed: readonly ParsedFile[]): string[] {
  const others = parsed.filter(({ source }) => source.kind !== 'keys' || source.id !== id)
  const named = new Set(others.flatMap(({ blueprint }) => findInstances(blueprint.settings, ExternalText).map(([, { name }]) => name)))
  return [privateKey, ...(certificate === undefined ? [] : [certificate])]
    .filter(({ from, name }) => from === 'file' && /^keys\/[^/]+$/.test(name) && !named.has(name))
    .map(({ name }) => name)
}

function publishedFor({ since, certificate }: KeyOfLine): Step['safe'] {
  return certificate === undefined
    ? { from: since + hour, because: 'whoever verifies keeps /jwks for a while: five minutes as it says, some for longer' }
    : {
        from: since + day,
        because: 'partners fetch the metadata once in a while; who has pinned the certificate by hand needs the new one first',
      }
}

function neededUntil({ since, algorithm }: KeyOfLine, line: readonly KeyOfLine[], parsed: readonly ParsedFile[]): Step['safe'] {
  if (!isSignatureAlgorithm(algorithm)) return { from: since + day, because: 'who has fetched the old key may still encrypt to it' }
  const users = parsed.filter(file => line.some(({ id }) => namingsOf(id, file).length > 0))
  const lifetimes = users.map(({ blueprint }) => (blueprint.settings as { lifetime?: number }).lifetime ?? 0)
  return { from: since + Math.max(0, ...lifetimes) + tolerance, because: 'until then there are tokens that it has signed' }
}

function edited(text: string, path: Path, value: string | undefined): string {
  return applyEdits(text, modify(text, [...path] as (string | number)[], value, {}))
}

/** `api-2026` after `api-2025`, `api-2` after `api`. */
function idAfter(id: string, taken: ReadonlySet<string>): string {
  const [, name = id, number = '1'] = /^(.+)-(\d{1,9})$/.exec(id) ?? []
  for (let next = Number(number) + 1; ; next++) if (!taken.has(`${name}-${next}`)) return `${name}-${next}`
}

function bitsOf(pem: FoundText): number {
  if (typeof pem !== 'string') return usualBits
  return createPrivateKey(pem).asymmetricKeyDetails?.modulusLength ?? usualBits
}

function readCertificate(pem: FoundText): X509Certificate | undefined {
  return typeof pem === 'string' ? new X509Certificate(pem) : undefined
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey)
}

function daysOf({ validFrom, validTo }: X509Certificate): number {
  return Math.max(1, Math.round((Date.parse(validTo) - Date.parse(validFrom)) / (day * 1000)))
}

function foreignCertificate(id: string, { issuer }: X509Certificate): string {
  return [
    `the certificate of "${id}" was issued by ${issuer.replaceAll('\n', ', ')}, and such a one cannot be made here:`,
    'use "cambist keys generate ID --status next --replaces',
    `${id}", have a certificate issued, and name it in the new file`,
  ].join(' ')
}

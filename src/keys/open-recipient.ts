import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { ExternalText, externalText, strict } from '../config/values.ts'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { addressProblem } from './addresses.ts'
import { warnOfDates } from './certificate-dates.ts'
import { encryptCompactJwe } from './compact-jwe.ts'
import { contentEncryptionAlgorithms, keyManagementAlgorithms } from './decryption-key.ts'
import {
  chooseEncryptionKey,
  type EncryptionKey,
  encryptionKeyOf,
  publicKeyFromPem,
  UnusableKey,
  type WantedEncryptionKey,
} from './encryption-key.ts'
import { fetchKeySet } from './fetch-keys.ts'
import { keySourceShape } from './key-source.ts'
import type { Recipient } from './recipient.ts'
import { type Fetched, Refreshed } from './refreshed.ts'

const { jwksUri, jwks, maxStale, allowPrivateNetwork } = keySourceShape

const sources = ['publicKey', 'certificate', 'jwks', 'jwksUri'] as const

/** For whom signed JWTs are encrypted, and how (RFC 7516, RFC 7518 §4 and §5). */
export const recipientSettings = strict({
  publicKey: externalText.optional().meta({ description: 'The public key of the reader (PEM)' }),
  certificate: externalText.optional().meta({ description: 'The certificate of the reader (PEM); only its key is looked at' }),
  ...{ jwks, jwksUri },
  kid: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'The one key of a JWK Set that is used; of "publicKey" and "certificate", what the header calls the key' }),
  keyEncryption: z
    .enum(keyManagementAlgorithms)
    .default('RSA-OAEP-256')
    .meta({ description: 'How the key is encrypted or agreed on (default "RSA-OAEP-256")' }),
  contentEncryption: z
    .enum(contentEncryptionAlgorithms)
    .default('A256GCM')
    .meta({ description: 'How the content is encrypted (default "A256GCM")' }),
  ...{ maxStale, allowPrivateNetwork },
}).refine(
  settings => sources.filter(source => settings[source] !== undefined).length === 1,
  'expected exactly one of "publicKey", "certificate", "jwks" and "jwksUri"',
)

/** Settings of a recipient, parsed. */
export type RecipientSettings = z.output<typeof recipientSettings>

/** Prepares the key, or the fetching of the key, that the settings at `path` name. */
export async function openRecipient(settings: RecipientSettings, parts: Parts, path: Path): Promise<Recipient> {
  const current =
    settings.jwksUri === undefined ? await configuredKey(settings, parts, path) : fetchedKey(settings.jwksUri, settings, parts, path)
  return {
    async ready() {
      await current()
    },
    async encrypt(jws) {
      return await encryptCompactJwe(jws, await current(), settings.contentEncryption)
    },
  }
}

type CurrentKey = () => EncryptionKey | Promise<EncryptionKey>

async function configuredKey(settings: RecipientSettings, parts: Parts, path: Path): Promise<CurrentKey> {
  const source = sources.find(name => settings[name] !== undefined) ?? 'jwks'
  try {
    const key = settings.jwks === undefined ? await keyOfPem(settings, parts, path) : await keyOfSet(settings.jwks, settings, parts)
    return () => key
  } catch (error) {
    throw error instanceof UnusableKey ? new SettingProblem([...path, source], error.message) : error
  }
}

async function keyOfPem(settings: RecipientSettings, parts: Parts, path: Path): Promise<EncryptionKey> {
  const kind = settings.certificate === undefined ? 'publicKey' : 'certificate'
  const pem = textOf(settings[kind], parts)
  const key = publicKeyFromPem(pem, kind)
  if (key === undefined) throw new UnusableKey(noPem[kind])
  if (kind === 'certificate') warnOfDates(new X509Certificate(pem), keyInUse, parts, [...path, kind])
  return await encryptionKeyOf(key, wantedOf(settings))
}

const noPem = {
  publicKey: 'is not a public key as PEM (-----BEGIN PUBLIC KEY-----)',
  certificate: 'is not a certificate as PEM (-----BEGIN CERTIFICATE-----)',
}
const keyInUse = { expired: '; its key is still used', notYetValid: '; its key is used' }

async function keyOfSet(jwks: JsonObject | ExternalText, settings: RecipientSettings, parts: Parts): Promise<EncryptionKey> {
  const set = jwks instanceof ExternalText ? parseOutsidersObject(parts.text(jwks)) : jwks
  return await chooseEncryptionKey(set ?? {}, wantedOf(settings))
}

function textOf(external: ExternalText | undefined, parts: Parts): string {
  return external === undefined ? '' : parts.text(external)
}

function wantedOf({ keyEncryption, kid }: RecipientSettings): WantedEncryptionKey {
  return { algorithm: keyEncryption, kid }
}

/** The key at an address: fetched on first use and kept fresh, so that the reader can change it. */
function fetchedKey(uri: string, settings: RecipientSettings, parts: Parts, path: Path): CurrentKey {
  const { maxStale, allowPrivateNetwork } = settings
  const problem = addressProblem(uri, allowPrivateNetwork)
  if (problem !== undefined) parts.problem([...path, 'jwksUri'], problem)
  if (allowPrivateNetwork)
    parts.warn('private-network', [...path, 'allowPrivateNetwork'], 'the keys may be fetched from addresses of private networks')
  const { fetch, now, log, fetches } = parts.outside
  const wanted = wantedOf(settings)
  const fetchNow = () => fetchEncryptionKey(uri, { fetch, allowPrivateNetwork }, wanted)
  parts.probe({
    path: [...path, 'jwksUri'],
    what: `the key to encrypt for of ${uri}`,
    run: async () => describeKey((await fetchNow()).value),
  })
  const name = ['encryption key', uri, maxStale, allowPrivateNetwork, wanted.algorithm, wanted.kid ?? null]
  const keys = parts.kept.of(name, () => {
    const heard = fetches?.of({ kind: 'keys', issuer: uri, address: uri })
    return new Refreshed<EncryptionKey>({
      fetch: fetchNow,
      now,
      maxStale,
      outage: `the key of ${uri}, for which tokens are encrypted, cannot be fetched now`,
      onSuccess: () => heard?.succeeded(),
      onFailure(error) {
        heard?.failed()
        log.warn({ err: error, address: uri }, 'the key that tokens are encrypted for could not be fetched')
      },
      onClose: () => heard?.forgotten(),
    })
  })
  return () => keys.current()
}

async function fetchEncryptionKey(
  uri: string,
  fetching: Parameters<typeof fetchKeySet>[1],
  wanted: WantedEncryptionKey,
): Promise<Fetched<EncryptionKey>> {
  const { set, maxAge } = await fetchKeySet(uri, fetching)
  try {
    return { value: await chooseEncryptionKey(set, wanted), maxAge }
  } catch (error) {
    throw error instanceof UnusableKey ? new UnusableKey(`${uri} ${error.message}`) : error
  }
}

function describeKey({ kid, algorithm }: EncryptionKey): string {
  return `a key for ${algorithm}${kid === undefined ? '' : ` (kid ${kid})`}`
}

import { hash as digest, scrypt } from 'node:crypto'
import type { Outside } from '../outside.ts'

/** A client's secret as the server keeps it. `text` is the written form, and so its name. */
export type SecretHash = Sha256Hash | ScryptHash

/** Enough for a secret of 256 random bits: nobody can try them all, however fast. It is compared at once, and guesses are not slowed. */
export interface Sha256Hash {
  readonly form: 'sha256'
  readonly text: string
  readonly digest: Buffer
}

/** For a secret that a person may have made up: every guess costs what was written when it was hashed (RFC 7914). */
export interface ScryptHash {
  readonly form: 'scrypt'
  readonly text: string
  readonly cost: ScryptCost
  readonly salt: Buffer
  readonly key: Buffer
}

/** RFC 7914 §2: `N` iterations, blocks of `r`, `p` in parallel. */
export interface ScryptCost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const secretLength = 43
const usualCost: ScryptCost = { N: 16_384, r: 8, p: 1 }

/** Makes a secret of 256 bits, of letters and digits only: encoded and raw Basic credentials are then the same (RFC 6749 §2.3.1). */
export function generateSecret(random: Outside['random']): string {
  let secret = ''
  while (secret.length < secretLength) {
    for (const byte of random(secretLength)) {
      // 248 is the last multiple of 62: with the bytes above it some characters would be likelier than others.
      if (byte < 248 && secret.length < secretLength) secret += alphabet[byte % 62]
    }
  }
  return secret
}

/** The kept form of a secret that `generateSecret` made, or that is as hard to guess. */
export function digestSecret(secret: string): Sha256Hash {
  const bytes = sha256(secret)
  return { form: 'sha256', text: `sha256$${bytes.toString('base64url')}`, digest: bytes }
}

/** The kept form of a secret that was brought along, with its cost and salt. */
export async function hashSecret(secret: string, random: Outside['random'], cost: ScryptCost = usualCost): Promise<ScryptHash> {
  const salt = random(16)
  const key = await deriveKey(secret, salt, cost, 32)
  const text = `scrypt$N=${cost.N},r=${cost.r},p=${cost.p}$${salt.toString('base64url')}$${key.toString('base64url')}`
  return { form: 'scrypt', text, cost, salt, key }
}

/** Reads a kept form. Throws an `Error` for the administrator that never repeats it: it may be the secret itself. */
export function parseSecretHash(text: string): SecretHash {
  const [form, ...parts] = text.split('$')
  if (form === 'sha256' && parts.length === 1) return parseSha256(text, parts[0] ?? '')
  if (form === 'scrypt' && parts.length === 3) return parseScrypt(text, parts[0] ?? '', parts[1] ?? '', parts[2] ?? '')
  throw new Error('is not a hash; "cambist hash-secret" prints one')
}

/** SHA-256 of a secret's UTF-8. */
export function sha256(secret: string): Buffer {
  return digest('sha256', secret, 'buffer')
}

/** Runs scrypt in the thread pool. `scrypt-runs.ts` bounds how often that happens at once. */
export function deriveKey(secret: string, salt: Buffer, cost: ScryptCost, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const maxmem = memoryOf(cost) + 1024 * 1024
    scrypt(secret, salt, length, { ...cost, maxmem }, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

function parseSha256(text: string, encoded: string): Sha256Hash {
  const bytes = decode(encoded)
  if (bytes?.length !== 32) throw new Error('a sha256 hash has 43 characters of base64url after "sha256$"')
  return { form: 'sha256', text, digest: bytes }
}

function parseScrypt(text: string, costs: string, encodedSalt: string, encodedKey: string): ScryptHash {
  const numbers = /^N=(\d{1,9}),r=(\d{1,4}),p=(\d{1,4})$/.exec(costs)
  const salt = decode(encodedSalt)
  const key = decode(encodedKey)
  if (numbers === null || salt === undefined || key === undefined) throw new Error('a scrypt hash is "scrypt$N=…,r=…,p=…$salt$hash"')
  if (salt.length < 16 || salt.length > 64) throw new Error('the salt of a scrypt hash has 16 to 64 bytes')
  if (key.length < 32 || key.length > 64) throw new Error('the hash of a scrypt hash has 32 to 64 bytes')
  const cost = { N: Number(numbers[1]), r: Number(numbers[2]), p: Number(numbers[3]) }
  checkCost(cost)
  return { form: 'scrypt', text, cost, salt, key }
}

const megabyte = 1024 * 1024

// Too little protects nothing; too much lets whoever sends a wrong secret stop the server.
function checkCost(cost: ScryptCost): void {
  const { N, r, p } = cost
  if (N < 2 || r < 1 || p < 1 || !Number.isInteger(Math.log2(N)))
    throw new Error('N of a scrypt hash is a power of two, r and p are positive')
  const work = N * r * p
  if (work < usualCost.N * usualCost.r) throw new Error('the cost of a scrypt hash is too low; at least N=16384,r=8,p=1')
  if (work > 8 * usualCost.N * usualCost.r || memoryOf(cost) > 160 * megabyte)
    throw new Error('the cost of a scrypt hash is too high; at most N=131072,r=8,p=1 or as much work')
}

/** RFC 7914 §5 and §6: what one run keeps in memory. */
function memoryOf({ N, r, p }: ScryptCost): number {
  return 128 * r * (N + p + 2)
}

/** Bytes from canonical base64url; undefined where it is not. */
function decode(encoded: string): Buffer | undefined {
  const bytes = Buffer.from(encoded, 'base64url')
  return bytes.toString('base64url') === encoded ? bytes : undefined
}

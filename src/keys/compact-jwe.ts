import { CompactEncrypt, compactDecrypt } from 'jose'
import type { JsonObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { type JoseHeader, longestToken, mediaType, readJoseHeader } from './compact-jws.ts'
import { type ContentEncryptionAlgorithm, contentEncryptionAlgorithms, type DecryptionKey } from './decryption-key.ts'
import type { EncryptionKey } from './encryption-key.ts'

const fiveParts = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Whether a token is, or pretends to be, a JWE in the compact serialization (RFC 7516 §9): five parts instead of three. */
export function isCompactJwe(token: string): boolean {
  return token.split('.', 6).length === 5
}

/**
 * Decrypts a nested JWT (RFC 7519 §5.2) and returns what is inside. Anybody can encrypt with a public key: only the signature
 * of what comes out proves anything. Throws `TokenRejected`.
 */
export async function decryptCompactJwe(token: string, keys: readonly DecryptionKey[]): Promise<string> {
  if (token.length > longestToken) throw new TokenRejected(`the token is longer than ${longestToken} characters`)
  if (!fiveParts.test(token)) throw new TokenRejected('the token is not an encrypted JWT in the compact form')
  const header = readJoseHeader(token.slice(0, token.indexOf('.')))
  checkContent(header.members)
  const candidates = keys.filter(key => key.algorithm === header.alg && (header.kid === undefined || header.kid === key.kid))
  if (candidates.length === 0)
    throw new TokenRejected('the token is encrypted for a key or with an algorithm that is not accepted here', { member: 'decryptionKeys' })
  return await decryptWithAny(token, header, candidates)
}

/** What the header says of the content, before anything is decrypted. */
function checkContent({ zip, enc, cty }: JsonObject): void {
  // A small token could be made to decompress into a huge one (RFC 8725 §3.6).
  if (zip !== undefined) throw new TokenRejected('the token is compressed, which is not taken')
  if (!contentEncryptionAlgorithms.some(algorithm => algorithm === enc))
    throw new TokenRejected('the content of the token is encrypted with an algorithm that is not accepted here')
  // RFC 7519 §5.2 wants it; some leave it out, and the signature inside is demanded either way.
  if (cty !== undefined && (typeof cty !== 'string' || mediaType(cty) !== 'jwt'))
    throw new TokenRejected('the content of the token is no JWT, as its header says (cty)')
}

async function decryptWithAny(token: string, header: JoseHeader, candidates: readonly DecryptionKey[]): Promise<string> {
  let cause: unknown
  for (const { privateKey } of candidates) {
    try {
      const { plaintext } = await compactDecrypt(token, privateKey, {
        keyManagementAlgorithms: [header.alg],
        contentEncryptionAlgorithms: [...contentEncryptionAlgorithms],
      })
      return Buffer.from(plaintext).toString('latin1')
    } catch (error) {
      cause = error
    }
  }
  throw new TokenRejected('the token could not be decrypted', { cause, member: 'decryptionKeys' })
}

/** Encrypts a signed JWT: a nested JWT (RFC 7519 §5.2), never compressed. */
export async function encryptCompactJwe(
  jws: string,
  { kid, algorithm, key }: EncryptionKey,
  content: ContentEncryptionAlgorithm,
): Promise<string> {
  const header = { alg: algorithm, enc: content, cty: 'JWT', ...(kid !== undefined && { kid }) }
  return await new CompactEncrypt(Buffer.from(jws, 'latin1')).setProtectedHeader(header).encrypt(key)
}

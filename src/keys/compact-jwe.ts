import { compactDecrypt } from 'jose'
import { TokenRejected } from '../oauth/errors.ts'
import { type JoseHeader, longestToken, readJoseHeader } from './compact-jws.ts'
import { contentEncryptionAlgorithms, type DecryptionKey } from './decryption-key.ts'

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
  // A small token could be made to decompress into a huge one (RFC 8725 §3.6).
  if (header.members.zip !== undefined) throw new TokenRejected('the token is compressed, which is not taken')
  const candidates = keys.filter(key => key.algorithm === header.alg && (header.kid === undefined || header.kid === key.kid))
  if (candidates.length === 0) throw new TokenRejected('the token is encrypted for a key or with an algorithm that is not accepted here')
  return await decryptWithAny(token, header, candidates)
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
  throw new TokenRejected('the token could not be decrypted', { cause })
}

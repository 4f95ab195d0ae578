import { type KeyObject, sign } from 'node:crypto'
import { algorithmDetails } from './algorithms.ts'
import type { SignatureAlgorithm, SigningKey } from './signing-key.ts'

type BytesSigner = NonNullable<SigningKey['signBytes']>

/** Makes the function that signs bytes with a key of PKCS #1 1.5 or ECDSA; undefined for a key of another scheme. */
export function bytesSignerFor(algorithm: SignatureAlgorithm, key: KeyObject): BytesSigner | undefined {
  // A key that is kept for PSS is not used with the older padding beside it (RFC 8725 §3.1).
  if (algorithm.startsWith('PS')) return undefined
  const { keyType, options } = algorithmDetails[algorithm]
  const keyAndOptions = { key, ...options }
  // An RSA signature takes 0.7 ms and more, in which nobody else would be served; it goes to the thread pool.
  if (keyType === 'rsa') return (bytes, hash) => signInPool(hash, bytes, keyAndOptions)
  return keyType === 'ec' ? async (bytes, hash) => sign(hash, bytes, keyAndOptions) : undefined
}

function signInPool(hash: string, bytes: Buffer, key: Parameters<typeof sign>[2]): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign(hash, bytes, key, (error, signature) => {
      if (error === null) resolve(signature)
      else reject(error)
    })
  })
}

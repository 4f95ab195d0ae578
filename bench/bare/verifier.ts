import { createPublicKey, verify } from 'node:crypto'
import { type Algorithm, privateKey } from '../material.ts'

/** Verifies what the foreign issuer signed. */
export function verifier(folder: string, algorithm: Algorithm): (signed: Buffer, signature: Buffer) => boolean {
  const key = createPublicKey(privateKey(folder, 'foreign', algorithm))
  const keyAndOptions = { key, dsaEncoding: 'ieee-p1363' } as const
  return (signed, signature) => verify('sha256', signed, keyAndOptions, signature)
}

import { constants, createHash, type KeyObject, privateDecrypt } from 'node:crypto'

/** The hash of the label and the hash of the mask (RFC 8017 §7.1). SHA-1 is sound here, where nothing depends on collisions. */
export interface OaepHashes {
  readonly digest: 'sha1' | 'sha256'
  readonly mask: 'sha1' | 'sha256'
}

/** Unwraps a content key (RFC 8017 §7.1.2); undefined for every reason for which it fails. */
export function unwrapOaep(wrapped: Buffer, key: KeyObject, { digest, mask }: OaepHashes): Buffer | undefined {
  try {
    if (digest === mask) return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: digest }, wrapped)
    // Node has one hash for both; `rsa-oaep-mgf1p` with SHA-256 has two.
    return decode(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped), digest, mask)
  } catch {
    return undefined
  }
}

/** RFC 8017 §7.1.2, step 3. Every byte is looked at before anything is decided, so that the time tells nothing (Manger's attack). */
function decode(encoded: Buffer, digest: OaepHashes['digest'], mask: OaepHashes['mask']): Buffer | undefined {
  const label = createHash(digest).digest()
  const maskedSeed = encoded.subarray(1, 1 + label.length)
  const maskedBlock = encoded.subarray(1 + label.length)
  const seed = xor(maskedSeed, mgf1(maskedBlock, maskedSeed.length, mask))
  const block = xor(maskedBlock, mgf1(seed, maskedBlock.length, mask))
  let bad = encoded[0] ?? 1
  for (const [index, byte] of label.entries()) bad |= byte ^ (block[index] ?? 0)
  let start = 0
  let searching = 1
  for (let index = label.length; index < block.length; index++) {
    const byte = block[index] ?? 0
    const isOne = Number(byte === 1)
    bad |= searching & Number(byte !== 0) & (1 - isOne)
    start += searching * isOne * (index + 1)
    searching &= 1 - isOne
  }
  return (bad | searching) === 0 ? block.subarray(start) : undefined
}

function mgf1(seed: Buffer, length: number, hash: OaepHashes['mask']): Buffer {
  const blocks: Buffer[] = []
  const counter = Buffer.alloc(4)
  for (let made = 0; made < length; made += blocks[0]?.length ?? length) {
    counter.writeUInt32BE(blocks.length)
    blocks.push(createHash(hash).update(seed).update(counter).digest())
  }
  return Buffer.concat(blocks).subarray(0, length)
}

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))
}

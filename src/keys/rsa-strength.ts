import { createPublicKey, type KeyObject } from 'node:crypto'

const fewestBits = 2048
// A modulus of 16,384 bits, which an issuer may publish, would cost milliseconds for each token.
const mostBits = 8192
// FIPS 186-5 §5.4.
const largestExponent = 2n ** 256n

/** What makes an RSA key unfit for signatures; undefined when nothing does (RFC 7518 §3.3, NIST SP 800-131A, FIPS 186-5, CVE-2017-15361). */
export function rsaWeakness(key: KeyObject): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < fewestBits) return `the RSA key has ${modulusLength} bits, fewer than ${fewestBits}`
  if (modulusLength > mostBits) return `the RSA key has ${modulusLength} bits, more than ${mostBits}`
  // With e = 1 everybody can sign: the signature is the padded hash itself.
  if (publicExponent < 3n || publicExponent % 2n === 0n) return `the RSA key has the public exponent ${publicExponent}`
  // Each check of a signature would cost eighty times as much, and clients bring keys along, in DPoP proofs and chains of certificates.
  if (publicExponent >= largestExponent) return 'the RSA key has a public exponent of more than 256 bits'
  const modulus = modulusOf(key)
  if (modulus % 2n === 0n) return 'the RSA key has an even modulus'
  if (isRoca(modulus)) return 'the RSA key was made by an Infineon library with the ROCA flaw: its private half can be computed'
  return undefined
}

function modulusOf(key: KeyObject): bigint {
  const { n = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' })
  return BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
}

// ROCA primes are k·M + (65537^a mod M), M being the product of the first primes. So modulo each of these primes the
// modulus is a power of 65537, which for a sound key happens at all of them with a probability below 2^-27.
const smallPrimes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139,
  149, 151, 157, 163, 167,
]

function isRoca(modulus: bigint): boolean {
  return smallPrimes.every(prime => isPowerOf65537(Number(modulus % BigInt(prime)), prime))
}

function isPowerOf65537(residue: number, prime: number): boolean {
  const generator = 65537 % prime
  let power = 1
  do {
    if (power === residue) return true
    power = (power * generator) % prime
  } while (power !== 1)
  return false
}

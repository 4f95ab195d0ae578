import { constants, type KeyObject, verify } from 'node:crypto'
import { weakness } from '../keys/algorithms.ts'
import { type HashName, type XmlSignatureAlgorithm, xmlSignatureAlgorithms } from './names.ts'

/** A public key that somebody signs XML with, imported once. */
export interface VerificationKey {
  /** Whether the signature fits the bytes; false also for an algorithm that is not for keys of this type. */
  verifies(algorithm: XmlSignatureAlgorithm, signed: Buffer, signature: Buffer): boolean
}

/** The algorithms that a processor takes unless its file says otherwise: all that there are here. */
export const everyXmlSignatureAlgorithm = Object.keys(xmlSignatureAlgorithms) as XmlSignatureAlgorithm[]

const signatureBytes: Readonly<Record<string, number>> = { prime256v1: 64, secp384r1: 96, secp521r1: 132 }
const hashes: Readonly<Record<string, HashName>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' }

/** Prepares a public key for signatures in XML; a text says why it is unfit (SC-19: RSA of 2048 bits or more, the three NIST curves). */
export function verificationKey(key: KeyObject): VerificationKey | string {
  const weak = weakness(key)
  if (weak !== undefined) return weak
  const length = signatureBytes[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (key.asymmetricKeyType === 'ec' && length !== undefined) return ecKey(key, length)
  return key.asymmetricKeyType === 'rsa' ? rsaKey(key) : `a key of type ${key.asymmetricKeyType} is not taken for signatures in XML`
}

function rsaKey(key: KeyObject): VerificationKey {
  return {
    verifies(algorithm, signed, signature) {
      if (algorithm.startsWith('ES')) return false
      const padding = algorithm.startsWith('PS')
        ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { padding: constants.RSA_PKCS1_PADDING }
      return verify(hashOf(algorithm), signed, { key, ...padding }, signature)
    },
  }
}

/** XML Signature 1.1 §6.4.3: r and s one after the other, as long as the curve is, and never DER (SC-16). */
function ecKey(key: KeyObject, length: number): VerificationKey {
  return {
    verifies(algorithm, signed, signature) {
      if (!algorithm.startsWith('ES') || signature.length !== length) return false
      return verify(hashOf(algorithm), signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
    },
  }
}

function hashOf(algorithm: XmlSignatureAlgorithm): HashName {
  return hashes[algorithm.slice(2)] ?? 'sha256'
}

import { constants, createCipheriv, publicEncrypt, type X509Certificate } from 'node:crypto'
import { weakness } from '../keys/algorithms.ts'
import type { Outside } from '../outside.ts'
import { keyInfo, x509Data } from './key-info.ts'
import { digestAlgorithms, mgf1Sha256, namespaces, oaepSha1, xmlContentEncryption, xmlKeyTransport } from './names.ts'
import { element, join, text, type Xml } from './write.ts'

/** How the key goes to the recipient, by its JWA name (RFC 7518 §4.3): with SHA-1, which everybody reads, or with SHA-256. */
export const keyEncryptions = ['RSA-OAEP', 'RSA-OAEP-256'] as const
export type KeyEncryption = (typeof keyEncryptions)[number]

/** How the assertion is encrypted, by its JWA name. */
export const contentEncryptions = ['A128GCM', 'A192GCM', 'A256GCM'] as const
export type ContentEncryption = (typeof contentEncryptions)[number]

/** For whom assertions are encrypted, and how. */
export interface Recipient {
  readonly certificate: X509Certificate
  readonly keyEncryption: KeyEncryption
  readonly contentEncryption: ContentEncryption
}

/** What is wrong with encrypting for this certificate; undefined when nothing is. */
export function recipientProblem({ publicKey }: X509Certificate): string | undefined {
  if (publicKey.asymmetricKeyType !== 'rsa') return 'the certificate has no RSA key; assertions are encrypted by RSA-OAEP'
  return weakness(publicKey)
}

/** Makes the function that turns a signed assertion into an EncryptedAssertion (SAML Core §2.3.4, XML Encryption 1.1 §5.2.4, §5.5.2). */
export function xmlEncrypter(recipient: Recipient, random: Outside['random']): (assertion: Xml) => Xml {
  const { contentEncryption } = recipient
  const keyBytes = Number(contentEncryption.slice(1, 4)) / 8
  return assertion => {
    const key = random(keyBytes)
    return element(
      'saml:EncryptedAssertion',
      { 'xmlns:saml': namespaces.saml2 },
      element(
        'xenc:EncryptedData',
        { 'xmlns:xenc': namespaces.encryption, Type: `${namespaces.encryption}Element` },
        element('xenc:EncryptionMethod', { Algorithm: xmlContentEncryption[contentEncryption] }),
        keyInfo(encryptedKey(recipient, key), 'alone'),
        cipherData(encryptContent(assertion, key, random(12))),
      ),
    )
  }
}

// XML Encryption 1.1 §5.2.4: the initialisation vector of 96 bits in front, the tag of 128 bits behind.
function encryptContent(assertion: Xml, key: Buffer, iv: Buffer): Buffer {
  const cipher = createCipheriv(key.length === 16 ? 'aes-128-gcm' : key.length === 24 ? 'aes-192-gcm' : 'aes-256-gcm', key, iv)
  return Buffer.concat([iv, cipher.update(assertion, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

function encryptedKey({ certificate, keyEncryption }: Recipient, key: Buffer): Xml {
  const oaepHash = keyEncryption === 'RSA-OAEP' ? 'sha1' : 'sha256'
  const encrypted = publicEncrypt({ key: certificate.publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, key)
  // Without the certificate a recipient with several keys would have to try each.
  return element('xenc:EncryptedKey', {}, keyMethod(keyEncryption), keyInfo(x509Data(certificate)), cipherData(encrypted))
}

function keyMethod(keyEncryption: KeyEncryption): Xml {
  if (keyEncryption === 'RSA-OAEP') {
    return element('xenc:EncryptionMethod', { Algorithm: xmlKeyTransport.mgf1Sha1 }, element('ds:DigestMethod', { Algorithm: oaepSha1 }))
  }
  const maskGeneration = element('xenc11:MGF', { 'xmlns:xenc11': namespaces.encryption11, Algorithm: mgf1Sha256 })
  const digest = element('ds:DigestMethod', { Algorithm: digestAlgorithms.sha256 })
  return element('xenc:EncryptionMethod', { Algorithm: xmlKeyTransport.oaep }, join(digest, maskGeneration))
}

function cipherData(bytes: Buffer): Xml {
  return element('xenc:CipherData', {}, element('xenc:CipherValue', {}, text(bytes.toString('base64'))))
}

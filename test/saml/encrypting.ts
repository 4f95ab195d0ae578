import { constants, createCipheriv, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'
import { namespaces } from '../../src/saml/names.ts'

const { encryption, encryption11, signature } = namespaces

/** How something is encrypted, where not by AES-256-GCM and RSA-OAEP with SHA-1. */
export interface Encryption {
  content?: string
  transport?: string
  parameters?: string
  hash?: string
  wrapped?: Buffer
  beside?: boolean
}

/** Encrypts as XML Encryption has it, with whatever names and hashes; gives the EncryptedData. */
export function encryptFor(
  publicKey: KeyObject,
  xml: string,
  { content = 'aes256-gcm', transport = `${encryption}rsa-oaep-mgf1p`, parameters = '', hash = 'sha1', wrapped, beside }: Encryption = {},
): string {
  const contentKey = randomBytes(Number(/\d+/.exec(content)) / 8)
  const iv = randomBytes(12)
  const cipher = createCipheriv(content.replace('aes', 'aes-') as 'aes-256-gcm', contentKey, iv)
  const value = Buffer.concat([iv, cipher.update(xml), cipher.final(), cipher.getAuthTag()]).toString('base64')
  const keyValue = (
    wrapped ?? publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, contentKey)
  ).toString('base64')
  const data = (text: string) => `<xenc:CipherData><xenc:CipherValue>${text}</xenc:CipherValue></xenc:CipherData>`
  const encryptedKey = `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${transport}">${parameters}</xenc:EncryptionMethod>${data(keyValue)}</xenc:EncryptedKey>`
  const keyInfo = `<ds:KeyInfo xmlns:ds="${signature}">${beside ? '<ds:RetrievalMethod URI="https://evil.example/key"/>' : encryptedKey}</ds:KeyInfo>`
  return `<xenc:EncryptedData xmlns:xenc="${encryption}"><xenc:EncryptionMethod Algorithm="${encryption11}${content}"/>${keyInfo}${data(value)}</xenc:EncryptedData>${beside ? encryptedKey.replace('>', ` xmlns:xenc="${encryption}">`) : ''}`
}

/** The same without empty tags: what stands in something signed has to be canonical. */
export function withoutEmptyTags(xml: string): string {
  return xml.replace(/<([a-z:]+)([^<>]*?)\/>/gi, (_, name, rest) => `<${name}${rest}></${name}>`)
}

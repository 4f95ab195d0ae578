import { createDecipheriv, type KeyObject } from 'node:crypto'
import { TokenRejected } from '../oauth/errors.ts'
import { decodeBase64Binary } from './base64.ts'
import { namespaces } from './names.ts'
import { type OaepHashes, unwrapOaep } from './oaep.ts'
import { childrenOf, forEveryElement, isElement, type XmlElement } from './xml-element.ts'

const { encryption, encryption11, signature } = namespaces

/** Content encryption that is taken: only what authenticates; CBC tells an attacker the content byte by byte (SC-40, XML Encryption §6.1). */
const contentCiphers: Readonly<
  Record<string, { readonly name: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'; readonly keyBytes: number }>
> = {
  [`${encryption11}aes128-gcm`]: { name: 'aes-128-gcm', keyBytes: 16 },
  [`${encryption11}aes192-gcm`]: { name: 'aes-192-gcm', keyBytes: 24 },
  [`${encryption11}aes256-gcm`]: { name: 'aes-256-gcm', keyBytes: 32 },
}
const gcm = { ivBytes: 12, tagBytes: 16 }
const digests: Readonly<Record<string, OaepHashes['digest']>> = {
  [`${signature}sha1`]: 'sha1',
  [`${encryption}sha256`]: 'sha256',
}
const maskDigests: Readonly<Record<string, OaepHashes['mask']>> = {
  [`${encryption11}mgf1sha1`]: 'sha1',
  [`${encryption11}mgf1sha256`]: 'sha256',
}

/**
 * Decrypts an EncryptedAssertion, EncryptedID or EncryptedAttribute (SAML Core §6.1, XML Encryption §4.4), or the bare EncryptedData that
 * WS-Trust has instead. Anybody can encrypt for us: what comes out is as little trusted as what came in.
 */
export function decryptXml(encrypted: XmlElement, keys: readonly KeyObject[]): Buffer {
  const data = isElement(encrypted, encryption, 'EncryptedData') ? encrypted : onlyChild(encrypted, encryption, 'EncryptedData')
  const cipher = contentCiphers[methodOf(data)]
  if (cipher === undefined) throw notAcceptable('its content is encrypted with an algorithm that is not accepted here')
  const wrappedKey = encryptedKeyOf(encrypted)
  const hashes = hashesOf(wrappedKey)
  const contentKey = unwrap(cipherValueOf(wrappedKey), keys, hashes, cipher.keyBytes)
  return decipher(cipher.name, contentKey, cipherValueOf(data))
}

// Each EncryptedKey costs an RSA operation. It stands in the KeyInfo or beside EncryptedData; a reference to it is not followed.
function encryptedKeyOf(encrypted: XmlElement): XmlElement {
  const found: XmlElement[] = []
  forEveryElement(encrypted, element => {
    if (isElement(element, encryption, 'EncryptedKey')) found.push(element)
  })
  const [key] = found
  if (key === undefined || found.length > 1) throw notAcceptable('it has not exactly one EncryptedKey')
  return key
}

/** XML Encryption §5.5.2: `rsa-oaep-mgf1p` always has the mask of SHA-1; `rsa-oaep` names it; the digest is SHA-1 where none is named. */
function hashesOf(wrappedKey: XmlElement): OaepHashes {
  const method = onlyChild(wrappedKey, encryption, 'EncryptionMethod')
  const algorithm = methodOf(wrappedKey)
  if (childrenOf(method, encryption, 'OAEPparams').length > 0) throw unknownTransport()
  const digest = digests[namedAlgorithm(method, signature, 'DigestMethod') ?? `${signature}sha1`]
  const maskName = namedAlgorithm(method, encryption11, 'MGF')
  const mask = algorithm === `${encryption}rsa-oaep-mgf1p` ? 'sha1' : maskDigests[maskName ?? `${encryption11}mgf1sha1`]
  const known = algorithm === `${encryption11}rsa-oaep` || (algorithm === `${encryption}rsa-oaep-mgf1p` && maskName === undefined)
  if (!known || digest === undefined || mask === undefined) throw unknownTransport()
  return { digest, mask }
}

function unwrap(wrapped: Buffer, keys: readonly KeyObject[], hashes: OaepHashes, bytes: number): Buffer {
  const found = keys.map(key => unwrapOaep(wrapped, key, hashes)).find(contentKey => contentKey?.length === bytes)
  if (found === undefined) throw notDecrypted()
  return found
}

function decipher(name: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm', key: Buffer, bytes: Buffer): Buffer {
  if (bytes.length < gcm.ivBytes + gcm.tagBytes) throw notDecrypted()
  const decipher = createDecipheriv(name, key, bytes.subarray(0, gcm.ivBytes), { authTagLength: gcm.tagBytes })
  decipher.setAuthTag(bytes.subarray(-gcm.tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(gcm.ivBytes, -gcm.tagBytes)), decipher.final()])
  } catch {
    throw notDecrypted()
  }
}

function methodOf(encrypted: XmlElement): string {
  return onlyChild(encrypted, encryption, 'EncryptionMethod').attributes.get('Algorithm') ?? ''
}

function namedAlgorithm(method: XmlElement, namespace: string, name: string): string | undefined {
  const [named, ...others] = childrenOf(method, namespace, name)
  if (others.length > 0) throw unknownTransport()
  return named?.attributes.get('Algorithm')
}

// A CipherReference, which stands in the place of a CipherValue, would have us fetch something.
function cipherValueOf(encrypted: XmlElement): Buffer {
  const value = decodeBase64Binary(onlyChild(onlyChild(encrypted, encryption, 'CipherData'), encryption, 'CipherValue').text)
  if (value === undefined) throw notAcceptable('a CipherValue is not base64')
  return value
}

function onlyChild(parent: XmlElement, namespace: string, name: string): XmlElement {
  const [child, ...others] = childrenOf(parent, namespace, name)
  if (child === undefined || others.length > 0) throw notAcceptable(`it has not exactly one ${name}`)
  return child
}

function unknownTransport(): TokenRejected {
  return notAcceptable('its key is encrypted with an algorithm that is not accepted here')
}

function notAcceptable(what: string): TokenRejected {
  return new TokenRejected(`the encryption of the token is not acceptable: ${what}`)
}

/** One answer for every failure: whoever learns which step failed can decrypt by asking often enough (XML Encryption §6.1). */
export function notDecrypted(): TokenRejected {
  return new TokenRejected('the token could not be decrypted')
}

import { constants, createDecipheriv, privateDecrypt, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { contentEncryptions, keyEncryptions, recipientProblem, xmlEncrypter } from '../../src/saml/encrypt.ts'
import { element, text } from '../../src/saml/write.ts'
import { certifiedKey } from '../support/certificates.ts'

describe('encrypting assertions', () => {
  const { certificate, privateKey } = certifiedKey('RS256')
  const assertion = element('saml:Assertion', { 'xmlns:saml': 'urn:oasis:names:tc:SAML:2.0:assertion' }, text('ä'.repeat(50)))

  /** Decrypts by the text of the standard, with nothing of the code under test. */
  function decrypt(xml: string, hash: string, cipher: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'): string {
    const [encryptedKey = '', content = ''] = [...xml.matchAll(/<xenc:CipherValue>([^<]*)</g)].map(([, value]) => value)
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const key = privateDecrypt({ key: privateKey, padding, oaepHash: hash }, Buffer.from(encryptedKey, 'base64'))
    const bytes = Buffer.from(content, 'base64')
    const decipher = createDecipheriv(cipher, key, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8')
  }

  for (const keyEncryption of keyEncryptions) {
    for (const contentEncryption of contentEncryptions) {
      it(`${keyEncryption}, ${contentEncryption}: what is decrypted is what was encrypted`, () => {
        const encrypted = xmlEncrypter({ certificate, keyEncryption, contentEncryption }, randomBytes)(assertion)
        const cipher = `aes-${contentEncryption.slice(1, 4)}-gcm` as 'aes-128-gcm'
        expect(decrypt(encrypted, keyEncryption === 'RSA-OAEP' ? 'sha1' : 'sha256', cipher)).to.equal(assertion)
        expect(encrypted).to.match(/^<saml:EncryptedAssertion /)
        expect(encrypted).to.include(`xmlenc11#${cipher.replace('-', '')}"`)
      })
    }
  }

  it('takes a new key and a new initialisation vector each time', () => {
    const encrypt = xmlEncrypter({ certificate, keyEncryption: 'RSA-OAEP', contentEncryption: 'A256GCM' }, randomBytes)
    const values = [encrypt(assertion), encrypt(assertion)].flatMap(xml => xml.match(/<xenc:CipherValue>[^<]{20}/g) ?? [])
    expect(new Set(values).size).to.equal(4)
  })

  it('is for RSA keys of at least 2048 bits', () => {
    expect(recipientProblem(certificate)).to.equal(undefined)
    expect(recipientProblem(certifiedKey('ES256').certificate)).to.include('no RSA key')
  })
})

import { constants, createHash, createPublicKey, generateKeyPairSync, type KeyObject, publicEncrypt, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { expect } from 'chai'
import type { DecryptionKey } from '../../src/keys/decryption-key.ts'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import { namespaces } from '../../src/saml/names.ts'
import { unwrapOaep } from '../../src/saml/oaep.ts'
import { type Encryption, encryptFor, withoutEmptyTags } from './encrypting.ts'
import { assertion11, assertion20, makeSigner, response20, signed, unsigned } from './forge.ts'
import { prove, refusal, saml2Processor, saml11Processor } from './judging.ts'

const { encryption, encryption11, signature, saml2 } = namespaces
const idp = makeSigner()
const ours = makeSigner()
const key: DecryptionKey = { id: 'decryption', kid: 'k', algorithm: 'RSA-OAEP-256', privateKey: ours.privateKey }
const publicKey = createPublicKey(ours.privateKey)

const encrypt = (xml: string, how?: Encryption) => encryptFor(publicKey, xml, how)
const wrap = (inside: string) => `<saml:EncryptedAssertion xmlns:saml="${saml2}">${inside}</saml:EncryptedAssertion>`
const digest = (uri: string) => `<ds:DigestMethod xmlns:ds="${signature}" Algorithm="${uri}"/>`
const mask = (name: string) => `<xenc11:MGF xmlns:xenc11="${encryption11}" Algorithm="${encryption11}${name}"/>`
const good = () => signed(assertion20(), idp)

describe('encrypted assertions (SC-40)', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await saml2Processor(idp, { acceptResponse: true, decryptionKeys: ['decryption'] }, { decryptionKeys: [key] })
  })

  it('are taken with AES-GCM and RSA-OAEP, the key inside or beside', async () => {
    for (const how of [
      {},
      { content: 'aes128-gcm' },
      { content: 'aes192-gcm' },
      { beside: true },
      { parameters: digest(`${signature}sha1`) },
      { transport: `${encryption11}rsa-oaep` },
      { transport: `${encryption11}rsa-oaep`, hash: 'sha256', parameters: digest(`${encryption}sha256`) + mask('mgf1sha256') },
    ]) {
      expect((await prove(processor, wrap(encrypt(good(), how)))).subject).to.equal('alice')
    }
    expect((await prove(processor, unsigned(response20(wrap(encrypt(good())))))).subject).to.equal('alice')
    expect((await prove(processor, signed(response20(canonicalWrap()), idp))).subject).to.equal('alice')
  })
  const canonicalWrap = () => withoutEmptyTags(wrap(encrypt(good())))

  it('made by xml-encryption are taken', async () => {
    const { encrypt: encryptByOther } = createRequire(import.meta.url)('xml-encryption')
    const options = {
      rsa_pub: publicKey.export({ type: 'spki', format: 'pem' }),
      pem: ours.certificate,
      encryptionAlgorithm: `${encryption11}aes256-gcm`,
      keyEncryptionAlgorithm: `${encryption}rsa-oaep-mgf1p`,
    }
    const made = await new Promise<string>((resolve, reject) =>
      encryptByOther(good(), options, (error: Error | null, xml: string) =>
        error === null || error === undefined ? resolve(xml) : reject(error),
      ),
    )
    expect((await prove(processor, wrap(made))).subject).to.equal('alice')
  })

  it('of SAML 1.1 are taken as WS-Trust has them: bare EncryptedData', async () => {
    const processor11 = await saml11Processor(idp, { decryptionKeys: ['decryption'] }, { decryptionKeys: [key] })
    expect((await prove(processor11, encrypt(signed(assertion11(), idp)))).subject).to.equal('alice')
  })

  it('still need a signature inside (CVE-2026-18108)', async () => {
    expect(await refusal(processor, wrap(encrypt(unsigned(assertion20()))))).to.match(/not signed/)
    expect(await refusal(processor, wrap(encrypt(signed(assertion20(), makeSigner()))))).to.match(/not valid/)
    const covered = response20(withoutEmptyTags(wrap(encrypt(unsigned(assertion20())))))
    expect(await refusal(processor, signed(covered, idp))).to.match(/not signed/)
  })

  it('are checked inside as strictly as outside', async () => {
    expect(await refusal(processor, wrap(encrypt(`<!DOCTYPE x>${good()}`)))).to.match(/document type/)
    expect(await refusal(processor, wrap(encrypt(wrap(encrypt(good())))))).to.match(/not an assertion/)
    expect(await refusal(processor, wrap(encrypt(good() + good())))).to.match(/more than one root/)
  })

  it('say the same whatever fails', async () => {
    const xml = wrap(encrypt(good()))
    const broken = (part: RegExp) => xml.replace(part, (_, before: string, first: string) => `${before}${first === 'A' ? 'B' : 'A'}`)
    const other = createPublicKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
    const messages = await Promise.all([
      refusal(processor, broken(/(^.*<xenc:CipherValue>)(.)/)),
      refusal(processor, broken(/(<xenc:CipherValue>)(.)/)),
      refusal(processor, wrap(encrypt(good(), { wrapped: randomBytes(256) }))),
      refusal(processor, wrap(encrypt(good(), { wrapped: randomBytes(3) }))),
      refusal(processor, wrap(encrypt(good(), { wrapped: publicEncrypt(publicKey, randomBytes(16)) }))),
      refusal(processor, wrap(encrypt(good(), { wrapped: publicEncrypt(other, randomBytes(32)) }))),
      refusal(processor, wrap(encrypt(good(), { hash: 'sha256' }))),
    ])
    expect(new Set(messages)).to.deep.equal(new Set(['the token could not be decrypted']))
  })

  const vectors: Record<string, [string, RegExp]> = {
    CBC: [wrap(encrypt(good())).replace(`${encryption11}aes256-gcm`, `${encryption}aes256-cbc`), /content is encrypted with an algorithm/],
    'RSA 1.5': [wrap(encrypt(good(), { transport: `${encryption}rsa-1_5` })), /key is encrypted with an algorithm/],
    'a label of OAEP': [
      wrap(encrypt(good(), { parameters: '<xenc:OAEPparams>AAAA</xenc:OAEPparams>' })),
      /key is encrypted with an algorithm/,
    ],
    'an unknown digest': [wrap(encrypt(good(), { parameters: digest('urn:md5') })), /key is encrypted with an algorithm/],
    'a mask where there is none': [wrap(encrypt(good(), { parameters: mask('mgf1sha256') })), /key is encrypted with an algorithm/],
    'two keys': [
      wrap(encrypt(good(), { beside: true }) + encrypt(good(), { beside: true }).replace(/^.*<\/xenc:EncryptedData>/, '')),
      /one EncryptedKey/,
    ],
    'two data': [wrap(encrypt(good()) + encrypt(good())), /one EncryptedData/],
    'a CipherReference': [
      wrap(
        encrypt(good()).replace(
          /<xenc:CipherValue>[^<]*<\/xenc:CipherValue>(?=<\/xenc:CipherData><\/xenc:EncryptedData>)/,
          '<xenc:CipherReference URI="https://evil.example/"/>',
        ),
      ),
      /one CipherValue/,
    ],
  }
  for (const [name, [xml, message]] of Object.entries(vectors)) {
    it(`with ${name} are refused`, async () => {
      expect(await refusal(processor, xml)).to.match(message)
    })
  }
  it('are refused where the processor has no keys for them', async () => {
    expect(await refusal(await saml2Processor(idp), wrap(encrypt(good())))).to.match(/encrypted tokens are not accepted/)
  })

  describe('RSA-OAEP with two hashes (RFC 8017, section 7.1)', () => {
    const modes = [
      ['sha256', 'sha1'],
      ['sha1', 'sha256'],
    ] as const
    it('finds what was wrapped, and nothing in anything else', () => {
      for (const [hash, maskHash] of modes) {
        const message = randomBytes(32)
        const wrapped = wrapOaep(message, publicKey, hash, maskHash)
        expect(unwrapOaep(wrapped, ours.privateKey, { digest: hash, mask: maskHash })?.equals(message)).to.equal(true)
        expect(unwrapOaep(wrapped, ours.privateKey, { digest: maskHash, mask: hash })).to.equal(undefined)
        expect(unwrapOaep(wrapOaep(message, publicKey, hash, maskHash, 1), ours.privateKey, { digest: hash, mask: maskHash })).to.equal(
          undefined,
        )
        expect(unwrapOaep(wrapOaep(message, publicKey, hash, maskHash, 0, 2), ours.privateKey, { digest: hash, mask: maskHash })).to.equal(
          undefined,
        )
      }
    })
  })
})

/** RFC 8017 §7.1.1, written a second time for the tests. */
function wrapOaep(message: Buffer, key: KeyObject, hash: string, maskHash: string, first = 0, separator = 1): Buffer {
  const label = createHash(hash).digest()
  const block = Buffer.alloc(256 - 1 - label.length)
  label.copy(block)
  block[block.length - message.length - 1] = separator
  message.copy(block, block.length - message.length)
  const seed = randomBytes(label.length)
  const masked = (bytes: Buffer, from: Buffer) => {
    let stream = Buffer.alloc(0)
    for (let count = 0; stream.length < bytes.length; count++) {
      stream = Buffer.concat([
        stream,
        createHash(maskHash)
          .update(from)
          .update(Buffer.from([0, 0, 0, count]))
          .digest(),
      ])
    }
    return Buffer.from(bytes.map((byte, index) => byte ^ (stream[index] ?? 0)))
  }
  const maskedBlock = masked(block, seed)
  const encoded = Buffer.concat([Buffer.from([first]), masked(seed, maskedBlock), maskedBlock])
  return publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded)
}

import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { DecryptionKey } from '../../src/keys/decryption-key.ts'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import { namespaces } from '../../src/saml/names.ts'
import { type Encryption, encryptFor, withoutEmptyTags } from './encrypting.ts'
import {
  type AssertionParts,
  assertion20,
  attribute,
  attributeStatement,
  confirmation,
  makeSigner,
  response20,
  signed,
  unsigned,
} from './forge.ts'
import { prove, refusal, saml2Processor } from './judging.ts'

const { encryption, encryption11, saml2 } = namespaces
const idp = makeSigner()
const ours = makeSigner()
const key: DecryptionKey = { id: 'decryption', kid: 'k', algorithm: 'RSA-OAEP-256', privateKey: ours.privateKey }
const publicKey = createPublicKey(ours.privateKey)

const declared = (xml: string) => xml.replace(/^<saml:\w+/, start => `${start} xmlns:saml="${saml2}"`)
const nameId = (name: string) => declared(`<saml:NameID Format="urn:f">${name}</saml:NameID>`)
const sealed = (element: string, xml: string, how?: Encryption) =>
  `<saml:${element}>${withoutEmptyTags(encryptFor(publicKey, xml, how))}</saml:${element}>`
const encryptedId = (xml = nameId('alice'), how?: Encryption) => sealed('EncryptedID', xml, how)
const encryptedAttribute = (xml: string, how?: Encryption) => sealed('EncryptedAttribute', declared(xml), how)
const about = (id: string): AssertionParts => ({ subject: `<saml:Subject>${id}${confirmation()}</saml:Subject>` })

describe('encrypted parts of an assertion (SAML Core §2.2.4, §2.7.3.2)', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await saml2Processor(idp, { acceptResponse: true, decryptionKeys: ['decryption'] }, { decryptionKeys: [key] })
  })
  const refused = (parts: AssertionParts) => refusal(processor, signed(assertion20(parts), idp))

  it('are read as what was encrypted, among what was not', async () => {
    const rest = attributeStatement(attribute('plain', '1'), encryptedAttribute(attribute('secret', '2', 'x &amp; y')))
    const { subject, attributes } = await prove(processor, signed(assertion20({ ...about(encryptedId()), rest }), idp))
    expect(subject).to.equal('alice')
    expect(attributes.nameId).to.deep.equal({ value: 'alice', format: 'urn:f' })
    expect(attributes.attributes).to.deep.equal({ plain: ['1'], secret: ['2', 'x & y'] })
  })

  it('may have their key beside, and stand where a Response is what is signed', async () => {
    const document = assertion20(about(encryptedId(nameId('alice'), { beside: true, content: 'aes128-gcm' })))
    expect((await prove(processor, signed(document, idp))).subject).to.equal('alice')
    expect((await prove(processor, signed(response20(unsigned(document)), idp))).subject).to.equal('alice')
  })

  it('are inside of the signature: another one in their place is refused', async () => {
    const xml = signed(assertion20(about(encryptedId())), idp)
    const [, own = ''] = /<saml:EncryptedID>(.*)<\/saml:EncryptedID>/.exec(xml) ?? []
    const evil = withoutEmptyTags(encryptFor(publicKey, nameId('admin')))
    expect(await refusal(processor, xml.replace(own, evil))).to.match(/not valid/)
    expect(await refusal(processor, unsigned(assertion20(about(encryptedId(nameId('admin'))))))).to.match(/not signed/)
  })

  it('of a name still have to be one name', async () => {
    const plain = '<saml:NameID>bob</saml:NameID>'
    expect(await refused(about(encryptedId() + plain))).to.match(/more than one NameID/)
    expect(await refused(about(plain + encryptedId()))).to.match(/more than one NameID/)
    expect(await refused(about(encryptedId() + encryptedId(nameId('bob'))))).to.match(/more than one NameID/)
    expect(await refused(about(encryptedId(nameId(' alice'))))).to.match(/NameID is empty or not plain text/)
    expect(await refused(about(encryptedId(nameId(signed(assertion20(), idp)))))).to.match(/not plain text/)
    expect(await refused(about(`<saml:EncryptedID>${encryptedId()}</saml:EncryptedID>`))).to.match(/not exactly one EncryptedData/)
  })

  it('of attributes count as attributes', async () => {
    const twice = attributeStatement(attribute('a', '1'), encryptedAttribute(attribute('a', '2')))
    expect(await refused({ rest: twice })).to.match(/there twice/)
    const withXml = attributeStatement(encryptedAttribute(attribute('a', unsigned(assertion20()))))
    expect(await refused({ rest: withXml })).to.match(/XML as its value/)
  })

  it('say the same whatever fails, and whatever else was in them', async () => {
    const other = createPublicKey(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
    const inside: Record<string, string> = {
      'another element': declared(attribute('a', '1')),
      'an element of another namespace': nameId('alice').replace(saml2, 'urn:other'),
      'a BaseID': nameId('alice').replaceAll('NameID', 'BaseID'),
      'another EncryptedID': declared(encryptedId()),
      'a signed assertion': signed(assertion20(), idp),
      'two names': nameId('alice') + nameId('admin'),
      'a name and a comment': `${nameId('alice')}<!-- admin -->`,
      'a comment in the name': nameId('admin<!---->alice'),
      'a document type': `<!DOCTYPE NameID [<!ENTITY e "alice">]>${nameId('&e;')}`,
      'a prefix that is declared outside only': '<saml:NameID>alice</saml:NameID>',
      'no XML': 'alice',
      nothing: ' ',
    }
    const messages = await Promise.all([
      ...Object.values(inside).map(each => refused(about(encryptedId(each)))),
      refused({ rest: attributeStatement(encryptedAttribute(nameId('alice').replace(` xmlns:saml="${saml2}"`, ''))) }),
      refused(about(encryptedId(nameId('alice'), { wrapped: randomBytes(256) }))),
      refused(about(encryptedId(nameId('alice'), { hash: 'sha256' }))),
      refused(about(`<saml:EncryptedID>${withoutEmptyTags(encryptFor(other, nameId('alice')))}</saml:EncryptedID>`)),
    ])
    expect(new Set(messages)).to.deep.equal(new Set(['the token could not be decrypted']))
  })

  it('are encrypted as assertions are: no CBC, no RSA 1.5, one key', async () => {
    const cbc = encryptedId().replace(`${encryption11}aes256-gcm`, `${encryption}aes256-cbc`)
    expect(await refused(about(cbc))).to.match(/content is encrypted with an algorithm/)
    expect(await refused(about(encryptedId(nameId('alice'), { transport: `${encryption}rsa-1_5` })))).to.match(/key is encrypted with/)
    const [, evilKey = ''] = /(<xenc:EncryptedKey.*<\/xenc:EncryptedKey>)/.exec(encryptedId(nameId('admin'), { beside: true })) ?? []
    expect(await refused(about(encryptedId().replace('</saml:EncryptedID>', `${evilKey}</saml:EncryptedID>`)))).to.match(/one EncryptedKey/)
  })

  it('are at most so many, because each costs an operation with the private key', async () => {
    const statement = (count: number) =>
      attributeStatement(...Array.from({ length: count }, (_, index) => encryptedAttribute(attribute(`a${index}`, '1'))))
    expect(await refused({ rest: statement(33) })).to.match(/too many parts/)
    const { attributes } = await prove(processor, signed(assertion20({ rest: statement(32) }), idp))
    expect(Object.keys(attributes.attributes as object)).to.have.length(32)
  })

  it('are taken nowhere else', async () => {
    expect(await refused({ rest: encryptedAttribute(attribute('a', '1')) })).to.match(/unknown or in the wrong place/)
    expect(await refused({ rest: encryptedId() })).to.match(/unknown or in the wrong place/)
    expect(await refused({ rest: attributeStatement(encryptedId()) })).to.match(/unknown or in the wrong place/)
    const confirmed = confirmation().replace('<saml:SubjectConfirmationData', `${encryptedId()}<saml:SubjectConfirmationData`)
    expect(await refused({ subject: `<saml:Subject><saml:NameID>alice</saml:NameID>${confirmed}</saml:Subject>` })).to.match(
      /names who may/,
    )
    const issuer = `<saml:Issuer>${encryptedId()}</saml:Issuer>`
    expect(await refused({ issuer })).to.match(/Issuer is empty or not plain text/)
  })

  it('are refused, and said to be, where the processor has no keys for them', async () => {
    const withoutKeys = await saml2Processor(idp)
    const both = [{ ...about(encryptedId()) }, { rest: attributeStatement(encryptedAttribute(attribute('a', '1'))) }]
    for (const parts of both) {
      expect(await refusal(withoutKeys, signed(assertion20(parts), idp))).to.match(/part of the assertion is encrypted/)
    }
  })
})

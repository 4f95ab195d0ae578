import { expect } from 'chai'
import { saml2 } from '../../src/generators/saml2.ts'
import { saml11 } from '../../src/generators/saml11.ts'
import type { JsonObject } from '../../src/json.ts'
import { samlMetadata } from '../../src/saml/metadata-out.ts'
import { generatorOf, make, now } from '../generators/making.ts'
import { type CertifiedKey, certifiedKey, configuredKey } from '../support/certificates.ts'
import { type Desk, makeDesk, requireXmlTools, type Version } from './saml-tools.ts'

const text = { type: 'string' }
const kinds = { '2.0': saml2, '1.1': saml11 } as const
const authentication = { instant: now - 60, methods: ['pwd'], sessionIndex: '_s' }

/** An assertion with the given settings, by the given key. */
async function assertion(version: Version, certified: CertifiedKey, more: object = {}, attributes: JsonObject = {}, grant: object = {}) {
  const file = {
    issuer: 'https://sts.example.com/saml',
    audience: 'https://sp.example.com',
    signingKey: 'saml',
    lifetime: '5m',
    oneTimeUse: true,
    contract: { SAML_SUBJECT: text, 'http://example.com/claims/groups': { type: 'array', items: text } },
    ...more,
  }
  const around = { keys: { saml: await configuredKey('saml', certified) }, texts: { 'holder.pem': certified.certificatePem } }
  const generator = await generatorOf(kinds[version], file, around)
  const values = { SAML_SUBJECT: 'alice', 'http://example.com/claims/groups': ['a', 'b'], ...attributes }
  return { generator, ...(await make(generator, values, { authentication, ...grant })) }
}

describe('SAML assertions, in the eyes of xmlsec1, OpenSAML and the schemas of OASIS', function () {
  this.timeout(120_000)
  let desk: Desk
  const keys = new Map<string, CertifiedKey>()
  const keyOf = (algorithm: 'RS256' | 'ES256' | 'ES384' | 'ES512') =>
    keys.get(algorithm) ?? keys.set(algorithm, certifiedKey(algorithm)).get(algorithm)
  before(async function () {
    requireXmlTools(this)
    desk = await makeDesk()
  })
  after(() => desk?.clear())

  for (const version of ['2.0', '1.1'] as const) {
    for (const algorithm of ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'] as const) {
      it(`SAML ${version}, ${algorithm}: each confirmation with each KeyInfo verifies and is valid, and no changed copy verifies`, async () => {
        const key = keyOf(algorithm.startsWith('RS') ? 'RS256' : (algorithm as 'ES256')) as CertifiedKey
        const made: string[] = []
        for (const confirmation of ['bearer', 'sender-vouches', 'holder-of-key'] as const) {
          for (const keyInfo of ['certificate', 'key', 'none'] as const) {
            const holder = confirmation === 'holder-of-key' ? { holder: { file: 'holder.pem' } } : {}
            const settings = { signatureAlgorithm: algorithm, keyInfo, subject: { confirmation, ...holder } }
            made.push((await assertion(version, key, settings)).xml)
          }
        }
        expect(await desk.schemaProblems(made, version)).to.equal('')
        for (const [index, xml] of made.entries()) {
          const changed = xml.replace('>alice<', '>admin<')
          const verdicts = [xml, changed].map(each => desk.xmlsec1(each, key.certificatePem, version))
          expect(await Promise.all(verdicts)).to.deep.equal([true, false])
          // It takes its time: each confirmation with one KeyInfo is enough, of which it sees each.
          if (index % 4 === 0) expect(await desk.samlsign(xml, key.certificatePem)).to.equal(true)
          if (index === 0) expect(await desk.samlsign(changed, key.certificatePem)).to.equal(false)
        }
      })
    }

    it(`SAML ${version}: values that look like XML, line ends and rare characters verify as they are`, async () => {
      const key = keyOf('ES256') as CertifiedKey
      const hostile = [
        '</saml:AttributeValue><saml:Attribute Name="x">',
        '"\'&<>\r\n\t',
        'a\u2028b\u0085c',
        '\u{1f469}\u200d\u{1f680}',
        'x'.repeat(200_000),
        ' ',
        '',
      ]
      const { xml } = await assertion(version, key, { audience: 'a&b "c"\r\n\t' }, { 'http://example.com/claims/groups': hostile })
      expect(await desk.schemaProblems([xml], version)).to.equal('')
      expect(await desk.xmlsec1(xml, key.certificatePem, version)).to.equal(true)
      expect(await desk.samlsign(xml, key.certificatePem)).to.equal(true)
    })
  }

  it('everything that SAML 2.0 can say beside that is valid and verifies', async () => {
    const key = keyOf('RS256') as CertifiedKey
    const subject = { format: 'urn:f', nameQualifier: 'n', spNameQualifier: 's', recipient: 'https://r', lifetime: '1m' }
    const settings = { subject, attributeNameFormat: 'urn:uri', audience: ['https://sp.example.com', 'urn:b'] }
    const grant = { proxyRestriction: { count: 2, audiences: ['https://sp.example.com', 'urn:b'] } }
    const { xml } = await assertion('2.0', key, settings, {}, grant)
    expect(await desk.schemaProblems([xml], '2.0')).to.equal('')
    expect(await desk.xmlsec1(xml, key.certificatePem, '2.0')).to.equal(true)
    expect(await desk.samlsign(xml, key.certificatePem)).to.equal(true)
  })

  it('a delegation restriction is valid by its own schema and verifies, also inside of another document', async () => {
    const key = keyOf('ES256') as CertifiedKey
    const delegation = { act: { iss: 'https://i', sub: 'now', act: { iss: 'https://i', sub: 'before' } } }
    const { xml } = await assertion('2.0', key, { delegation: 'condition' }, {}, { delegation })
    expect(await desk.schemaProblems([xml], '2.0')).to.equal('')
    expect(await desk.samlsign(xml, key.certificatePem)).to.equal(true)
    const wrapped = `<w:w xmlns:w="urn:w" xmlns:del="urn:other" xmlns:saml="urn:saml" xmlns="urn:d">${xml}</w:w>`
    for (const document of [xml, wrapped]) expect(await desk.xmlsec1(document, key.certificatePem, '2.0')).to.equal(true)
    expect(await desk.xmlsec1(xml.replace('>now<', '>who<'), key.certificatePem, '2.0')).to.equal(false)
  })

  it('another key does not verify it', async () => {
    const { xml } = await assertion('2.0', keyOf('ES256') as CertifiedKey)
    const other = certifiedKey('ES256').certificatePem
    expect([await desk.xmlsec1(xml, other, '2.0'), await desk.samlsign(xml, other)]).to.deep.equal([false, false])
  })

  for (const contentEncryption of ['A128GCM', 'A192GCM', 'A256GCM']) {
    it(`${contentEncryption}: xmlsec1 decrypts exactly the assertion that was signed, and verifies it`, async () => {
      const key = keyOf('RS256') as CertifiedKey
      const encryption = { certificate: { file: 'holder.pem' }, contentEncryption }
      const { xml } = await assertion('2.0', key, { encryption })
      expect(xml)
        .to.match(/^<saml:EncryptedAssertion /)
        .and.not.to.include('>alice<')
      const decrypted = await desk.decrypt(xml, key.privateKeyPem)
      expect(decrypted).to.include('<saml:Assertion ').and.to.include('>alice<')
      expect(await desk.xmlsec1(decrypted, key.certificatePem, '2.0')).to.equal(true)
    })
  }

  it('encrypted assertions are valid by the schema', async () => {
    const key = keyOf('RS256') as CertifiedKey
    const made = ['RSA-OAEP', 'RSA-OAEP-256'].map(async keyEncryption => {
      const encryption = { certificate: { file: 'holder.pem' }, keyEncryption }
      return (await assertion('2.0', key, { encryption })).xml
    })
    expect(await desk.schemaProblems(await Promise.all(made), '2.0')).to.equal('')
  })

  it('metadata of every mixture of versions and keys is valid', async () => {
    const documents: string[] = []
    for (const version of ['2.0', '1.1'] as const) {
      for (const algorithm of ['RS256', 'ES256'] as const) {
        const { generator } = await assertion(version, keyOf(algorithm) as CertifiedKey)
        if (generator.publication?.as !== 'saml-entity') throw new Error('no SAML entity')
        const { entity } = generator.publication
        const bare = entity.keys.map(key => ({ ...key, certificate: undefined }))
        for (const variant of [entity, { ...entity, versions: ['2.0', '1.1'] as const }, { ...entity, keys: [...entity.keys, ...bare] }]) {
          documents.push(samlMetadata(variant, 'https://sts.example.com/saml/sso'))
        }
      }
    }
    expect(await desk.schemaProblems(documents, 'metadata')).to.equal('')
    // AWS takes no shorter one (CreateSAMLProvider).
    for (const document of documents) expect(document.length).to.be.within(1000, 10_000_000)
  })
})

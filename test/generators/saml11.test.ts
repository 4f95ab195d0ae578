import { expect } from 'chai'
import { saml11 } from '../../src/generators/saml11.ts'
import type { JsonObject } from '../../src/json.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import type { OAuthError } from '../../src/oauth/errors.ts'
import { type CertifiedKey, certifiedKey, configuredKey } from '../support/certificates.ts'
import { build, generatorOf, make, now } from './making.ts'

const text = { type: 'string' }
const claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'

describe('the saml11 token generator', () => {
  let certified: CertifiedKey
  let key: SigningKey
  before(async () => {
    certified = certifiedKey('ES256')
    key = await configuredKey('saml', certified)
  })

  const file = (more: object = {}) => ({
    issuer: 'https://sts.example.com/saml',
    audience: 'https://ledger.example.com',
    signingKey: 'saml',
    lifetime: '5m',
    contract: { SAML_SUBJECT: text, [`${claims}/emailaddress`]: text },
    ...more,
  })
  const around = () => ({ keys: { saml: key }, texts: { 'certificate.pem': certified.certificatePem } })
  const alice = { SAML_SUBJECT: 'alice', [`${claims}/emailaddress`]: 'alice@example.com' }
  const made = async (more: object = {}, attributes: JsonObject = alice, grant: object = {}) =>
    make(await generatorOf(saml11, file(more), around()), attributes, grant)
  const time = (instant: number) => `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`
  const subject =
    '<saml:Subject><saml:NameIdentifier>alice</saml:NameIdentifier><saml:SubjectConfirmation><saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:bearer</saml:ConfirmationMethod></saml:SubjectConfirmation></saml:Subject>'

  it('makes the token type saml1 of version 1.1, the signature last', async () => {
    const generator = await generatorOf(saml11, file(), around())
    expect(generator.tokenType).to.equal('urn:ietf:params:oauth:token-type:saml1')
    expect(generator.expressesActor).to.equal(false)
    const { xml, id } = await make(generator, alice)
    expect(xml).to.match(/^<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" /)
    expect(xml).to.include(
      `AssertionID="${id}" IssueInstant="${time(now)}" Issuer="https://sts.example.com/saml" MajorVersion="1" MinorVersion="1">`,
    )
    expect(xml).to.match(/<\/ds:Signature><\/saml:Assertion>$/)
  })

  it('repeats the subject in every statement', async () => {
    const { xml } = await made({}, alice, { authentication: { instant: now - 9, methods: ['pwd'] } })
    expect(xml.split(subject)).to.have.length(3)
    expect(xml).to.include(
      `<saml:AuthenticationStatement AuthenticationInstant="${time(now - 9)}" AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:password">`,
    )
  })

  describe('the namespace of an attribute', () => {
    const named = async (contract: object, more: object = {}) => {
      const attributes = Object.fromEntries(Object.keys(contract).map(name => [name, 'v']))
      const { xml } = await made({ contract: { SAML_SUBJECT: text, ...contract }, ...more }, { ...attributes, SAML_SUBJECT: 'alice' })
      return /<saml:Attribute ([^>]*)>/.exec(xml)?.[1]
    }

    it('is a URI up to its last slash', async () => {
      expect(await named({ [`${claims}/emailaddress`]: text })).to.equal(`AttributeName="emailaddress" AttributeNamespace="${claims}"`)
    })
    it('is the one that the contract says', async () => {
      expect(await named({ mail: { ...text, saml: { name: 'm', namespace: 'urn:n' } } })).to.equal(
        'AttributeName="m" AttributeNamespace="urn:n"',
      )
      expect(await named({ mail: { ...text, saml: { name: `${claims}/upn` } } })).to.equal(
        `AttributeName="upn" AttributeNamespace="${claims}"`,
      )
    })
    it('is the usual one of the file', async () => {
      expect(await named({ mail: text }, { attributeNamespace: 'urn:usual' })).to.equal(
        'AttributeName="mail" AttributeNamespace="urn:usual"',
      )
    })
    for (const name of ['mail', 'urn:oid:1.2.3', 'https://example.com', 'https://example.com/', 'a/b']) {
      it(`cannot be told of ${name}`, async () => {
        const { problems } = await build(saml11, file({ contract: { SAML_SUBJECT: text, [name]: text } }), around())
        expect(problems).to.have.length(1)
        expect(problems[0]).to.include('needs "saml": { "namespace": "…" }')
      })
    }
  })

  describe('the authentication', () => {
    for (const [told, method] of [
      [{ contextClass: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport' }, 'urn:oasis:names:tc:SAML:1.0:am:password'],
      [{ contextClass: 'urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos' }, 'urn:ietf:rfc:1510'],
      [{ contextClass: 'urn:oasis:names:tc:SAML:1.0:am:HardwareToken' }, 'urn:oasis:names:tc:SAML:1.0:am:HardwareToken'],
      [{ contextClass: 'urn:acr', methods: ['sc'] }, 'urn:oasis:names:tc:SAML:1.0:am:HardwareToken'],
      [{ contextClass: 'urn:acr' }, 'urn:oasis:names:tc:SAML:1.0:am:unspecified'],
      [{ methods: [''] }, 'urn:oasis:names:tc:SAML:1.0:am:unspecified'],
    ] as const) {
      it(`${JSON.stringify(told)} is ${method}`, async () => {
        expect((await made({}, alice, { authentication: { instant: now, ...told } })).xml).to.include(`AuthenticationMethod="${method}"`)
      })
    }
  })

  it('DoNotCacheCondition is a setting, and holder-of-key shows a certificate', async () => {
    const holder = { confirmation: 'holder-of-key', holder: { file: 'certificate.pem' } }
    const { xml } = await made({ oneTimeUse: true, subject: holder })
    expect(xml).to.include('</saml:AudienceRestrictionCondition><saml:DoNotCacheCondition></saml:DoNotCacheCondition></saml:Conditions>')
    expect(xml).to.include('cm:holder-of-key</saml:ConfirmationMethod><ds:KeyInfo xmlns:ds=')
  })

  it('permits no ProxyRestriction, for which it has no words, and refuses to say nothing at all', async () => {
    const refused = async (making: Promise<unknown>) => (await making.catch((error: unknown) => error)) as OAuthError
    expect((await generatorOf(saml11, file(), around())).permits?.({ count: 5, audiences: [] })).to.equal(false)
    const contract = { SAML_SUBJECT: text, [`${claims}/x`]: { type: ['string', 'null'] } }
    expect((await refused(made({ contract }, { SAML_SUBJECT: 'alice', [`${claims}/x`]: null }))).reason).to.equal('contract-not-met')
  })

  it('has no encryption, no delegation, no recipient: mistakes in the file', async () => {
    for (const [more, problem] of [
      [{ encryption: {} }, 'unknown member "encryption"'],
      [{ delegation: 'condition' }, 'unknown member "delegation"'],
      [{ subject: { recipient: 'https://r' } }, 'unknown member "recipient"'],
      [{ contract: { SAML_SUBJECT: text } }, 'has to state something'],
      [{ contract: { SAML_SUBJECT: text, a: { ...text, saml: { nameFormat: 'urn:f' } } } }, 'unknown member "nameFormat"'],
    ] as const) {
      const { problems } = await build(saml11, file(more), around())
      expect(problems.join('; ')).to.include(problem)
    }
    expect((await build(saml11, file({ contract: { SAML_SUBJECT: text }, authnStatement: 'always' }), around())).problems).to.deep.equal([])
  })
})

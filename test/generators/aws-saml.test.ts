import { expect } from 'chai'
import { awsSaml } from '../../src/generators/aws-saml.ts'
import type { JsonObject } from '../../src/json.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { samlMetadata } from '../../src/saml/metadata-out.ts'
import { type CertifiedKey, certifiedKey, configuredKey } from '../support/certificates.ts'
import { build, generatorOf, grantOf, make, now } from './making.ts'

const role = 'arn:aws:iam::123456789012:role/Reader'
const other = 'arn:aws:iam::210987654321:role/Reader'
const provider = 'arn:aws:iam::123456789012:saml-provider/Cambist'

describe('the aws-saml token generator', () => {
  let certified: CertifiedKey
  let keys: Record<string, SigningKey>
  before(async () => {
    certified = certifiedKey('RS256')
    keys = { saml: await configuredKey('saml', certified), curved: await configuredKey('curved', certifiedKey('ES256')) }
  })

  const file = (more: object = {}) => ({
    issuer: 'https://sts.example.com/saml',
    signingKey: 'saml',
    role,
    provider,
    contract: { SAML_SUBJECT: {}, RoleSessionName: {} },
    ...more,
  })
  const contract = (more: object) => ({ contract: { SAML_SUBJECT: {}, RoleSessionName: {}, ...more } })
  const around = () => ({ keys, texts: { 'certificate.pem': certified.certificatePem } })
  const problems = async (more: object) => (await build(awsSaml, file(more), around())).problems
  const made = async (more: object = {}, attributes: JsonObject = {}) => {
    const generator = await generatorOf(awsSaml, file(more), around())
    const issued = await generator.generate(
      grantOf({ SAML_SUBJECT: 'alice', RoleSessionName: 'alice', ...attributes }, { expiresBy: now + 300 }),
    )
    return { ...issued, xml: Buffer.from(issued.token, 'base64').toString('utf8') }
  }
  /** What refuses these values before anything is made. */
  const refused = async (attributes: JsonObject, more: object = {}) =>
    (await generatorOf(awsSaml, file(more), around())).contract.problem({ SAML_SUBJECT: 'alice', RoleSessionName: 'alice', ...attributes })
      ?.message
  const attribute = (name: string, ...values: readonly string[]) =>
    `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/${name}" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri">${values.map(value => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`

  it('answers with a Response in padded standard base64 (AW-3)', async () => {
    const { token, xml, tokenType } = await made()
    expect(token).to.match(/^[A-Za-z0-9+/]+={0,2}$/)
    expect(token.length % 4).to.equal(0)
    expect(xml).to.match(
      /^<samlp:Response .*Destination="https:\/\/signin\.aws\.amazon\.com\/saml".*<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2\.0:status:Success">/,
    )
    expect(xml.match(/<saml:Assertion /g)).to.have.length(1)
    expect(tokenType).to.equal('N_A')
  })

  it('says what AWS reads (AW-9 to AW-12)', async () => {
    const more = { sessionDuration: '2h', transitiveTags: ['Team'], ...contract({ SourceIdentity: {}, 'PrincipalTag:Team': {} }) }
    const { xml } = await made(more, { SourceIdentity: 'alice@example.com', 'PrincipalTag:Team': 'Ärzte' })
    expect(xml).to.include('Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice<')
    expect(xml).to.include('Recipient="https://signin.aws.amazon.com/saml"').and.to.include('<saml:Audience>urn:amazon:webservices<')
    expect(xml).to.include('<saml:AuthnStatement ').and.not.to.include('SessionNotOnOrAfter')
    for (const each of [
      attribute('Role', `${role},${provider}`),
      attribute('RoleSessionName', 'alice'),
      attribute('SourceIdentity', 'alice@example.com'),
      attribute('PrincipalTag:Team', 'Ärzte'),
      attribute('TransitiveTagKeys', 'Team'),
      attribute('SessionDuration', '7200'),
    ])
      expect(xml).to.include(each)
  })

  it('offers several roles, of several accounts', async () => {
    const providers = [provider, provider.replace('123456789012', '210987654321')]
    const { xml } = await made({ role: [role, other], provider: providers })
    expect(xml).to.include(attribute('Role', `${role},${providers[0]}`, `${other},${providers[1]}`))
  })

  it('takes the role from what is mapped, with the provider of its account', async () => {
    const mapped = { role: undefined, ...contract({ Role: {} }) }
    expect((await made(mapped, { Role: role })).xml).to.include(attribute('Role', `${role},${provider}`))
    expect(await refused({ Role: other }, mapped)).to.match(/account that no provider/)
    expect(await refused({ Role: role.replace('arn:aws:', 'arn:aws-cn:') }, mapped)).to.match(/no provider/)
    expect(await refused({ Role: `${role},${provider}` }, mapped)).to.match(/pattern/)
    expect(
      await refused({ Role: 'arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_1' }, mapped),
    ).to.match(/no provider/)
  })

  for (const [partition, recipient, audience] of [
    ['aws-us-gov', 'https://signin.amazonaws-us-gov.com/saml', 'urn:amazon:webservices:govcloud'],
    ['aws-cn', 'https://signin.amazonaws.cn/saml', 'urn:amazon:webservices:cn-north-1'],
  ]) {
    it(`has the recipient and the audience of ${partition}`, async () => {
      const arn = (text: string) => text.replace('arn:aws:', `arn:${partition}:`)
      const { xml } = await made({ role: arn(role), provider: arn(provider) })
      expect(xml).to.include(`Recipient="${recipient}"`).and.to.include(`<saml:Audience>${audience}<`)
    })
  }

  it('has the recipient of a region, or of encrypted assertions', async () => {
    expect((await made({ region: 'eu-west-1' })).xml).to.include('Recipient="https://eu-west-1.signin.aws.amazon.com/saml"')
    const recipient = 'https://us-east-1.signin.aws.amazon.com/saml/acs/SAMLSP123'
    const { xml } = await made({ recipient, encryption: { certificate: { file: 'certificate.pem' } } })
    expect(xml).to.include(`Destination="${recipient}"`).and.to.include('<saml:EncryptedAssertion ').and.not.to.include('<saml:Assertion ')
  })

  describe('refuses what AWS would (AW-2, AW-12)', () => {
    const tagged = contract({ SourceIdentity: {}, 'PrincipalTag:Team': {}, SessionDuration: {} })
    for (const [attributes, why] of [
      [{ RoleSessionName: 'a' }, /RoleSessionName must match/],
      [{ RoleSessionName: 'a'.repeat(65) }, /RoleSessionName must match/],
      [{ RoleSessionName: 'alice smith' }, /RoleSessionName must match/],
      [{ SourceIdentity: 'aws:alice' }, /SourceIdentity must match/],
      [{ 'PrincipalTag:Team': 'a'.repeat(257) }, /PrincipalTag:Team must NOT have more than 256/],
      [{ 'PrincipalTag:Team': 'a;b' }, /PrincipalTag:Team must match/],
      [{ SessionDuration: 899 }, /SessionDuration must be >= 900/],
      [{ SessionDuration: 43_201 }, /SessionDuration must be <= 43200/],
    ] as const) {
      it(JSON.stringify(attributes).slice(0, 60), async () => {
        const usual = { SourceIdentity: 'alice', 'PrincipalTag:Team': 'payments', SessionDuration: 900 }
        expect(await refused({ ...usual, ...attributes }, tagged)).to.match(why)
        expect(await refused(usual, tagged)).to.equal(undefined)
      })
    }

    it('transitive tags that the session does not have', async () => {
      const more = contract({ TransitiveTagKeys: {}, 'PrincipalTag:Team': { type: ['string', 'null'] } })
      expect(await refused({ TransitiveTagKeys: ['Team'] }, more)).to.match(/a tag that the session does not have/)
      expect(await refused({ TransitiveTagKeys: ['Team'], 'PrincipalTag:Team': 'a' }, more)).to.equal(undefined)
    })

    it('a response that is too long', async () => {
      const tags = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`PrincipalTag:${'k'.repeat(100)}${index}`, {}]))
      const values = Object.fromEntries(Object.keys(tags).map(name => [name, 'ä'.repeat(256)]))
      expect((await made(contract(tags), values)).token.length).to.be.lessThan(100_000)
    })
  })

  describe('a mistake in the file', () => {
    for (const [what, more, why] of [
      ['a role of another account', { role: other }, /^role: no "provider" is of its account/],
      ['no ARN', { provider: 'Cambist' }, /^provider: /],
      ['a role of Identity Center', { role: 'arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_1' }, /^role: .*only that may assume/],
      ['no role at all', { role: undefined }, /^role: expected either/],
      ['a role twice', contract({ Role: {} }), /^role: expected either/],
      ['two providers of one account', { provider: [provider, `${provider}2`] }, /^provider\.1: is a second one/],
      ['a region of another partition', { region: 'cn-north-1' }, /^region: is no region of aws/],
      [
        'a recipient of somebody else',
        { recipient: 'https://signin.aws.amazon.com.evil.example/saml' },
        /^recipient: is no sign-in address/,
      ],
      ['a key that AWS cannot use', { signingKey: 'curved' }, /^signingKey: AWS verifies signatures by RSA/],
      ['a lifetime that AWS does not give', { lifetime: '6m' }, /^lifetime: must be at most "5m"/],
      ['a session that is too short', { sessionDuration: '14m' }, /^sessionDuration: must be from/],
      ['no session name', { contract: { SAML_SUBJECT: {} } }, /^contract: .*"RoleSessionName", without which/],
      ['no subject', { contract: { RoleSessionName: {} } }, /^contract: .*"SAML_SUBJECT"/],
      ['a name that AWS does not have', contract({ SourceIdentiy: {} }), /^contract\.SourceIdentiy: .*did you mean "SourceIdentity"/],
      [
        'a type that AWS does not take',
        contract({ SourceIdentity: { type: 'number' } }),
        /^contract\.SourceIdentity\.type: AWS takes "string" only/,
      ],
      ['a tag of AWS itself', contract({ 'PrincipalTag:aws:x': {} }), /kept by AWS for itself/],
      ['a tag that differs by case only', contract({ 'PrincipalTag:Team': {}, 'PrincipalTag:team': {} }), /upper and lower case only/],
      ['a transitive tag that is none', { transitiveTags: ['Team'] }, /^transitiveTags\.0: the contract has no "PrincipalTag:Team"/],
      ['too many tags', contract(Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`PrincipalTag:${at}`, {}]))), /at most 50 tags/],
    ] as const) {
      it(what, async () => {
        expect((await problems(more)).join('\n')).to.match(why)
      })
    }
  })

  it('has metadata that an account can import (AW-18)', async () => {
    const { publication } = await generatorOf(awsSaml, file(), around())
    if (publication?.as !== 'saml-entity') throw new Error('no SAML entity')
    const metadata = samlMetadata(publication.entity, 'https://sts.example.com/token')
    expect(metadata.length).to.be.within(1000, 10_000_000)
    expect(metadata).to.match(/^<\?xml version="1\.0" encoding="UTF-8"\?>/)
    for (const part of ['<md:IDPSSODescriptor ', 'use="signing"', '<ds:X509Certificate>', '<md:SingleSignOnService ', '<md:NameIDFormat>'])
      expect(metadata).to.include(part)
    expect(metadata).not.to.include('validUntil')
  })

  it('is explained by the assertion in it', async () => {
    const { content } = await make(await generatorOf(awsSaml, file(), around()), { SAML_SUBJECT: 'alice', RoleSessionName: 'alice' })
    expect(content)
      .to.have.property('xml')
      .that.matches(/^<saml:Assertion /)
  })
})

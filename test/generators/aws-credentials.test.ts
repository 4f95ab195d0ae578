import { expect } from 'chai'
import { awsCredentials } from '../../src/generators/aws-credentials.ts'
import { awsSaml } from '../../src/generators/aws-saml.ts'
import { jwt } from '../../src/generators/jwt.ts'
import type { TokenGenerator } from '../../src/generators/token-generator.ts'
import type { JsonObject } from '../../src/json.ts'
import type { GuardedFetch, GuardedRequest } from '../../src/keys/guarded-fetch.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { certifiedKey, configuredKey } from '../support/certificates.ts'
import { build, generatorOf, grantOf, now } from './making.ts'

const role = 'arn:aws:iam::123456789012:role/Reader'
const provider = 'arn:aws:iam::123456789012:saml-provider/Cambist'
const credentials =
  '<AssumeRoleWithSAMLResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithSAMLResult><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithSAMLResult></AssumeRoleWithSAMLResponse>'

describe('generators for AWS that are no assertions', () => {
  let keys: Record<string, SigningKey>
  let generators: Record<string, TokenGenerator>
  before(async () => {
    keys = {
      saml: await configuredKey('saml', certifiedKey('RS256')),
      curved: await configuredKey('curved', certifiedKey('ES256')),
      pss: await configuredKey('pss', certifiedKey('PS256')),
    }
    const saml = {
      issuer: 'https://sts.example.com/saml',
      signingKey: 'saml',
      provider,
      contract: { SAML_SUBJECT: {}, RoleSessionName: {} },
    }
    generators = {
      saml: await generatorOf(awsSaml, { ...saml, role }, { keys }),
      two: await generatorOf(awsSaml, { ...saml, role: [role, `${role}2`] }, { keys }),
      web: await generatorOf(jwt, web(), { keys }),
      plain: await generatorOf(jwt, web({ preset: undefined }), { keys }),
    }
  })

  const web = (more: object = {}) => ({
    preset: 'aws-web-identity',
    audience: 'sts.amazonaws.com',
    signingKey: 'curved',
    lifetime: '5m',
    contract: { sub: { type: 'string' } },
    ...more,
  })
  const file = (more: object = {}) => ({ tokenGenerator: 'saml', region: 'eu-central-1', lifetime: '1h', outlivesSubject: true, ...more })
  const problems = async (more: object) => (await build(awsCredentials, file(more), { generators })).problems.join('\n')
  const attributes = { SAML_SUBJECT: 'alice', RoleSessionName: 'alice' }
  const later = { expiresBy: now + 3600 }

  /** What AWS was asked. */
  async function asked(more: object = {}, values: JsonObject = {}, grant: object = later) {
    const requests: Array<readonly [string, GuardedRequest]> = []
    const effects: GuardedFetch = async (url, request) => {
      requests.push([url, request])
      return { status: 200, headers: { get: () => null }, text: async () => credentials }
    }
    const generator = await generatorOf(awsCredentials, file(more), { generators, effects })
    await generator.generate(grantOf({ ...attributes, ...values }, grant))
    const [[url, request] = ['', {}]] = requests
    return { url, request, parameters: Object.fromEntries(new URLSearchParams(request.body)) }
  }

  it('asks the service of the region for as long as was decided', async () => {
    const { url, request, parameters } = await asked()
    expect(url).to.equal('https://sts.eu-central-1.amazonaws.com/')
    expect(request).to.include({ method: 'POST', allowPrivateNetwork: false })
    expect(parameters).to.include({
      Action: 'AssumeRoleWithSAML',
      Version: '2011-06-15',
      RoleArn: role,
      PrincipalArn: provider,
      DurationSeconds: '3600',
    })
    expect(Buffer.from(parameters.SAMLAssertion ?? '', 'base64').toString()).to.match(/^<samlp:Response /)
    expect((await asked({}, {}, { expiresBy: now + 1000 })).parameters.DurationSeconds).to.equal('1000')
  })

  it('narrows by what is mapped', async () => {
    const more = { contract: { Policy: { type: ['string', 'null'] }, PolicyArns: {} } }
    const arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess', 'arn:aws:iam::123456789012:policy/Orders']
    const { parameters } = await asked(more, { Policy: '{"Version":"2012-10-17","Statement":[]}', PolicyArns: arns })
    expect(parameters).to.include({ 'PolicyArns.member.1.arn': arns[0], 'PolicyArns.member.2.arn': arns[1] })
    expect(JSON.parse(parameters.Policy ?? '')).to.have.property('Version', '2012-10-17')
    const { contract } = await generatorOf(awsCredentials, file(more), { generators })
    expect(contract.problem({ ...attributes, PolicyArns: [], Policy: '{' })?.message).to.equal('Policy is not JSON')
    expect(contract.problem({ ...attributes, PolicyArns: [], Policy: `"${'x'.repeat(2048)}"` })?.message).to.match(/more than 2048/)
    expect(contract.problem({ ...attributes, PolicyArns: Array.from({ length: 11 }, (_, at) => `${arns[1]}${at}`) })?.message).to.match(
      /more than 10/,
    )
    expect(contract.problem({ ...attributes, PolicyArns: ['ReadOnly'] })?.message).to.match(/PolicyArns/)
  })

  it('refuses what AWS has no session for', async () => {
    const error = await asked({}, {}, { expiresBy: now + 899 }).catch(reason => reason)
    expect(error).to.include({ reason: 'no-lifetime-left' })
  })

  it('only describes the request where nothing may happen outside', async () => {
    const generator = await generatorOf(awsCredentials, file(), { generators })
    const { token, content } = await generator.generate(grantOf(attributes, later))
    expect(token).to.equal('AWS was not asked')
    expect(content).to.have.property('claims').that.includes({ Action: 'AssumeRoleWithSAML', RoleArn: role, DurationSeconds: '3600' })
    expect(JSON.stringify(content)).not.to.include('PHNhbWxw')
  })

  it('warns of an endpoint that is not that of AWS', async () => {
    const warned = async (more: object) => (await build(awsCredentials, file(more), { generators })).warnings
    const usual = ['outlives-subject outlivesSubject']
    expect(await warned({})).to.deep.equal(usual)
    expect(await warned({ endpoint: 'https://vpce-1-2.sts.eu-central-1.vpce.amazonaws.com' })).to.deep.equal(usual)
    expect(await warned({ endpoint: 'https://sts.eu-central-1.api.aws' })).to.deep.equal(usual)
    expect(await warned({ endpoint: 'https://sts.eu-west-1.amazonaws.com' })).to.deep.equal(['aws-endpoint endpoint', ...usual])
    const local = { endpoint: 'http://127.0.0.1:4566', allowPrivateNetwork: true }
    expect(await warned(local)).to.deep.equal(['private-network allowPrivateNetwork', 'aws-endpoint endpoint', ...usual])
  })

  describe('a mistake in the file of aws-credentials', () => {
    for (const [what, more, why] of [
      ['what AWS issues nothing for', { tokenGenerator: 'plain' }, /^tokenGenerator: AWS issues no credentials for what/],
      ['several roles', { tokenGenerator: 'two' }, /^tokenGenerator: .*with one role/],
      ['a region of another partition', { region: 'cn-north-1' }, /^region: is a region of aws-cn/],
      ['outlivesSubject left out', { outlivesSubject: undefined }, /^outlivesSubject: must be true/],
      ['outlivesSubject false', { outlivesSubject: false }, /^outlivesSubject: must be true/],
      ['a session that is too short', { lifetime: '14m' }, /^lifetime: must be from "15m"/],
      ['a session that is too long', { lifetime: '13h' }, /^lifetime: must be from "15m"/],
      ['plain http', { endpoint: 'http://sts.eu-central-1.amazonaws.com' }, /^endpoint: must be https/],
      ['a role beside that of an assertion', { role }, /^role: .*names the role already/],
      [
        'a session name beside that of an assertion',
        { contract: { RoleSessionName: {} } },
        /^contract\.RoleSessionName: AWS is told of no/,
      ],
      ['no role for a JWT', { tokenGenerator: 'web', contract: { RoleSessionName: {} } }, /^role: expected either/],
      ['no session name for a JWT', { tokenGenerator: 'web', role }, /^contract: .*"RoleSessionName"/],
    ] as const) {
      it(what, async () => expect(await problems(more)).to.match(why))
    }
  })

  describe('a JWT for AWS', () => {
    const contract = {
      sub: { type: 'string' },
      SourceIdentity: {},
      'PrincipalTag:Team': {},
      TransitiveTagKeys: {},
      email: { type: 'string' },
    }
    const values = {
      sub: 'alice@example.com',
      SourceIdentity: 'alice',
      'PrincipalTag:Team': 'orders',
      TransitiveTagKeys: ['Team'],
      email: 'a@b.c',
    }

    it('says of the session what AWS reads (AW-21, AW-23)', async () => {
      const generator = await generatorOf(jwt, web({ contract }), { keys })
      const { content } = await generator.generate(grantOf(values, { expiresBy: now + 300, now: now + 0.25 }))
      const claims = (content as { claims: JsonObject }).claims
      expect(claims).to.deep.include({
        iss: 'https://sts.example.com/issuers/partner',
        sub: 'alice@example.com',
        aud: 'sts.amazonaws.com',
        iat: now,
        exp: now + 300,
        email: 'a@b.c',
        'https://aws.amazon.com/tags': { principal_tags: { Team: ['orders'] }, transitive_tag_keys: ['Team'] },
        'https://aws.amazon.com/source_identity': 'alice',
      })
      expect(Object.keys(claims)).not.to.include('PrincipalTag:Team').and.not.to.include('SourceIdentity')
    })

    it('has documents that AWS reads (AW-19)', async () => {
      const { publication } = await generatorOf(jwt, web({ contract }), { keys })
      if (publication?.as !== 'jwt-issuer') throw new Error('no issuer')
      const configuration = JSON.parse(publication.openidConfiguration)
      expect(configuration).to.include({ issuer: 'https://sts.example.com/issuers/partner' })
      expect(configuration).to.include.keys(
        'jwks_uri',
        'response_types_supported',
        'subject_types_supported',
        'id_token_signing_alg_values_supported',
      )
      expect(configuration.claims_supported).to.include.members(['iss', 'sub', 'aud', 'exp', 'iat', 'email', 'https://aws.amazon.com/tags'])
      for (const key of JSON.parse(publication.jwks).keys) expect(key).to.include.keys('kid', 'alg', 'kty', 'use')
    })

    it('is refused here when AWS would (AW-12, AW-21, AW-22)', async () => {
      const { contract: made, generate } = await generatorOf(jwt, web({ contract }), { keys })
      expect(made.problem({ ...values, sub: 's'.repeat(256) })?.message).to.match(/sub must NOT have more than 255/)
      expect(made.problem({ ...values, SourceIdentity: 'a b' })?.message).to.match(/SourceIdentity must match/)
      expect(made.problem({ ...values, TransitiveTagKeys: ['Other'] })?.message).to.match(/a tag that the session does not have/)
      const error = await generate(grantOf({ ...values, email: 'x'.repeat(20_000) }, later)).catch(reason => reason)
      expect(error).to.include({ reason: 'contract-not-met' })
    })

    for (const preset of ['aws-web-identity', 'aws-identity-center']) {
      for (const [what, more, why] of [
        ['an issuer with a port', { issuer: 'https://sts.example.com:8443/aws' }, /^issuer: AWS takes an https URL/],
        ['an issuer without TLS', { issuer: 'http://sts.example.com/aws' }, /^issuer: AWS takes an https URL/],
        ['an issuer with a query', { issuer: 'https://sts.example.com/aws?x=1' }, /^issuer: AWS takes an https URL/],
        ['an algorithm that AWS does not verify', { signingKey: 'pss' }, /^signingKey: .*not PS256/],
        ['azp in the contract', { contract: { sub: { type: 'string' }, azp: { type: 'string' } } }, /^contract\.azp: /],
        ['an audience that is too long', { audience: 'a'.repeat(256) }, /^audience: /],
      ] as const) {
        it(`${preset}: ${what} is a mistake`, async () => {
          expect((await build(jwt, web({ preset, ...more }), { keys })).problems.join('\n')).to.match(why)
        })
      }
    }
  })
})

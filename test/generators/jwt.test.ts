import { expect } from 'chai'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { jwt } from '../../src/generators/jwt.ts'
import type { JwtIssuerPublication } from '../../src/generators/token-generator.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { certifiedKey, configuredKey } from '../support/certificates.ts'
import { build, generatorOf, grantOf, make, now, ownIssuer } from './making.ts'

const text = { type: 'string' }

describe('the jwt token generator', () => {
  let key: SigningKey
  let retired: SigningKey
  before(async () => {
    key = await configuredKey('partner', certifiedKey('ES256'))
    retired = await configuredKey('old', certifiedKey('RS256'))
  })

  const file = (more: object = {}) => ({
    audience: 'https://partner.example',
    signingKey: 'partner',
    lifetime: '5m',
    contract: { sub: text },
    ...more,
  })
  const around = () => ({ keys: { partner: { active: key, published: [key, retired], upcoming: [] } } })
  const generator = (more: object = {}) => generatorOf(jwt, file(more), around())
  const published = async (more: object = {}) => (await generator(more)).publication as JwtIssuerPublication

  it('makes a JWT that verifies by its documents, and says what was decided', async () => {
    const made = await generator({ contract: { sub: text, email: { type: ['string', 'null'] }, groups: { type: 'array', items: text } } })
    const issued = await make(made, { sub: 'alice', email: null, groups: ['a'] }, { now: now + 0.75 })
    const { jwks, issuer } = made.publication as JwtIssuerPublication
    const keys = createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet)
    const { payload, protectedHeader } = await jwtVerify(issued.token, keys, { issuer, audience: 'https://partner.example' })
    expect(protectedHeader).to.deep.equal({ alg: 'ES256', typ: 'JWT', kid: key.kid })
    expect(payload).to.deep.equal({
      iss: `${ownIssuer}/issuers/partner`,
      sub: 'alice',
      groups: ['a'],
      aud: 'https://partner.example',
      iat: now,
      exp: now + 7200,
      jti: issued.id,
    })
    expect(issued).to.include({ tokenType: 'N_A', expiresAt: now + 7200 })
    expect(made).to.include({ tokenType: 'urn:ietf:params:oauth:token-type:jwt', expressesActor: true })
  })

  it('writes who acts, several audiences, another typ and another issuer', async () => {
    const made = await generator({ audience: ['a', 'b'], typ: 'secevent+jwt', issuer: 'my-client' })
    const act = { iss: 'https://i', sub: 'now', act: { iss: 'https://i', sub: 'before' } }
    const { token } = await made.generate(grantOf({ sub: 'alice' }, { delegation: { act } }))
    expect(decodeProtectedHeader(token).typ).to.equal('secevent+jwt')
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).to.deep.include({ iss: 'my-client', aud: ['a', 'b'], act })
  })

  it('publishes an issuer with every key of the line, at addresses of this server', async () => {
    const { issuer, openidConfiguration, jwks } = await published()
    expect(issuer).to.equal('https://sts.example.com/issuers/partner')
    expect(JSON.parse(openidConfiguration)).to.deep.equal({
      issuer,
      jwks_uri: 'https://sts.example.com/issuers/partner/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      claims_supported: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti'],
    })
    const { keys } = JSON.parse(jwks) as JSONWebKeySet
    expect(keys.map(({ kid }) => kid)).to.deep.equal([key.kid, retired.kid])
    expect(jwks).not.to.include('"d"')
  })

  it('publishes its keys at our address whatever its issuer is called', async () => {
    const { openidConfiguration } = await published({ issuer: 'https://tokens.example' })
    expect(JSON.parse(openidConfiguration)).to.include({
      issuer: 'https://tokens.example',
      jwks_uri: 'https://sts.example.com/issuers/partner/jwks',
    })
  })

  for (const issuer of [ownIssuer, `${ownIssuer}/`]) {
    it(`never has the issuer of this server (${issuer})`, async () => {
      expect((await build(jwt, file({ issuer }), around())).problems).to.deep.equal([
        'issuer: is the issuer of this server; access tokens are made by access token managers only',
      ])
    })
  }

  for (const name of ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act', 'cnf']) {
    it(`maps no ${name}`, async () => {
      const { problems } = await build(jwt, file({ contract: { sub: text, [name]: text } }), around())
      expect(problems).to.deep.equal([`contract.${name}: the claim "${name}" is decided by the exchange and cannot be mapped`])
    })
  }

  it('needs a subject, an audience and a lifetime', async () => {
    expect((await build(jwt, file({ contract: {} }), around())).problems).to.deep.equal([
      'contract: the contract needs the attribute "sub" with "type": "string"',
    ])
    expect((await build(jwt, file({ audience: [] }), around())).problems).to.have.length(1)
    expect((await build(jwt, file({ lifetime: '0s' }), around())).problems).to.deep.equal(['lifetime: must be at least "1s"'])
  })

  it('permits nothing to be made from a token that restricts it: absent is never', async () => {
    expect(await generator()).not.to.have.property('permits')
  })
})

import { expect } from 'chai'
import { TokenRejected } from '../../src/oauth/errors.ts'
import { jwt } from '../../src/processors/jwt.ts'
import { foreignKey, processorOf } from './building.ts'

const now = 1_800_000_000
const issuer = 'https://6b1a5f5e-0f5e-4d8a-9d1c-6e0f1a2b3c4d.tokens.sts.global.api.aws'
const anotherIssuer = 'https://00000000-0f5e-4d8a-9d1c-6e0f1a2b3c4d.tokens.sts.global.api.aws'
const namespace = 'https://sts.amazonaws.com/'
const key = foreignKey('ES384')

const claims = {
  iss: issuer,
  aud: 'https://sts.example.com',
  sub: 'arn:aws:iam::123456789012:role/team/orders',
  iat: now,
  exp: now + 300,
  jti: 'a1',
}
const context = { aws_account: '123456789012', source_region: 'eu-west-1', org_id: 'o-1', ou_path: 'o-1/r-1/ou-1/' }

const processor = () => processorOf(jwt, { preset: 'aws-web-identity', issuers: [{ issuer, jwks: { keys: [key.jwk] } }] })

async function prove(more: object = {}, about: object = {}) {
  const token = await key.sign({ typ: 'JWT' }, { ...claims, [namespace]: { ...context, ...about }, ...more })
  return (await processor()).process(token, { now })
}

async function refusal(more: object = {}, about: object = {}): Promise<string> {
  const error = await prove(more, about).then(
    () => expect.fail('the token was accepted'),
    failure => failure,
  )
  expect(error).to.be.instanceOf(TokenRejected)
  return error.message
}

describe('jwt processor, preset aws-web-identity (AW-26 to AW-28)', () => {
  it('splits the principal, and gives account, organization and tags by short names', async () => {
    const tags = { principal_tags: { team: 'pay' }, request_tags: { 'job-id': '7' }, source_identity: 'alice' }
    expect((await prove({}, tags)).attributes.aws).to.deep.equal({
      ...{ account: '123456789012', arn: claims.sub, role: 'orders', region: 'eu-west-1', orgId: 'o-1', ouPath: 'o-1/r-1/ou-1/' },
      ...{ sourceIdentity: 'alice', principalTags: { team: 'pay' }, requestTags: { 'job-id': '7' } },
    })
  })
  it('of a session as well', async () => {
    const { attributes } = await prove({ sub: 'arn:aws:sts::123456789012:assumed-role/orders/alice' })
    expect(attributes.aws).to.include({ arn: 'arn:aws:iam::123456789012:role/orders', role: 'orders', session: 'alice' })
    expect(attributes.sub).to.equal('arn:aws:sts::123456789012:assumed-role/orders/alice')
  })
  it('of a user, who has no role', async () => {
    const { attributes } = await prove({ sub: 'arn:aws:iam::123456789012:user/alice' })
    expect(attributes.aws).to.not.have.any.keys('role', 'session')
  })
  it('does not let a claim pose as what was read', async () => {
    const { attributes } = await prove({ aws: { account: '999999999999' } })
    expect(attributes.aws).to.include({ account: '123456789012' })
  })

  it('refuses an issuer under the domain of AWS that is not pinned', async () => {
    for (const iss of [
      anotherIssuer,
      `${issuer}/`,
      issuer.toUpperCase(),
      'https://tokens.sts.global.api.aws',
      'https://sts.amazonaws.com',
    ]) {
      expect(await refusal({ iss }), iss).to.equal('the issuer of the token is not accepted here')
    }
  })
  it('refuses the token of an account that says it is another one', async () => {
    expect(await refusal({}, { aws_account: '999999999999' })).to.match(/another account/)
    expect(await refusal({ sub: 'arn:aws:iam::999999999999:role/orders' })).to.match(/another account/)
  })
  it('refuses what is no principal', async () => {
    for (const sub of [
      'arn:aws:iam::123456789012:group/admins',
      'arn:aws:iam::123456789012:role/',
      'arn:aws-x:iam::123456789012:role/orders',
    ]) {
      expect(await refusal({ sub }), sub).to.match(/names no principal|not acceptable/)
    }
  })
  it('refuses tags that are no texts', async () => {
    expect(await refusal({}, { principal_tags: { team: ['pay'] } })).to.match(/not acceptable/)
  })
})

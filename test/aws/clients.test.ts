import { AssumeRoleWithSAMLCommand, AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { expect } from 'chai'
import { requireProgram, run } from '../interop/tools.ts'
import { arns, awsFiles, awsFor, awsTypes, WayToAws } from '../support/aws.ts'
import type { FakeAws } from '../support/aws-sts/sts.ts'
import { types } from '../support/oauth.ts'
import { serverFor } from '../support/world.ts'

describe('the clients of AWS take what we make', () => {
  const world = serverFor(files => awsFiles(files), { fetch: new WayToAws().fetch })
  let aws: FakeAws
  let sdk: STSClient
  before(async function () {
    requireProgram(this, 'xmlsec1', ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
    aws = await awsFor(world)
    sdk = new STSClient({ region: 'eu-central-1', endpoint: aws.url, credentials: { accessKeyId: 'none', secretAccessKey: 'none' } })
  })
  after(async () => {
    sdk?.destroy()
    await aws?.close()
  })

  const samlResponse = async () => (await world.issued({ audience: 'aws', requested_token_type: awsTypes.samlResponse })).token
  const jwt = async () => (await world.issued({ audience: 'aws-web', requested_token_type: types.jwt })).token

  it('@aws-sdk/client-sts, by AssumeRoleWithSAML (AW-5)', async () => {
    const answer = await sdk.send(
      new AssumeRoleWithSAMLCommand({
        RoleArn: arns.reader,
        PrincipalArn: arns.saml,
        SAMLAssertion: await samlResponse(),
        DurationSeconds: 900,
      }),
    )
    expect(answer).to.include({ Audience: 'https://signin.aws.amazon.com/saml', SubjectType: 'persistent', SourceIdentity: 'alice' })
    expect(answer.Subject).to.equal('alice@example.com')
    const { AccessKeyId: accessKeyId = '', SecretAccessKey: secretAccessKey = '', SessionToken: sessionToken } = answer.Credentials ?? {}
    const session = new STSClient({
      region: 'eu-central-1',
      endpoint: aws.url,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
    })
    expect((await session.send(new GetCallerIdentityCommand({}))).Arn).to.equal('arn:aws:sts::123456789012:assumed-role/Reader/alice')
    session.destroy()
  })

  it('@aws-sdk/client-sts, by AssumeRoleWithWebIdentity (AW-19 to AW-23)', async () => {
    const request = { RoleArn: arns.writer, RoleSessionName: 'alice', WebIdentityToken: await jwt() }
    const answer = await sdk.send(new AssumeRoleWithWebIdentityCommand(request))
    expect(answer).to.include({ Audience: 'sts.amazonaws.com', SubjectFromWebIdentityToken: 'alice@example.com', Provider: arns.oidc })
    expect(aws.sessions.get(answer.Credentials?.AccessKeyId ?? '')).to.deep.include({
      tags: { Team: 'app-orders' },
      transitiveTagKeys: ['Team'],
      sourceIdentity: 'alice',
    })
  })

  it('the AWS CLI, without any credentials', async function () {
    requireProgram(this, 'aws', ['--version'], 'CAMBIST_REQUIRE_AWS')
    const endpoint = ['--region', 'eu-central-1', '--endpoint-url', aws.url, '--output', 'json']
    const bySaml = [
      'assume-role-with-saml',
      '--role-arn',
      arns.reader,
      '--principal-arn',
      arns.saml,
      '--saml-assertion',
      await samlResponse(),
    ]
    const saml = await run('aws', ['sts', ...bySaml, ...endpoint])
    expect(saml.code, saml.complaints).to.equal(0)
    expect(JSON.parse(saml.out).AssumedRoleUser.Arn).to.match(/assumed-role\/Reader\/alice$/)
    const byJwt = [
      'assume-role-with-web-identity',
      '--role-arn',
      arns.writer,
      '--role-session-name',
      'alice',
      '--web-identity-token',
      await jwt(),
    ]
    const web = await run('aws', ['sts', ...byJwt, ...endpoint])
    expect(web.code, web.complaints).to.equal(0)
  })

  describe('and the stand-in for AWS refuses what AWS would:', () => {
    const assume = (SAMLAssertion: string, more: object = {}) =>
      sdk.send(new AssumeRoleWithSAMLCommand({ RoleArn: arns.reader, PrincipalArn: arns.saml, SAMLAssertion, ...more })).then(
        () => 'taken',
        error => `${error.name}: ${error.message}`,
      )
    const changed = async (found: RegExp, written: string) => {
      const xml = Buffer.from(await samlResponse(), 'base64').toString('utf8')
      expect(xml).to.match(found)
      return Buffer.from(xml.replace(found, written)).toString('base64')
    }

    it('the bare assertion of the type saml2 (AW-3)', async () => {
      const xml = Buffer.from(await samlResponse(), 'base64').toString('utf8')
      const assertion = /<saml:Assertion .*<\/saml:Assertion>/.exec(xml)?.[0] ?? ''
      expect(await assume(Buffer.from(assertion).toString('base64'))).to.match(/Invalid SAML response/)
      expect(await assume(Buffer.from(xml).toString('base64url'))).to.match(/InvalidIdentityToken/)
    })

    it('another name, another role, another issuer', async () => {
      expect(await assume(await changed(/>alice</, '>admin<'))).to.match(/Response signature invalid/)
      expect(await assume(await samlResponse(), { RoleArn: arns.writer })).to.match(/doesn't contain the requested Role/)
    })

    it('an assertion after five minutes (AW-7)', async () => {
      const late = await awsFor(world)
      const token = await samlResponse()
      world.server.advance(301)
      try {
        const message = await new STSClient({
          region: 'eu-central-1',
          endpoint: late.url,
          credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
        })
          .send(new AssumeRoleWithSAMLCommand({ RoleArn: arns.reader, PrincipalArn: arns.saml, SAMLAssertion: token }))
          .then(
            () => 'taken',
            error => error.message,
          )
        expect(message).to.equal('Token must be redeemed within 5 minutes of issuance')
      } finally {
        world.server.advance(-301)
        await late.close()
      }
    })

    it('a session that is longer than the role allows, and a policy that is none', async () => {
      expect(await assume(await samlResponse(), { DurationSeconds: 43_200 })).to.match(/exceeds the MaxSessionDuration/)
      expect(await assume(await samlResponse(), { Policy: '{}' })).to.match(/MalformedPolicyDocument/)
    })
  })
})

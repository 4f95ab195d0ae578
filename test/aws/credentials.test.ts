import { expect } from 'chai'
import { requireProgram } from '../interop/tools.ts'
import { arns, awsFiles, awsFor, awsTypes, WayToAws } from '../support/aws.ts'
import { serverFor } from '../support/world.ts'

describe('credentials of AWS', () => {
  const way = new WayToAws()
  const world = serverFor(files => awsFiles(files, { 'clients/gateway.json': { properties: { tier: 'gold' } } }), { fetch: way.fetch })
  before(async function () {
    requireProgram(this, 'xmlsec1', ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
    way.aws = await awsFor(world)
  })
  after(() => way.aws?.close())
  afterEach(() => {
    way.meddle = undefined
  })

  for (const [audience, role, name] of [
    ['aws', arns.reader, 'Reader'],
    ['aws-web', arns.writer, 'Writer'],
  ] as const) {
    describe(`for audience ${audience}`, () => {
      it('are fetched from the regional service, and answered as JSON', async () => {
        const { answer, token } = await world.issued({ audience })
        expect(answer.json).to.include({ issued_token_type: awsTypes.credentials, token_type: 'N_A', expires_in: 900 })
        const credentials = JSON.parse(token)
        expect(credentials).to.have.all.keys('Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration')
        const session = way.aws?.sessions.get(credentials.AccessKeyId)
        expect(session).to.deep.include({
          arn: `arn:aws:sts::123456789012:assumed-role/${name}/alice`,
          secret: credentials.SecretAccessKey,
          token: credentials.SessionToken,
          sourceIdentity: 'alice',
          tags: { Team: 'app-orders' },
          transitiveTagKeys: ['Team'],
        })
        expect(session?.role.arn).to.equal(role)
        expect(way.asked.at(-1)).to.equal('https://sts.eu-central-1.amazonaws.com/')
      })

      it('are nowhere in the record, which has the id of the request instead', async () => {
        const { token, record } = await world.issued({ audience })
        const { AccessKeyId, SecretAccessKey, SessionToken } = JSON.parse(token)
        for (const secret of [AccessKeyId, SecretAccessKey, SessionToken]) expect(JSON.stringify(record)).not.to.include(secret)
        expect(record.issuedToken)
          .to.have.property('id')
          .that.matches(/^[0-9a-f-]{36}$/)
      })
    })
  }

  /** AWS answers this to the next request. */
  const answering = (status: number, text: string) => {
    way.meddle = async () => ({ status, headers: { get: () => null }, text: async () => text })
  }
  const error = (code: string, message = 'Value at samlAssertion is secret') =>
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>8c5-1</RequestId></ErrorResponse>`

  describe('a refusal of AWS', () => {
    for (const [code, wire, reason] of [
      ['AccessDenied', 'invalid_target', 'aws-role-refused'],
      ['RegionDisabledException', 'invalid_target', 'aws-role-refused'],
      ['IDPRejectedClaim', 'invalid_target', 'aws-role-refused'],
      ['InvalidIdentityToken', 'invalid_request', 'aws-request-refused'],
      ['ExpiredTokenException', 'invalid_request', 'aws-request-refused'],
      ['MalformedPolicyDocument', 'invalid_request', 'aws-request-refused'],
      ['PackedPolicyTooLarge', 'invalid_request', 'aws-request-refused'],
      ['ValidationError', 'invalid_request', 'aws-request-refused'],
      ['SomethingNew', 'invalid_request', 'aws-request-refused'],
    ] as const) {
      it(`${code} is ${wire}, with its code and without its words`, async () => {
        answering(403, error(code))
        const { description, record } = await world.refused(
          { audience: 'aws' },
          wire,
          new RegExp(`^${reason}: AWS issues no credentials: ${code}$`),
        )
        expect(description + JSON.stringify(record)).not.to.include('samlAssertion')
        expect(record.refusal).to.deep.include({ cause: 'the request of AWS is 8c5-1' })
      })
    }

    for (const [what, status, text] of [
      ['Throttling', 400, error('Throttling')],
      ['IDPCommunicationError', 400, error('IDPCommunicationError')],
      ['a failure of its own', 500, error('AccessDenied')],
      ['a redirect', 302, ''],
      ['a page of somebody else', 403, '<html xmlns="http://www.w3.org/1999/xhtml"><body>Blocked</body></html>'],
      ['something that is no XML', 400, 'no'],
      ['an empty success', 200, ''],
      ['a code that is none', 400, error('&lt;b>')],
    ] as const) {
      it(`${what} is an outage (503)`, async () => {
        answering(status, text)
        const answer = await world.exchange({ audience: 'aws' })
        expect(answer.status, answer.text).to.equal(503)
        expect(answer.json.error).to.equal('temporarily_unavailable')
        expect(answer.headers.get('retry-after')).to.match(/^[0-9]+$/)
      })
    }

    it('nobody there is an outage (503)', async () => {
      way.meddle = async () => Promise.reject(new Error('no answer in time'))
      expect((await world.exchange({ audience: 'aws' })).status).to.equal(503)
    })
  })

  describe('a success that is none', () => {
    const credentials = (more = '') =>
      `<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>${more}</Credentials>`
    const success = (inner: string, action = 'AssumeRoleWithSAML') =>
      `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${inner}</${action}Result></${action}Response>`

    it('is one, as it stands here', async () => {
      answering(200, success(`${credentials('<New>member</New>')}<SessionTokenSize>17</SessionTokenSize>`))
      const { answer } = await world.issued({ audience: 'aws' })
      expect(answer.json.expires_in, 'no more than was decided').to.equal(900)
    })

    for (const [what, text] of Object.entries({
      'of another action': success(credentials(), 'AssumeRole'),
      'with credentials twice': success(credentials() + credentials()),
      'with a key twice': success(credentials('<AccessKeyId>ASIA2</AccessKeyId>')),
      'without a session token': success(credentials().replace(/<SessionToken>.*<\/SessionToken>/, '')),
      'of another namespace': success(credentials()).replaceAll('sts.amazonaws.com', 'sts.example.com'),
      'with a document type': `<!DOCTYPE a>${success(credentials())}`,
      'with an end that is no instant': success(credentials()).replace('2099-01-01T00:00:00Z', 'tomorrow'),
    })) {
      it(`${what} is an outage`, async () => {
        answering(200, text)
        expect((await world.exchange({ audience: 'aws' })).status).to.equal(503)
      })
    }
  })

  it('AWS itself refuses tags that the role does not take (AW-14)', async () => {
    const aws = await awsFor(world, iam => ({ ...iam, roles: iam.roles.map(role => ({ ...role, actions: ['sts:AssumeRoleWithSAML'] })) }))
    const [ours, before] = [way.aws, world.lastRecord()]
    way.aws = aws
    try {
      await world.refused({ audience: 'aws' }, 'invalid_target', /AccessDenied/)
      expect(world.lastRecord()).not.to.equal(before)
    } finally {
      way.aws = ours
      await aws.close()
    }
  })

  it('narrow the session by what is mapped', async () => {
    const { token } = await world.issued({ audience: 'aws-web' })
    const session = way.aws?.sessions.get(JSON.parse(token).AccessKeyId)
    expect(session?.policyArns).to.deep.equal(['arn:aws:iam::aws:policy/ReadOnlyAccess'])
  })

  it('live longer than the subject token, which is said aloud', async () => {
    const now = Math.floor(world.server.now())
    const subject_token = await world.person({ exp: now + 60 })
    expect((await world.issued({ audience: 'aws', subject_token })).answer.json.expires_in).to.equal(900)
  })
})

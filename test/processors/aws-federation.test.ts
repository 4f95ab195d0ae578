import { expect } from 'chai'
import { federationAttributes } from '../../src/aws/federation.ts'
import { addresseeOf, checkAudience } from '../../src/exchange/check-audience.ts'
import { checkValidity } from '../../src/exchange/check-validity.ts'
import { ExpressionCompiler } from '../../src/expressions/compile.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import { saml2 } from '../../src/processors/saml2.ts'
import { saml11 } from '../../src/processors/saml11.ts'
import {
  assertion20,
  at,
  attribute,
  attributeStatement,
  conditions,
  confirmation,
  makeSigner,
  now,
  response20,
  restriction,
  signed,
  subject,
} from '../saml/forge.ts'
import { prove, refusal, refusalOfToken, saml2Processor, trusting } from '../saml/judging.ts'
import { build } from './building.ts'

const idp = makeSigner()
const signIn = 'https://signin.aws.amazon.com/saml'
const audience = 'urn:amazon:webservices'
const roleOf = (name: string, account = '123456789012') => `arn:aws:iam::${account}:role/${name}`
const provider = 'arn:aws:iam::123456789012:saml-provider/Corp'

const roles = attribute(federationAttributes.role, `${roleOf('Deploy')},${provider}`, `${provider},${roleOf('team/Read')}`)
const sessionName = attribute(federationAttributes.roleSessionName, 'alice@example.com')
const tag = (key: string, ...values: string[]) => attribute(`${federationAttributes.principalTag}${key}`, ...values)

interface Held {
  attributes?: readonly string[]
  audience?: string
  recipient?: string
  /** Attributes of the confirmation's data. */
  data?: string
}

function heldAssertion({
  attributes = [roles, sessionName],
  audience: named = audience,
  recipient = signIn,
  data = '',
}: Held = {}): string {
  const confirmed = `<saml:SubjectConfirmationData${data} NotOnOrAfter="${at(300)}" Recipient="${recipient}"></saml:SubjectConfirmationData>`
  const parts = {
    subject: subject('alice', confirmation(confirmed)),
    conditions: conditions(restriction(named)),
    rest: attributeStatement(...attributes),
  }
  return signed(assertion20(parts), idp)
}

function addressed(processor: TokenProcessor, audiences: readonly string[]): void {
  const server = { issuer: 'https://sts.example.com', tokenEndpoint: 'https://sts.example.com/token' }
  const token = { role: 'subject', processor, proof: { audiences } }
  checkAudience(addresseeOf(server), { id: 'c', audiences: [] } as never, { subject: token } as never)
}

describe('saml2 processor, preset aws-federation (AW-43)', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await saml2Processor(idp, { preset: 'aws-federation' })
  })
  const refused = (held: Held) => refusal(processor, heldAssertion(held))

  describe('takes what one signs in to AWS with', () => {
    it('and gives what it says to AWS by short names', async () => {
      const attributes = [
        roles,
        sessionName,
        attribute(federationAttributes.sessionDuration, '3600'),
        attribute(federationAttributes.sourceIdentity, 'alice'),
        attribute(federationAttributes.transitiveTagKeys, 'Team', 'Cost Center'),
        tag('Team', 'payments'),
        tag('Cost Center', ''),
        attribute('mail', 'alice@example.com'),
      ]
      const proof = await prove(processor, heldAssertion({ attributes }))
      expect(proof.audiences).to.deep.equal([audience])
      expect(proof.attributes.aws).to.deep.equal({
        roles: [roleOf('Deploy'), roleOf('team/Read')],
        providers: [provider, provider],
        roleSessionName: 'alice@example.com',
        sourceIdentity: 'alice',
        sessionDuration: 3600,
        principalTags: { Team: 'payments', 'Cost Center': '' },
        transitiveTagKeys: ['Team', 'Cost Center'],
      })
      expect(proof.attributes.attributes).to.include({}).and.have.property('mail')
    })
    it('as people hold it: a whole Response in standard base64, with lines and with spaces for plus signs', async () => {
      const response = signed(response20(heldAssertion(), ` Destination="${signIn}"`), idp)
      const text = Buffer.from(response).toString('base64')
      for (const held of [text, text.replaceAll(/.{64}/g, '$&\r\n'), text.replaceAll('+', ' ')]) {
        expect((await processor.process(held, { now })).subject).to.equal('alice')
      }
    })
    it('an unsigned Response around it (AW-4)', async () => {
      const { before, after } = response20(heldAssertion(), ` Destination="${signIn}"`)
      expect((await prove(processor, before + after)).subject).to.equal('alice')
    })
    it('of a region, and of the sign-in address as audience', async () => {
      const regional = 'https://eu-central-1.signin.aws.amazon.com/saml'
      expect((await prove(processor, heldAssertion({ recipient: regional, audience: signIn }))).audiences).to.deep.equal([signIn])
      addressed(processor, [signIn])
      addressed(processor, [audience])
    })
    it('of another partition, where the file says so', async () => {
      for (const [partition, recipient, named] of [
        ['aws-us-gov', 'https://signin.amazonaws-us-gov.com/saml', 'urn:amazon:webservices:govcloud'],
        ['aws-cn', 'https://cn-north-1.signin.amazonaws.cn/saml', 'urn:amazon:webservices:cn-north-1'],
      ] as const) {
        const other = await saml2Processor(idp, { preset: 'aws-federation', partition })
        expect((await prove(other, heldAssertion({ recipient, audience: named }))).audiences).to.deep.equal([named])
        addressed(other, [named])
        expect(() => addressed(other, [audience])).to.throw(OAuthError, /another party/)
        expect(await refusal(other, heldAssertion())).to.match(/Recipient/)
      }
    })
    it('with single values where the file has claims for them', async () => {
      const claims = {
        type: 'object',
        properties: {
          [federationAttributes.roleSessionName]: { type: 'string' },
          [federationAttributes.sessionDuration]: { type: 'integer' },
        },
      }
      const typed = await saml2Processor(idp, { preset: 'aws-federation', claims })
      const attributes = [roles, sessionName, attribute(federationAttributes.sessionDuration, '900')]
      expect((await prove(typed, heldAssertion({ attributes }))).attributes.aws).to.deep.include({
        roleSessionName: 'alice@example.com',
        sessionDuration: 900,
      })
    })
  })

  describe('is type-checked in expressions', () => {
    const compile = (source: string, expected = {}) =>
      new ExpressionCompiler().compile(source, 'here', { subject: processor.attributes, policy: undefined, act: undefined }, expected)
    it('by its short names', () => {
      const text = { type: 'string' }
      expect(compile(`subject.aws.roles.exists(r, r == '${roleOf('Deploy')}')`, { type: 'boolean' }).unguarded).to.deep.equal([])
      expect(compile('subject.aws.roleSessionName', text).unguarded).to.deep.equal([])
      expect(compile("has(subject.aws.sourceIdentity) ? subject.aws.sourceIdentity : ''", text).unguarded).to.deep.equal([])
      expect(compile("'Team' in subject.aws.principalTags ? subject.aws.principalTags['Team'] : ''", text).unguarded).to.deep.equal([])
      expect(compile('subject.aws.sourceIdentity', text).unguarded).to.have.length(1)
    })
    for (const wrong of [
      'subject.aws.rolez',
      'subject.aws.RoleSessionName',
      'subject.aws.roles == 5',
      'subject.aws.sessionDuration + "s"',
    ]) {
      it(`and ${wrong} is a mistake`, () => {
        expect(() => compile(wrong, { type: 'string' })).to.throw()
      })
    }
  })

  describe('refuses', () => {
    const many = Array.from({ length: 51 }, (_, index) => tag(`t${index}`, 'x'))
    const vectors: Record<string, [Held, RegExp]> = {
      'the recipient of another application': [{ recipient: 'https://app.example.com/saml' }, /Recipient/],
      'this server as recipient': [{ recipient: 'https://sts.example.com/token' }, /Recipient/],
      'a sign-in address with more at its end': [{ recipient: `${signIn}.evil.example` }, /Recipient/],
      'a region that is not in the table': [{ recipient: 'https://eu-central-9.signin.aws.amazon.com/saml' }, /Recipient/],
      'the answer to a request': [{ data: ' InResponseTo="_r"' }, /InResponseTo/],
      'no role': [{ attributes: [sessionName] }, /Role is missing/],
      'no session name': [{ attributes: [roles] }, /RoleSessionName is missing/],
      'two session names': [
        { attributes: [roles, attribute(federationAttributes.roleSessionName, 'alice', 'bob')] },
        /RoleSessionName has several/,
      ],
      'a session name that AWS does not take': [
        { attributes: [roles, attribute(federationAttributes.roleSessionName, 'al/ice')] },
        /RoleSessionName is not as AWS/,
      ],
      'a name in other letters (they are case-sensitive)': [
        { attributes: [roles, attribute(federationAttributes.roleSessionName.toLowerCase(), 'alice')] },
        /RoleSessionName is missing/,
      ],
      'a role without its provider': [
        { attributes: [sessionName, attribute(federationAttributes.role, roleOf('Deploy'))] },
        /no role with its provider/,
      ],
      'a provider of another account': [
        { attributes: [sessionName, attribute(federationAttributes.role, `${roleOf('Deploy', '999999999999')},${provider}`)] },
        /no role with its provider/,
      ],
      'a source identity as those of AWS': [
        { attributes: [roles, sessionName, attribute(federationAttributes.sourceIdentity, 'aws:alice')] },
        /SourceIdentity is not as AWS/,
      ],
      'a session of an odd length': [
        { attributes: [roles, sessionName, attribute(federationAttributes.sessionDuration, '899')] },
        /SessionDuration is not as AWS/,
      ],
      'a session length that is no number': [
        { attributes: [roles, sessionName, attribute(federationAttributes.sessionDuration, '1e3')] },
        /SessionDuration is not as AWS/,
      ],
      'a tag with two values': [{ attributes: [roles, sessionName, tag('Team', 'a', 'b')] }, /not one value/],
      'a tag without a value': [{ attributes: [roles, sessionName, tag('Team')] }, /not one value/],
      'a tag without a name': [{ attributes: [roles, sessionName, tag('', 'a')] }, /characters that AWS takes in no tag/],
      'a tag with other characters': [{ attributes: [roles, sessionName, tag('Team', 'a;b')] }, /characters that AWS takes in no tag/],
      'more tags than a session may have': [{ attributes: [roles, sessionName, ...many] }, /more than 50 tags/],
    }
    for (const [name, [held, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refused(held)).to.match(message)
      })
    }
    it('what is longer than AWS reads (AW-2)', async () => {
      const padded = heldAssertion({ attributes: [roles, sessionName, attribute('pad', 'x'.repeat(75_000))] })
      expect(await refusalOfToken(processor, Buffer.from(padded).toString('base64'))).to.match(/larger than 75000 bytes/)
    })
    it('what AWS would not take any more, five minutes after it was issued (AW-7)', async () => {
      const proof = await prove(processor, heldAssertion())
      const valid = (seconds: number) =>
        checkValidity({ subject: { role: 'subject', processor, proof: { ...proof, expiresAt: now + 3600 } } } as never, now + seconds)
      expect(() => valid(-5 + 300)).not.to.throw()
      expect(() => valid(-5 + 331)).to.throw(OAuthError, /too old/)
    })
  })

  describe('lets a file tighten it', () => {
    it('in everything', async () => {
      const tight = await saml2Processor(idp, {
        preset: 'aws-federation',
        audiences: [audience],
        recipients: ['https://eu-central-1.signin.aws.amazon.com/saml'],
        acceptResponse: false,
        lenientBase64: false,
        maxSize: '8KB',
        maxAge: '1m',
        once: true,
      })
      expect(tight.limits).to.include({ maxAge: 60, once: true })
      expect(await refusal(tight, heldAssertion())).to.match(/Recipient/)
      const response = signed(response20(heldAssertion()), idp)
      expect(await refusal(tight, response)).to.match(/not/)
      expect(() => addressed(tight, [signIn])).to.throw(OAuthError, /another party/)
    })
    it('to the address of a provider that decrypts (AW-9)', async () => {
      const own = `${signIn}/acs/SAMLSPAB12`
      const encrypted = await saml2Processor(idp, { preset: 'aws-federation', recipients: [own] })
      expect((await prove(encrypted, heldAssertion({ recipient: own }))).subject).to.equal('alice')
    })
    const texts = { 'partner.pem': idp.certificate }
    const looser: Array<[object, RegExp]> = [
      [{ audiences: ['https://app.example.com'] }, /^audiences.0: the preset "aws-federation" takes "urn:amazon:webservices" and sign-in/],
      [{ audiences: ['client'] }, /^audiences.0/],
      [{ recipients: [signIn, 'https://app.example.com/saml'] }, /^recipients.1: .* sign-in addresses only/],
      [{ recipients: [`${signIn}/acs/`] }, /^recipients.0/],
      [{ recipients: [`${signIn}/acs/a/b`] }, /^recipients.0/],
      [{ acceptInResponseTo: true }, /^acceptInResponseTo: .* can only tighten/],
      [{ maxSize: '100KB' }, /^maxSize: .* at most 75000 bytes/],
      [{ maxAge: '10m' }, /^maxAge: .* for "5m" only/],
    ]
    for (const [more, problem] of looser) {
      it(`and reports ${JSON.stringify(more)}`, async () => {
        const { problems } = await build(saml2, trusting({ preset: 'aws-federation', ...more }), { texts })
        expect(problems).to.have.length(1)
        expect(problems[0]).to.match(problem)
      })
    }
    it('and has no partition without the preset, and no preset of SAML 1.1', async () => {
      expect((await build(saml2, trusting({ partition: 'aws' }), { texts })).problems[0]).to.match(/^partition: has no meaning/)
      expect((await build(saml11, trusting({ preset: 'aws-federation' }), { texts })).problems[0]).to.match(/unknown member "preset"/)
    })
  })
})

import { expect } from 'chai'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import {
  assertion20,
  at,
  attribute,
  attributeStatement,
  audience,
  authnStatement,
  conditions,
  confirmation,
  confirmationData,
  makeSigner,
  now,
  partner,
  recipient,
  response20,
  restriction,
  signed,
  subject,
  token,
  unsigned,
} from '../saml/forge.ts'
import { prove, refusal, refusalOfToken, saml2Processor } from '../saml/judging.ts'

const idp = makeSigner()
const nil = (text = '') =>
  `<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true">${text}</saml:AttributeValue>`

describe('saml2 processor', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await saml2Processor(idp)
  })
  const proof = (parts = {}) => prove(processor, signed(assertion20(parts), idp))
  const refused = (parts = {}) => refusal(processor, signed(assertion20(parts), idp))

  describe('states what an assertion proves', () => {
    it('all of it, in the shape of the configuration', async () => {
      const parts = {
        id: '_1',
        subject: `<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="q" SPNameQualifier="sp">alice</saml:NameID>${confirmation()}</saml:Subject>`,
        rest: authnStatement() + attributeStatement(attribute('email', 'a@partner.example'), attribute('groups', 'one', 'two')),
      }
      const nameId = {
        value: 'alice',
        format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
        nameQualifier: 'q',
        spNameQualifier: 'sp',
      }
      const contextClass = 'urn:oasis:names:tc:SAML:2.0:ac:classes:X509'
      expect(await proof(parts)).to.deep.equal({
        issuer: partner,
        subject: 'alice',
        subjectQualifier: '["q","sp"]',
        audiences: [audience],
        notBefore: now - 60,
        issuedAt: now - 5,
        expiresAt: now + 300,
        id: '_1',
        authentication: { instant: now - 90, contextClass, sessionIndex: 's1' },
        attributes: {
          issuer: partner,
          nameId,
          authnInstant: now - 90,
          authnContext: contextClass,
          sessionIndex: 's1',
          attributes: { email: ['a@partner.example'], groups: ['one', 'two'] },
        },
      })
    })
    it('the earliest of all ends, the end of the session among them (SC-37)', async () => {
      expect((await proof({ rest: authnStatement(` SessionNotOnOrAfter="${at(120)}"`) })).expiresAt).to.equal(now + 120)
      const data = `<saml:SubjectConfirmationData NotOnOrAfter="${at(60)}" Recipient="${recipient}"></saml:SubjectConfirmationData>`
      expect((await proof({ subject: subject('alice', confirmation(data)) })).expiresAt).to.equal(now + 60)
      expect((await proof({ subject: subject('alice', confirmation(data) + confirmation()) })).expiresAt).to.equal(now + 300)
    })
    it('several audience restrictions, each of which must be met (SC-29)', async () => {
      const { audiences, furtherAudiences } = await proof({ conditions: conditions(restriction('a', 'b') + restriction('c')) })
      expect({ audiences, furtherAudiences }).to.deep.equal({ audiences: ['a', 'b'], furtherAudiences: [['c']] })
      expect((await proof({ conditions: conditions('') })).audiences).to.deep.equal([])
    })
    it('OneTimeUse and ProxyRestriction (SC-31)', async () => {
      const further =
        '<saml:OneTimeUse></saml:OneTimeUse><saml:ProxyRestriction Count="0"><saml:Audience>x</saml:Audience></saml:ProxyRestriction>'
      const { oneTimeUse, proxyRestriction } = await proof({ conditions: conditions(restriction(audience) + further) })
      expect({ oneTimeUse, proxyRestriction }).to.deep.equal({ oneTimeUse: true, proxyRestriction: { count: 0, audiences: ['x'] } })
    })
    it('the delegates as act, the current one outside', async () => {
      const delegate = (name: string, attributes = '') =>
        `<del:Delegate xmlns:del="urn:oasis:names:tc:SAML:2.0:conditions:delegation"><saml:NameID${attributes}>${name}</saml:NameID></del:Delegate>`
      const condition = `<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="del:DelegationRestrictionType">${delegate('first')}${delegate('last', ' NameQualifier="https://q"')}</saml:Condition>`
      expect((await proof({ conditions: conditions(restriction(audience) + condition) })).act).to.deep.equal({
        iss: 'https://q',
        sub: 'last',
        act: { sub: 'first' },
      })
    })
    it('attributes as single values, numbers and booleans where the schema has them', async () => {
      const claims = {
        type: 'object',
        required: ['email'],
        properties: {
          email: { type: 'string', format: 'email' },
          level: { type: 'integer' },
          active: { type: 'boolean' },
          scores: { type: 'array', items: { type: 'number' } },
          nothing: { type: ['string', 'null'] },
        },
      }
      const strict = await saml2Processor(idp, { claims })
      const values = [
        attribute('email', 'a@partner.example'),
        attribute('level', '3'),
        attribute('active', 'true'),
        attribute('scores', '1', '2.5'),
        attribute('other', 'x'),
        `<saml:Attribute Name="nothing">${nil()}</saml:Attribute>`,
      ]
      const { attributes } = await prove(strict, signed(assertion20({ rest: attributeStatement(...values) }), idp))
      expect(attributes.attributes).to.deep.equal({
        email: 'a@partner.example',
        level: 3,
        active: true,
        scores: [1, 2.5],
        other: ['x'],
        nothing: null,
      })
      for (const [values, message] of [
        [[attribute('email', 'no address')], /not acceptable: email must match format/],
        [[attribute('email', 'a@b.example', 'c@d.example')], /several values/],
        [[attribute('level', '3')], /required property 'email'/],
        [[attribute('email', 'a@b.example'), attribute('level', 'high')], /level must be integer/],
      ] as const) {
        expect(await refusal(strict, signed(assertion20({ rest: attributeStatement(...values) }), idp))).to.match(message)
      }
    })
    it('an attribute cannot pose as a proven fact', async () => {
      const { attributes, issuer } = await proof({
        rest: attributeStatement(attribute('issuer', 'https://evil.example'), attribute('__proto__', 'x')),
      })
      expect(issuer).to.equal(partner)
      expect(attributes.issuer).to.equal(partner)
      expect(Object.keys(attributes.attributes as object)).to.deep.equal(['issuer', '__proto__'])
    })
  })

  describe('refuses (SC-25 to SC-38)', () => {
    const bearer = (data: string) => ({ subject: subject('alice', confirmation(data)) })
    const vectors: Record<string, [object, RegExp]> = {
      'another version': [{ attributes: `ID="_x" IssueInstant="${at(0)}" Version="2.1"`, id: '_x' }, /version/],
      'an instant with an offset': [
        { attributes: 'ID="_x" IssueInstant="2027-01-15T09:00:00+01:00" Version="2.0"', id: '_x' },
        /not a time in UTC/,
      ],
      'the thirtieth of February': [
        { attributes: 'ID="_x" IssueInstant="2026-02-30T09:00:00Z" Version="2.0"', id: '_x' },
        /not a time in UTC/,
      ],
      'an issuer that is not known': [
        { issuer: '<saml:Issuer>https://other.example</saml:Issuer>' },
        /issuer of the assertion is not accepted/,
      ],
      'an issuer in white space': [{ issuer: `<saml:Issuer> ${partner}</saml:Issuer>` }, /Issuer is empty or not plain/],
      'an issuer with a qualifier': [{ issuer: `<saml:Issuer NameQualifier="x">${partner}</saml:Issuer>` }, /not an entity id/],
      'no subject': [{ subject: '' }, /no Subject/],
      'two subjects': [{ subject: subject() + subject('bob') }, /more than one Subject/],
      'a BaseID': [
        { subject: `<saml:Subject><saml:BaseID></saml:BaseID>${confirmation()}</saml:Subject>` },
        /unknown or in the wrong place/,
      ],
      'an empty NameID': [{ subject: subject('') }, /NameID is empty/],
      'elements in the NameID': [{ subject: subject('alice<saml:x></saml:x>') }, /NameID is empty or not plain/],
      'no conditions': [{ conditions: '' }, /no Conditions/],
      'conditions that never hold': [
        { conditions: `<saml:Conditions NotBefore="${at(10)}" NotOnOrAfter="${at(10)}">${restriction(audience)}</saml:Conditions>` },
        /never valid/,
      ],
      'an unknown Condition': [
        {
          conditions: conditions(
            `${restriction(audience)}<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="x:Y"></saml:Condition>`,
          ),
        },
        /not understood/,
      ],
      'a condition of another namespace': [
        { conditions: conditions(`${restriction(audience)}<x:Only xmlns:x="urn:x"></x:Only>`) },
        /not understood/,
      ],
      'OneTimeUse twice': [
        { conditions: conditions('<saml:OneTimeUse></saml:OneTimeUse><saml:OneTimeUse></saml:OneTimeUse>') },
        /more than one OneTimeUse/,
      ],
      'a restriction without audience': [
        { conditions: conditions('<saml:AudienceRestriction></saml:AudienceRestriction>') },
        /names nobody/,
      ],
      'no confirmation': [{ subject: subject('alice', '') }, /no bearer/],
      'sender-vouches': [{ subject: subject('alice', confirmation('', 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches')) }, /no bearer/],
      'holder-of-key': [
        { subject: subject('alice', confirmation(confirmationData(), 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key')) },
        /not exactly one certificate/,
      ],
      'a bearer confirmation without data': [bearer(''), /no SubjectConfirmationData/],
      'NotBefore in the bearer confirmation': [
        bearer(
          `<saml:SubjectConfirmationData NotBefore="${at(-9)}" NotOnOrAfter="${at(9)}" Recipient="${recipient}"></saml:SubjectConfirmationData>`,
        ),
        /NotBefore/,
      ],
      'a missing Recipient': [bearer(`<saml:SubjectConfirmationData NotOnOrAfter="${at(9)}"></saml:SubjectConfirmationData>`), /Recipient/],
      'another Recipient': [
        bearer(`<saml:SubjectConfirmationData NotOnOrAfter="${at(9)}" Recipient="https://sp.example"></saml:SubjectConfirmationData>`),
        /Recipient/,
      ],
      'a missing NotOnOrAfter': [
        bearer(`<saml:SubjectConfirmationData Recipient="${recipient}"></saml:SubjectConfirmationData>`),
        /NotOnOrAfter/,
      ],
      InResponseTo: [
        bearer(
          `<saml:SubjectConfirmationData InResponseTo="_r" NotOnOrAfter="${at(9)}" Recipient="${recipient}"></saml:SubjectConfirmationData>`,
        ),
        /InResponseTo/,
      ],
      'an authentication in the future': [{ rest: authnStatement().replace(at(-90), at(900)) }, /authenticated in the future/],
      'elements in the wrong order': [{ subject: '', conditions: conditions() + subject() }, /wrong place/],
      'an unknown element': [{ rest: '<saml:Extra></saml:Extra>' }, /unknown or in the wrong place/],
      'text between elements': [{ rest: 'x' }, /text between/],
      'one attribute twice': [{ rest: attributeStatement(attribute('a', '1'), attribute('a', '2')) }, /there twice/],
      'XML as a value': [{ rest: attributeStatement(attribute('a', '<saml:NameID>x</saml:NameID>')) }, /XML as its value/],
      'a nil value that is not empty': [{ rest: attributeStatement(`<saml:Attribute Name="a">${nil('x')}</saml:Attribute>`) }, /nil/],
      'an encrypted attribute': [
        { rest: attributeStatement('<saml:EncryptedAttribute></saml:EncryptedAttribute>') },
        /a part of the assertion is encrypted/,
      ],
      'an attribute without a name': [{ rest: attributeStatement('<saml:Attribute></saml:Attribute>') }, /Name of its Attribute/],
    }
    for (const [name, [parts, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refused(parts)).to.match(message)
      })
    }
  })

  describe('the text of the token (SC-1, TX-17)', () => {
    const xml = () => signed(assertion20(), idp)
    it('is taken in base64url or the standard alphabet, padded or not', async () => {
      for (const document of [`${xml()}\n`, `${xml()}\n\n`, xml()]) {
        const standard = Buffer.from(document).toString('base64')
        for (const text of [
          token(document),
          standard,
          standard.replace(/=+$/, ''),
          token(document) + '='.repeat((4 - (token(document).length % 4)) % 4),
        ]) {
          expect((await processor.process(text, { now })).subject).to.equal('alice')
        }
      }
    })
    it('is refused otherwise', async () => {
      const good = token(`${xml()}\n`.padEnd(Math.ceil(xml().length / 3) * 3 + 1, '\n'))
      for (const text of [
        '',
        '=',
        'A',
        `${good}=`,
        `${good}====`,
        ` ${good}`,
        `${good.slice(0, 64)}\n${good.slice(64)}`,
        `${good}-+`,
        xml(),
        `${good}.x`,
      ]) {
        expect(await refusalOfToken(processor, text)).to.match(/not a SAML assertion in base64url/)
      }
    })
    it('may have line breaks, and spaces for plus signs, where the file says so', async () => {
      const lenient = await saml2Processor(idp, { lenientBase64: true })
      const text = Buffer.from(xml()).toString('base64').replace(/.{64}/g, '$&\r\n').replaceAll('+', ' ')
      expect((await lenient.process(text, { now })).subject).to.equal('alice')
    })
    it('is refused unread when it is too large', async () => {
      expect(await refusalOfToken(processor, 'A'.repeat(100_000))).to.match(/larger than 65536/)
      const small = await saml2Processor(idp, { maxSize: '1KB' })
      expect(await refusalOfToken(small, token(xml()))).to.match(/larger than 1024/)
    })
  })

  describe('a Response around the assertion (SC-6, SC-22)', () => {
    let wrapped: TokenProcessor
    before(async () => {
      wrapped = await saml2Processor(idp, { acceptResponse: true })
    })
    const inside = () => signed(assertion20(), idp)
    it('is taken only where the file says so', async () => {
      const xml = unsigned(response20(inside()))
      expect(await refusal(processor, xml)).to.match(/signature in another place|not an assertion/)
      expect((await prove(wrapped, xml)).subject).to.equal('alice')
    })
    it('may be signed itself, around an assertion with or without a signature', async () => {
      expect((await prove(wrapped, signed(response20(inside()), idp))).subject).to.equal('alice')
      expect((await prove(wrapped, signed(response20(unsigned(assertion20())), idp))).subject).to.equal('alice')
      expect(await refusal(wrapped, unsigned(response20(unsigned(assertion20()))))).to.match(/not signed/)
    })
    it('must report success, be for us, and have nothing more', async () => {
      const failure =
        '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Requester"></samlp:StatusCode></samlp:Status>'
      for (const [xml, message] of [
        [response20(inside(), '', failure), /reports a failure/],
        [response20(inside(), '', ''), /no Status/],
        [response20(inside(), ' Destination="https://sp.example"'), /another recipient/],
        [response20(inside(), ' InResponseTo="_r"'), /InResponseTo/],
        [response20(inside() + inside()), /another assertion/],
        [response20(''), /one assertion/],
        [response20(`<samlp:Extensions></samlp:Extensions>${inside()}`), /one assertion/],
      ] as const) {
        expect(await refusal(wrapped, unsigned(xml))).to.match(message)
      }
    })
    it('must be signed by the issuer of the assertion', async () => {
      const other = makeSigner()
      const two = await saml2Processor(
        idp,
        {
          acceptResponse: true,
          issuers: [
            { entityId: partner, certificates: [{ file: 'partner.pem' }] },
            { entityId: 'https://other.example', certificates: [{ file: 'other.pem' }] },
          ],
        },
        { texts: { 'other.pem': other.certificate } },
      )
      const foreign = response20(unsigned(assertion20()))
      const named = { ...foreign, before: foreign.before.replace(partner, 'https://other.example') }
      expect(await refusal(two, signed(named, other))).to.match(/sent by somebody else/)
      expect(await refusal(two, signed(foreign, other))).to.match(/not valid/)
      expect(await refusal(two, signed(assertion20(), other))).to.match(/not valid/)
    })
    it('answers a request of somebody else where the file says so', async () => {
      const sso = await saml2Processor(idp, { acceptResponse: true, acceptInResponseTo: true, recipients: ['https://sp.example/acs'] })
      const data = `<saml:SubjectConfirmationData InResponseTo="_r" NotOnOrAfter="${at(60)}" Recipient="https://sp.example/acs"></saml:SubjectConfirmationData>`
      const assertion = signed(assertion20({ subject: subject('alice', confirmation(data)) }), idp)
      const xml = unsigned(response20(assertion, ' Destination="https://sp.example/acs" InResponseTo="_r"'))
      expect((await prove(sso, xml)).subject).to.equal('alice')
    })
  })
})

import { expect } from 'chai'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import {
  assertion11,
  assertion20,
  at,
  attributes11,
  audience,
  authentication11,
  conditions11,
  makeSigner,
  now,
  partner,
  signed,
  subject11,
  unsigned,
} from '../saml/forge.ts'
import { prove, refusal, saml2Processor, saml11Processor } from '../saml/judging.ts'

const idp = makeSigner()

describe('saml11 processor', () => {
  let processor: TokenProcessor
  before(async () => {
    processor = await saml11Processor(idp)
  })

  it('states what an assertion proves', async () => {
    const document = assertion11()
    expect(await prove(processor, signed(document, idp))).to.deep.equal({
      issuer: partner,
      subject: 'alice',
      audiences: [audience],
      notBefore: now - 60,
      issuedAt: now - 5,
      expiresAt: now + 300,
      id: document.id,
      authentication: { instant: now - 90, contextClass: 'urn:oasis:names:tc:SAML:1.0:am:password' },
      attributes: {
        issuer: partner,
        nameId: { value: 'alice' },
        authnInstant: now - 90,
        authnContext: 'urn:oasis:names:tc:SAML:1.0:am:password',
        attributes: { email: ['alice@partner.example'] },
      },
    })
  })

  it('names attributes with their namespace where the file says so (S1-6)', async () => {
    const namespaced = await saml11Processor(idp, { attributeNames: 'namespace/name' })
    const claims = attributes11(subject11(), 'emailaddress', 'a@b.example', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims')
    const { attributes } = await prove(namespaced, signed(assertion11({ statements: claims + attributes11() }), idp))
    expect(attributes.attributes).to.deep.equal({
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress': ['a@b.example'],
      'urn:example/email': ['alice@partner.example'],
    })
  })

  it('takes DoNotCacheCondition for single use', async () => {
    const conditions = conditions11.replace('</saml:Conditions>', '<saml:DoNotCacheCondition></saml:DoNotCacheCondition></saml:Conditions>')
    expect((await prove(processor, signed(assertion11({ conditions }), idp))).oneTimeUse).to.equal(true)
  })

  it('takes a Response where the file says so', async () => {
    const wrapped = await saml11Processor(idp, { acceptResponse: true })
    const status = '<samlp:Status><samlp:StatusCode Value="samlp:Success"></samlp:StatusCode></samlp:Status>'
    const respond = (inside: string, attributes = '') => ({
      id: '_r',
      before: `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" IssueInstant="${at(-5)}" MajorVersion="1" MinorVersion="1"${attributes} ResponseID="_r">`,
      after: `${inside}</samlp:Response>`,
    })
    const good = signed(assertion11(), idp)
    expect((await prove(wrapped, unsigned(respond(status + good)))).subject).to.equal('alice')
    expect((await prove(wrapped, signed(respond(status + unsigned(assertion11())), idp))).subject).to.equal('alice')
    expect(await refusal(processor, unsigned(respond(status + good)))).to.match(/another place|not an assertion/)
    expect(await refusal(wrapped, unsigned(respond(good)))).to.match(/no Status/)
    expect(await refusal(wrapped, unsigned(respond(status.replace('Success', 'Requester') + good)))).to.match(/reports a failure/)
    expect(await refusal(wrapped, unsigned(respond(status + good, ' Recipient="https://sp.example"')))).to.match(/another recipient/)
  })

  describe('refuses', () => {
    const bob = subject11('bob')
    const vectors: Record<string, [ReturnType<typeof assertion11>, RegExp]> = {
      'SAML 1.0, which has the same namespace': [assertion11({ minor: '0' }), /version/],
      'no statements': [assertion11({ statements: '' }), /no subject/],
      'no conditions': [assertion11({ conditions: '' }), /no Conditions/],
      'conditions without an end': [assertion11({ conditions: conditions11.replace(/ NotOnOrAfter="[^"]*"/, '') }), /until when/],
      'an unknown condition': [
        assertion11({ conditions: conditions11.replace('</saml:Conditions>', '<saml:Condition></saml:Condition></saml:Conditions>') }),
        /not understood/,
      ],
      'statements about different subjects': [assertion11({ statements: authentication11() + attributes11(bob) }), /different subjects/],
      'a subject with another format in one statement': [
        assertion11({
          statements: authentication11() + attributes11(subject11().replace('<saml:NameIdentifier', '<saml:NameIdentifier Format="x"')),
        }),
        /different subjects/,
      ],
      'sender-vouches': [
        assertion11({ statements: authentication11(subject11('alice', 'urn:oasis:names:tc:SAML:1.0:cm:sender-vouches')) }),
        /no bearer/,
      ],
      'one statement that is not for the bearer': [
        assertion11({ statements: authentication11() + attributes11(subject11('alice', 'urn:oasis:names:tc:SAML:1.0:cm:holder-of-key')) }),
        /not exactly one certificate/,
      ],
      'a subject without a confirmation': [
        assertion11({ statements: authentication11(subject11().replace(/<saml:SubjectConfirmation>.*<\/saml:SubjectConfirmation>/, '')) }),
        /no bearer/,
      ],
      'one attribute name in two namespaces': [
        assertion11({ statements: attributes11() + attributes11(subject11(), 'email', 'x', 'urn:other') }),
        /there twice/,
      ],
      'an attribute without a namespace': [
        assertion11({ statements: attributes11().replace(' AttributeNamespace="urn:example"', '') }),
        /AttributeNamespace of its Attribute is missing/,
      ],
      'an authentication in the future': [assertion11({ statements: authentication11().replace(at(-90), at(900)) }), /in the future/],
    }
    for (const [name, [document, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refusal(processor, signed(document, idp))).to.match(message)
      })
    }
    it('a signature that is not the last child (SC-10)', async () => {
      const { id, before } = assertion11()
      const moved = {
        id,
        before: before.replace(/<saml:Conditions.*$/, ''),
        after: `${before.slice(before.indexOf('<saml:Conditions'))}</saml:Assertion>`,
      }
      expect(await refusal(processor, signed(moved, idp))).to.match(/not in its place/)
    })
    it('a tampered one, and one of another key', async () => {
      expect(await refusal(processor, signed(assertion11(), idp).replaceAll('alice', 'admin'))).to.match(/not valid/)
      expect(await refusal(processor, signed(assertion11(), makeSigner()))).to.match(/not valid/)
    })
    it('the other version of SAML, each of the two', async () => {
      expect(await refusal(processor, signed(assertion20(), idp))).to.match(/not an assertion of SAML 1.1/)
      expect(await refusal(await saml2Processor(idp), signed(assertion11(), idp))).to.match(/not an assertion of SAML 2.0/)
    })
  })
})

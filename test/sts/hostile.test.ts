import { expect } from 'chai'
import { security, soapNamespaces, trustNamespaces } from '../../src/sts/names.ts'
import { assertion20, makeSigner, signed, subject, unsigned } from '../saml/forge.ts'
import {
  type Asked,
  answered,
  ask,
  assertionFor,
  assertionIn,
  faulted,
  member,
  messageOf,
  timestamp,
  trustServerFor,
  userName,
  wsa,
} from './asking.ts'

const idp = makeSigner()
const metadata = 'http://169.254.169.254/latest/meta-data/'

/** Messages that are malformed or mean harm, each with the fault that answers it. Nothing is fetched for any of them. */
const vectors: Record<string, readonly [fault: string, make: (token: string, soap: '1.1' | '1.2') => Asked]> = {
  'Appendix A 26: two body children': ['wst:InvalidRequest', changed(text => text.replace('</s:Body>', '<x xmlns="urn:x"/></s:Body>'))],
  'no body child': ['wst:InvalidRequest', changed(text => text.replace(/<s:Body>.*<\/s:Body>/, '<s:Body></s:Body>'))],
  'text in the body': ['wst:InvalidRequest', changed(text => text.replace('<s:Body>', '<s:Body>text'))],
  'two bodies': ['wst:InvalidRequest', changed(text => text.replace('</s:Envelope>', '<s:Body/></s:Envelope>'))],
  'two headers': ['wst:InvalidRequest', changed(text => text.replace('<s:Header>', '<s:Header></s:Header><s:Header>'))],
  'something else beside the body': [
    'wst:InvalidRequest',
    changed(text => text.replace('</s:Envelope>', '<x xmlns="urn:x"/></s:Envelope>')),
  ],
  'something else in the body': ['wst:InvalidRequest', changed(text => text.replaceAll('RequestSecurityToken', 'RequestSecurityTokens'))],
  'a request of a WS-Trust that does not exist': [
    'wst:InvalidRequest',
    changed(text => text.replaceAll(trustNamespaces['1.3'], 'urn:ws-trust')),
  ],
  'Appendix A 26: a DTD': ['wst:InvalidRequest', changed(text => `<!DOCTYPE s:Envelope SYSTEM "${metadata}">${text}`)],
  'a billion laughs': [
    'wst:InvalidRequest',
    changed(text => `<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>${text.replace('<s:Header>', '<s:Header>&b;')}`),
  ],
  'an external entity': ['wst:InvalidRequest', changed(text => text.replace('<s:Body>', '<s:Body>&xxe;'))],
  'a processing instruction': ['wst:InvalidRequest', changed(text => `<?xml-stylesheet href="${metadata}"?>${text}`)],
  'a comment': ['wst:InvalidRequest', changed(text => text.replace('<s:Body>', '<s:Body><!-- -->'))],
  'a CDATA section': ['wst:InvalidRequest', changed(text => text.replace('/Issue<', '/Issue<![CDATA[]]><'))],
  'no XML': ['wst:InvalidRequest', () => ({ message: 'subject_token=x' })],
  'nothing at all': ['wst:InvalidRequest', () => ({ message: '' })],
  'an end that is missing': ['wst:InvalidRequest', changed(text => text.slice(0, -20))],
  'a declaration of another encoding': ['wst:InvalidRequest', changed(text => `<?xml version="1.0" encoding="UTF-16"?>${text}`)],
  'depth without end': [
    'wst:InvalidRequest',
    changed(text => text.replace('<s:Body>', `<s:Body>${'<a xmlns="urn:a">'.repeat(200)}${'</a>'.repeat(200)}`)),
  ],
  'elements without end': [
    'wst:InvalidRequest',
    changed(text => text.replace('</wst:RequestSecurityToken>', `${'<wst:X/>'.repeat(3000)}</wst:RequestSecurityToken>`)),
  ],
  'more bytes than are read': ['wst:InvalidRequest', changed(text => text.replace('<s:Header>', `<s:Header>${' '.repeat(300_000)}`))],
  'Appendix A 26: a header that must be understood': ['soap:MustUnderstand', header('<x xmlns="urn:x" s:mustUnderstand="1"/>')],
  'a mustUnderstand that is no truth value': ['wst:InvalidRequest', header('<x xmlns="urn:x" s:mustUnderstand="yes"/>')],
  'Appendix A 26: ReplyTo a metadata address': [
    'wsa:OnlyAnonymousAddressSupported',
    header(`<a:ReplyTo xmlns:a="${wsa}"><a:Address>${metadata}</a:Address></a:ReplyTo>`),
  ],
  'FaultTo a metadata address': [
    'wsa:OnlyAnonymousAddressSupported',
    header(`<a:FaultTo xmlns:a="${wsa}"><a:Address>${metadata}</a:Address></a:FaultTo>`),
  ],
  'ReplyTo without an address': ['wsa:OnlyAnonymousAddressSupported', header(`<a:ReplyTo xmlns:a="${wsa}"/>`)],
  'two actions': ['wst:InvalidRequest', header(`<a:Action xmlns:a="${wsa}">x</a:Action><a:Action xmlns:a="${wsa}">x</a:Action>`)],
  'two versions of WS-Addressing': [
    'wst:InvalidRequest',
    header(`<a:To xmlns:a="${wsa}">x</a:To><b:To xmlns:b="http://schemas.xmlsoap.org/ws/2004/08/addressing">x</b:To>`),
  ],
  'two security headers': [
    'wsse:InvalidSecurity',
    changed(text =>
      text.replace(
        '</s:Header>',
        `<wsse:Security xmlns:wsse="${security.wsse}"/><wsse:Security xmlns:wsse="${security.wsse}"/></s:Header>`,
      ),
    ),
  ],
  'a signature of the message': ['wsse:InvalidSecurity', secured('<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>')],
  'an encrypted key in the security header': [
    'wsse:InvalidSecurity',
    secured('<e:EncryptedKey xmlns:e="http://www.w3.org/2001/04/xmlenc#"/>'),
  ],
  'Appendix A 27: an expired timestamp': ['wsu:MessageExpired', secured(timestamp(-1000, -700))],
  'a timestamp that lives too long': ['wsu:MessageExpired', secured(timestamp(-1000, 1000))],
  'a timestamp of the future': ['wsu:MessageExpired', secured(timestamp(600))],
  'two timestamps': ['wst:InvalidRequest', secured(timestamp(-5) + timestamp(-5).replace('TS-1', 'TS-2'))],
  'a timestamp that is no time': ['wst:InvalidRequest', secured('<wsu:Timestamp><wsu:Created>yesterday</wsu:Created></wsu:Timestamp>')],
  'a timestamp without its beginning': ['wsse:InvalidSecurity', secured('<wsu:Timestamp></wsu:Timestamp>')],
  'two UsernameTokens': ['wst:InvalidRequest', secured(userName('gateway') + userName('gateway'))],
  'an id of the envelope that is also that of the token': [
    'wst:InvalidRequest',
    (token, soap) => ({ soap, subject: token, security: timestamp(-5).replace('TS-1', / ID="([^"]+)"/.exec(token)?.[1] ?? '') }),
  ],
  'the same token twice': ['wst:InvalidRequest', (token, soap) => ({ soap, subject: token, security: token })],
  'a relative namespace': ['wst:InvalidRequest', changed(text => text.replace('<s:Header>', '<s:Header><x xmlns="relative"/>'))],
  'a duplicate RequestType': ['wst:InvalidRequest', (token, soap) => ({ soap, subject: token, members: member('RequestType', 'x') })],
  'AppliesTo without an address': [
    'wst:InvalidRequest',
    (token, soap) => ({ soap, subject: token, members: '<p:AppliesTo xmlns:p="http://schemas.xmlsoap.org/ws/2004/09/policy"/>' }),
  ],
  'AppliesTo a metadata address': ['wst:InvalidScope', (token, soap) => ({ soap, subject: token, appliesTo: metadata })],
  'a reference to a metadata address': [
    'wst:InvalidRequest',
    (_token, soap) => ({
      soap,
      subject: `<w:SecurityTokenReference xmlns:w="${security.wsse}"><w:Reference URI="${metadata}"/></w:SecurityTokenReference>`,
    }),
  ],
  'another kind of token': ['wsse:UnsupportedSecurityToken', (_token, soap) => ({ soap, subject: '<x xmlns="urn:x"/>' })],
  'a token that is no base64': [
    'wst:InvalidRequest',
    (_token, soap) => ({
      soap,
      path: '/sts/people',
      subject: `<w:BinarySecurityToken xmlns:w="${security.wsse}" ValueType="urn:ietf:params:oauth:token-type:jwt">%%%</w:BinarySecurityToken>`,
    }),
  ],
}

function changed(change: (text: string) => string) {
  return (token: string, soap: '1.1' | '1.2'): Asked => ({ soap, message: change(messageOf({ soap, subject: token })) })
}

function header(headers: string) {
  return (token: string, soap: '1.1' | '1.2'): Asked => ({ soap, subject: token, headers })
}

function secured(inside: string) {
  return (token: string, soap: '1.1' | '1.2'): Asked => ({ soap, subject: token, security: inside })
}

describe('a hostile message', () => {
  const fetched: string[] = []
  const at = trustServerFor(idp, files => files, {
    fetch: (async (address: string | URL) => {
      fetched.push(String(address))
      throw new Error('nothing is fetched here')
    }) as never,
  })
  after(() => expect(fetched).to.deep.equal([]))

  for (const [what, [fault, make]] of Object.entries(vectors)) {
    it(`${what}: ${fault}`, async () => {
      for (const soap of ['1.1', '1.2'] as const) {
        const asked = { ...make(assertionFor(idp), soap), soap }
        const { text } = await faulted(at, asked, fault)
        // The caller is to blame, and is told so.
        expect(text).to.not.include('soap:Server').and.to.not.include('soap:Receiver')
        expect(at.lastRecord()).to.deep.include({ outcome: 'refused' })
      }
    })
  }

  it('headers for others are none of our business', async () => {
    const role = `${soapNamespaces['1.2']}/role/none`
    await answered(at, { soap: '1.2', subject: assertionFor(idp), headers: `<x xmlns="urn:x" s:role="${role}" s:mustUnderstand="true"/>` })
    await answered(at, { subject: assertionFor(idp), headers: '<x xmlns="urn:x" s:actor="urn:other" s:mustUnderstand="1"/>' })
    await answered(at, { subject: assertionFor(idp), headers: '<x xmlns="urn:x"/>' })
    const next = '<x xmlns="urn:x" s:actor="http://schemas.xmlsoap.org/soap/actor/next" s:mustUnderstand="1"/>'
    await faulted(at, { subject: assertionFor(idp), headers: next }, 'soap:MustUnderstand')
  })

  it('WT-1: an envelope of another version than its media type, or of none, is VersionMismatch; no SOAP is 415', async () => {
    const message = messageOf({ soap: '1.2', subject: assertionFor(idp) })
    await faulted(at, { message }, 'soap:VersionMismatch')
    await faulted(at, { soap: '1.2', message: messageOf({ soap: '1.1' }) }, 'soap:VersionMismatch')
    await faulted(at, { message: '<x xmlns="urn:x"/>' }, 'soap:VersionMismatch')
    for (const type of ['application/json', 'text/xml; charset=utf-16', 'application/x-www-form-urlencoded'])
      expect((await ask(at, { message, http: { 'content-type': type } })).status).to.equal(415)
  })

  it('a prefix may mean two things in a message, and not in a token', async () => {
    const rebound = '<saml:x xmlns:saml="urn:x"/>'
    await answered(at, { subject: assertionFor(idp), headers: rebound, members: rebound })
    const inside = signed(assertion20({ rest: `<saml:Advice>${rebound}</saml:Advice>` }), idp)
    await faulted(at, { subject: inside }, 'wst:FailedAuthentication')
    // Not even where the other meaning comes from the envelope.
    const within = assertionFor(idp).replace(' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"', '')
    await faulted(
      at,
      { message: messageOf({ subject: within }).replace('<s:Envelope ', '<s:Envelope xmlns:saml="urn:x" ') },
      'wsse:UnsupportedSecurityToken',
    )
  })

  describe('that wraps what was signed', () => {
    const evil = unsigned(assertion20({ subject: subject('mallory') }))
    const genuine = assertionFor(idp)
    const elsewhere = (place: (text: string) => string) => place(messageOf({ subject: evil }))
    const wraps: Record<string, string> = {
      'a signed assertion in another header': elsewhere(text => text.replace('<s:Header>', `<s:Header><w xmlns="urn:w">${genuine}</w>`)),
      'a signed assertion in the security header': messageOf({ subject: evil, security: genuine }),
      'a signed assertion beside the other one': messageOf({ subject: evil + genuine }),
      'a signed assertion in an element that is ignored': messageOf({ subject: evil, members: member('Claims', genuine) }),
      'a signed assertion inside of the other one': messageOf({
        subject: evil.replace('</saml:Assertion>', `<saml:Advice>${genuine}</saml:Advice></saml:Assertion>`),
      }),
      'its signature moved into the other one': messageOf({
        subject: evil.replace('</saml:Issuer>', `</saml:Issuer>${/<ds:Signature.*<\/ds:Signature>/.exec(genuine)?.[0]}`),
        members: member('Claims', genuine.replace(/<ds:Signature.*<\/ds:Signature>/, '')),
      }),
      'an assertion with the id of the signed one': messageOf({
        subject: evil.replace(/ ID="[^"]*"/, / ID="[^"]*"/.exec(genuine)?.[0] ?? ''),
        members: member('Claims', genuine),
      }),
      'a body that the signature refers to': messageOf({ subject: evil }).replace(
        '<s:Body>',
        `<s:Body ${/ ID="[^"]*"/.exec(genuine)?.[0]}>`,
      ),
    }
    for (const [what, message] of Object.entries(wraps)) {
      it(`${what}: a fault, and nothing is issued`, async () => {
        const { text, status } = await ask(at, { message })
        expect(status).to.equal(500)
        expect(text).to.match(/<faultcode[^>]*>(?:wst:FailedAuthentication|wst:InvalidRequest|wsse:UnsupportedSecurityToken)</)
        expect(at.lastRecord()).to.not.have.property('issuedToken')
      })
    }

    it('a genuine one beside it is still taken for what it is', async () => {
      const holder = assertionIn(await answered(at, { subject: signed(assertion20(), idp), members: member('Claims', '') }))
      expect(holder).to.include('<saml:NameID>alice</saml:NameID>')
    })
  })
})

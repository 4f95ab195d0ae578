import { expect } from 'chai'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import {
  assertion11,
  assertion20,
  attribute,
  attributeStatement,
  attributes11,
  audience,
  authentication11,
  authnStatement,
  conditions,
  at as instant,
  makeSigner,
  now,
  partner,
  restriction,
  signed,
  subject,
  subject11,
  token,
} from '../saml/forge.ts'
import { patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import {
  assertionIn,
  fromAssertion,
  intoAssertion,
  samlIssuer,
  samlServerFor,
  signedActor,
  signedSubject,
  signedSubject11,
  subjectOf,
  withMappings,
} from '../support/saml.ts'

const idp = makeSigner()

/** What stands between the tags of an element that an assertion has once. */
function textIn(xml: string, element: string): string {
  const found = [...xml.matchAll(new RegExp(`<saml:${element}(?: [^>]*)?>([^<]*)</saml:${element}>`, 'g'))]
  expect(found, `${element} in ${xml}`).to.have.length(1)
  return found[0]?.[1] ?? ''
}

/** The values of an attribute, by its name. */
function valuesIn(xml: string, name: string): string[] {
  const [, inside = ''] = new RegExp(`<saml:Attribute (?:Attribute)?Name="${name}"[^>]*>(.*?)</saml:Attribute>`).exec(xml) ?? []
  return [...inside.matchAll(/<saml:AttributeValue>([^<]*)<\/saml:AttributeValue>/g)].map(([, value = '']) => value)
}

describe('SAML through the exchange', () => {
  const at = samlServerFor(idp, files =>
    withMappings(
      patched(files, {
        // The partner that reads what this server makes is, here, this server.
        'policies/token-generators/home.json': {
          ...(files['policies/token-generators/ledger-saml.json'] as object),
          audience,
          subject: { recipient: `${audience}/token` },
          oneTimeUse: true,
        },
        'policies/token-generators/home11.json': { ...(files['policies/token-generators/ledger-saml11.json'] as object), audience },
        'policies/token-generators/long.json': {
          ...(files['policies/token-generators/ledger-saml.json'] as object),
          lifetime: '12h',
          outlivesSubject: true,
        },
        'policies/generator-groups/home.json': {
          audiences: ['home'],
          generators: { [types.saml2]: 'home', [types.saml1]: 'home11', 'urn:example:long': 'long' },
          default: types.saml2,
        },
        'policies/token-processors/home.json': {
          type: 'saml2',
          issuers: [{ entityId: samlIssuer, certificates: [{ file: 'secrets/saml.crt' }] }],
        },
        'policies/token-processors/home11.json': {
          type: 'saml11',
          issuers: [{ entityId: samlIssuer, certificates: [{ file: 'secrets/saml.crt' }] }],
        },
      }),
      [
        { subjectTokenType: 'urn:example:home', subjectTokenProcessor: 'home', attributes: { ...fromAssertion, email: "'x@example.com'" } },
        { subjectTokenType: 'urn:example:home11', subjectTokenProcessor: 'home11', attributes: fromAssertion },
      ],
      ['home', 'home11', 'long'].map(tokenGenerator => ({ tokenGenerator, attributes: intoAssertion })),
    ),
  )
  const answerOf = (type: string, expires_in = 300) => ({ issued_token_type: type, token_type: 'N_A', expires_in })

  describe('from a JWT', () => {
    it('to SAML 2.0', async () => {
      const issued = await at.issued({ audience: 'ledger' })
      expect(issued.answer.json).to.deep.equal({ access_token: issued.token, ...answerOf(types.saml2) })
      const xml = assertionIn(issued)
      expect(xml)
        .to.include(' Version="2.0"')
        .and.to.include(` IssueInstant="${instant(0).replace('.000', '')}"`)
      expect(textIn(xml, 'Issuer')).to.equal(samlIssuer)
      expect(textIn(xml, 'NameID')).to.equal('alice')
      expect(textIn(xml, 'Audience')).to.equal('https://ledger.example.com')
      expect(xml).to.include('Recipient="https://ledger.example.com/acs"')
      expect(valuesIn(xml, 'email')).to.deep.equal(['alice@example.com'])
      expect(valuesIn(xml, 'groups')).to.deep.equal(['app-orders'])
      expect(issued.record).to.include({ target: 'ledger', generator: 'ledger-saml', issuedTokenType: types.saml2, outcome: 'issued' })
      expect((issued.record.issuedToken as { id: string }).id).to.equal(/ ID="([^"]+)"/.exec(xml)?.[1])
    })

    it('to SAML 1.1', async () => {
      const issued = await at.issued({ audience: 'ledger', requested_token_type: types.saml1 })
      expect(issued.answer.json).to.deep.equal({ access_token: issued.token, ...answerOf(types.saml1) })
      const xml = assertionIn(issued)
      expect(xml).to.include(` Issuer="${samlIssuer}" MajorVersion="1" MinorVersion="1"`)
      expect(textIn(xml, 'NameIdentifier')).to.equal('alice')
      expect(valuesIn(xml, 'email')).to.deep.equal(['alice@example.com'])
      expect(xml.endsWith('</ds:Signature></saml:Assertion>')).to.equal(true)
    })

    it('to a JWT for somebody else, whose keys its issuer publishes', async () => {
      const issued = await at.issued({ audience: 'ledger', requested_token_type: types.jwt })
      expect(issued.answer.json).to.deep.equal({ access_token: issued.token, ...answerOf(types.jwt) })
      const issuer = 'https://sts.example.com/issuers/ledger-jwt'
      const jwks = (await at.server.request('GET', '/issuers/ledger-jwt/jwks')).json as unknown as JSONWebKeySet
      const options = { issuer, audience: 'https://ledger.example.com', currentDate: new Date(now * 1000) }
      const { payload } = await jwtVerify(issued.token, createLocalJWKSet(jwks), options)
      expect(payload).to.have.all.keys('iss', 'sub', 'email', 'aud', 'iat', 'exp', 'jti')
      expect(decodeProtectedHeader(issued.token).typ).to.equal('JWT')
      expect(await at.introspect(issued.token)).to.deep.equal({ active: false })
    })

    it('to SAML 2.0, each time under another id', async () => {
      const ids = await Promise.all(
        [1, 2, 3].map(async () => / ID="([^"]+)"/.exec(assertionIn(await at.issued({ audience: 'ledger' })))?.[1]),
      )
      expect(new Set(ids).size).to.equal(3)
    })

    it('writes what would be markup as text', async () => {
      const sub = '</saml:NameID><saml:NameID>admin'
      const groups = ['<!-- x -->', 'a & b', '"quoted"', ']]>', 'Zürich \u{1f600}']
      const xml = assertionIn(await at.issued({ audience: 'ledger', subject_token: await at.person({ sub, groups }) }))
      expect(textIn(xml, 'NameID')).to.equal('&lt;/saml:NameID&gt;&lt;saml:NameID&gt;admin')
      expect(valuesIn(xml, 'groups')).to.have.length(5)
      const home = await at.issued({ audience: 'home', subject_token: await at.person({ sub, groups }) })
      const { claims } = await at.issued(homeAs(home.token))
      expect(claims).to.deep.include({ sub, groups })
    })

    for (const [name, claims] of Object.entries({
      'a NUL in the name': { sub: 'a\u0000b' },
      'a control character in an attribute': { groups: ['a\u0001b'] },
      'half of a surrogate pair': { groups: ['\ud800'] },
      'white space around the name': { sub: ' alice' },
    })) {
      it(`refuses ${name}, which no assertion can hold`, async () => {
        const { description } = await at.refused(
          { audience: 'ledger', subject_token: await at.person(claims) },
          'invalid_request',
          /contract-not-met/,
        )
        expect(description).to.not.include('alice')
      })
    }
  })

  const homeAs = (assertion: string, type = 'urn:example:home') => ({ subject_token: assertion, subject_token_type: type })

  describe('there and back', () => {
    it('SAML 2.0 that this server made proves what was in it, once', async () => {
      const { token: assertion } = await at.issued({ audience: 'home', subject_token: await at.person({ groups: ['one', 'two'] }) })
      const { claims } = await at.issued(homeAs(assertion))
      expect(claims).to.deep.include({ sub: 'alice', groups: ['one', 'two'] })
      await at.refused(homeAs(assertion), 'invalid_request', /already-used/)
    })

    it('and so does SAML 1.1', async () => {
      const { token: assertion } = await at.issued({ audience: 'home', requested_token_type: types.saml1 })
      expect((await at.issued(homeAs(assertion, 'urn:example:home11'))).claims.sub).to.equal('alice')
    })

    it('but none that is for another audience, or of the other version', async () => {
      const { token: elsewhere } = await at.issued({ audience: 'ledger' })
      await at.refused(homeAs(elsewhere), 'invalid_request', /subject-token-rejected/)
      const { token: other } = await at.issued({ audience: 'home', requested_token_type: types.saml1 })
      await at.refused(homeAs(other), 'invalid_request', /not an assertion of SAML 2.0/)
    })

    it('and none of which a bit was changed', async () => {
      const { token: assertion } = await at.issued({ audience: 'home' })
      const xml = Buffer.from(assertion, 'base64url').toString()
      const forged = xml.replace('>alice<', '>admin<')
      expect(forged).to.not.equal(xml)
      await at.refused(homeAs(token(forged)), 'invalid_request', /signature of the token is not valid/)
    })
  })

  describe('from SAML 2.0', () => {
    const rich = () =>
      assertion20({ rest: authnStatement() + attributeStatement(attribute('groups', 'app-a', 'app-b'), attribute('email', 'x')) })

    it('to a JWT access token', async () => {
      const { claims, answer } = await at.issued(signedSubject(idp, rich()))
      expect(answer.json).to.include({
        issued_token_type: types.accessToken,
        token_type: 'Bearer',
        expires_in: 300,
        scope: 'orders.read orders.write',
      })
      expect(claims).to.deep.include({ sub: 'alice', email: 'alice@partner.example', groups: ['app-a', 'app-b'] })
      expect(claims).to.not.have.property('act')
    })

    it('to a reference token', async () => {
      const { token: reference, answer } = await at.issued(signedSubject(idp, rich(), { audience: 'billing' }))
      expect(answer.json).to.include({ issued_token_type: types.accessToken, token_type: 'Bearer' })
      expect(await at.introspect(reference)).to.deep.include({ active: true, sub: 'alice', groups: ['app-a', 'app-b'] })
    })

    it('to SAML 2.0 for another audience, with the authentication of the first', async () => {
      const issued = await at.issued(signedSubject(idp, rich(), { audience: 'ledger' }))
      expect(issued.answer.json).to.deep.equal({ access_token: issued.token, ...answerOf(types.saml2) })
      const xml = assertionIn(issued)
      expect(textIn(xml, 'Issuer')).to.equal(samlIssuer)
      expect(textIn(xml, 'Audience')).to.equal('https://ledger.example.com')
      expect(textIn(xml, 'NameID')).to.equal('alice')
      expect(xml).to.include(`AuthnInstant="${instant(-90).replace('.000', '')}"`)
      expect(textIn(xml, 'AuthnContextClassRef')).to.equal('urn:oasis:names:tc:SAML:2.0:ac:classes:X509')
      expect(valuesIn(xml, 'groups')).to.deep.equal(['app-a', 'app-b'])
    })

    it('to SAML 1.1 and to a JWT', async () => {
      const old = assertionIn(await at.issued(signedSubject(idp, rich(), { audience: 'ledger', requested_token_type: types.saml1 })))
      expect(old).to.include('AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:X509-PKI"')
      const { claims } = await at.issued(signedSubject(idp, rich(), { audience: 'ledger', requested_token_type: types.jwt }))
      expect(claims).to.include({ sub: 'alice', iss: 'https://sts.example.com/issuers/ledger-jwt' })
    })

    it('ends with the earliest of what bounds it, and only a target that outlives its subject does not', async () => {
      const session = assertion20({ rest: authnStatement(` SessionNotOnOrAfter="${instant(100)}"`) })
      const ends = async (audience: string, type?: string) => {
        const issued = await at.issued(signedSubject(idp, session, { audience, requested_token_type: type }))
        return issued.answer.json.expires_in
      }
      expect(await ends('api')).to.equal(100)
      expect(await ends('ledger')).to.equal(100)
      expect(await ends('home', 'urn:example:long')).to.equal(12 * 3600)
    })

    it('answers expires_in that is NotOnOrAfter of the assertion', async () => {
      const xml = assertionIn(
        await at.issued(
          signedSubject(idp, assertion20({ rest: authnStatement(` SessionNotOnOrAfter="${instant(99)}"`) }), { audience: 'ledger' }),
        ),
      )
      const ends = [...xml.matchAll(/NotOnOrAfter="([^"]+)"/g)].map(([, end]) => end)
      expect(ends).to.deep.equal([1, 2].map(() => instant(99).replace('.000', '')))
    })

    it('names the two issuers apart: an assertion of the partner is none of another issuer', async () => {
      const { record } = await at.issued(signedSubject(idp))
      expect(record.subject).to.deep.equal({ iss: partner, sub: 'alice' })
    })

    it('takes base64url and base64, padded and not, and nothing else', async () => {
      const bytes = Buffer.from(signed(assertion20({ rest: attributeStatement(attribute('x', '???~~~??~~?~')) }), idp))
      for (const text of [bytes.toString('base64url'), bytes.toString('base64'), bytes.toString('base64').replace(/=+$/, '')]) {
        await at.issued({ subject_token: text, subject_token_type: types.saml2 })
      }
      const base64 = bytes.toString('base64')
      for (const text of [
        `${base64}\n`,
        ` ${base64}`,
        base64.replace(/(.{76})/g, '$1\n'),
        `${base64}====`,
        `${base64}!`,
        bytes.toString(),
        '',
        '=',
      ]) {
        const answer = await at.exchange({ subject_token: text, subject_token_type: types.saml2 })
        expect(answer.json.error, text.slice(0, 10)).to.equal('invalid_request')
      }
    })

    it('takes no more than 64 KB', async () => {
      const filled = (size: number) => signed(assertion20({ rest: attributeStatement(attribute('x', 'y'.repeat(size))) }), idp)
      const rest = 64 * 1024 - filled(0).length
      await at.issued(subjectOf(filled(rest)))
      await at.refused(subjectOf(filled(rest + 1)), 'invalid_request', /subject-token-rejected: .*(large|long|size|64)/)
    })

    it('is not taken as another type: the declared type decides', async () => {
      const xml = signed(assertion20(), idp)
      await at.refused(subjectOf(xml, { subject_token_type: types.saml1 }), 'invalid_request', /not an assertion of SAML 1.1/)
      await at.refused(subjectOf(xml, { subject_token_type: types.jwt }), 'invalid_request', /subject-token-rejected/)
      await at.refused(subjectOf(await at.person()), 'invalid_request', /subject-token-rejected/)
    })
  })

  describe('from SAML 1.1', () => {
    it('to SAML 2.0', async () => {
      const issued = await at.issued(signedSubject11(idp, { audience: 'ledger' }))
      expect(issued.answer.json).to.deep.equal({ access_token: issued.token, ...answerOf(types.saml2) })
      const xml = assertionIn(issued)
      expect(textIn(xml, 'NameID')).to.equal('alice')
      expect(textIn(xml, 'AuthnContextClassRef')).to.equal('urn:oasis:names:tc:SAML:2.0:ac:classes:Password')
    })

    it('to an access token', async () => {
      const { claims } = await at.issued(signedSubject11(idp))
      expect(claims).to.include({ sub: 'alice', email: 'alice@partner.example' })
    })

    it('not where its statements are about two subjects', async () => {
      const two = assertion11({ statements: authentication11() + attributes11(subject11('bob')) })
      await at.refused(
        { subject_token: token(signed(two, idp)), subject_token_type: types.saml1 },
        'invalid_request',
        /subject-token-rejected/,
      )
    })

    it('not of SAML 1.0', async () => {
      const old = assertion11({ minor: '0' })
      await at.refused({ subject_token: token(signed(old, idp)), subject_token_type: types.saml1 }, 'invalid_request', /version/)
    })
  })

  describe('as actor token', () => {
    const robot = () => signedActor(idp, assertion20({ subject: subject('robot') }))

    it('SAML 2.0 acts for the subject of a JWT', async () => {
      const { claims, record } = await at.issued(robot())
      expect(claims.act).to.deep.equal({ iss: partner, sub: 'robot' })
      expect(record.act).to.deep.equal({ iss: partner, sub: 'robot' })
    })

    it('SAML 1.1 does', async () => {
      const actor = { actor_token: token(signed(assertion11(), idp)), actor_token_type: types.saml1 }
      expect((await at.issued(actor)).claims.act).to.deep.equal({ iss: partner, sub: 'alice' })
    })

    it('SAML 2.0 acts for the subject of SAML 2.0, and a JWT does', async () => {
      expect((await at.issued({ ...signedSubject(idp), ...robot() })).claims.act).to.deep.equal({ iss: partner, sub: 'robot' })
      expect((await at.issued({ ...signedSubject(idp), ...(await at.withActor()) })).claims.act).to.deep.equal({
        iss: 'https://agents.example',
        sub: 'robot',
      })
    })

    it('and nobody acts for himself', async () => {
      expect((await at.issued({ ...signedSubject(idp), ...signedActor(idp) })).claims).to.not.have.property('act')
    })

    it('has an audience of its own to meet, and bounds the lifetime', async () => {
      const elsewhere = signedActor(idp, assertion20({ conditions: conditions(restriction('https://other.example')) }))
      await at.refused(elsewhere, 'invalid_request', /actor-token-rejected: .*its audience is another party/)
      const short = signedActor(idp, assertion20({ rest: authnStatement(` SessionNotOnOrAfter="${instant(77)}"`) }))
      expect((await at.issued(short)).answer.json.expires_in).to.equal(77)
    })
  })
})

import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import {
  type AssertionParts,
  assertion11,
  assertion20,
  attribute,
  attributeStatement,
  audience,
  authnStatement,
  conditions,
  conditions11,
  confirmation,
  confirmationData,
  at as instant,
  keyInfoOf,
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
import { badSignatures, brokenTexts, confusions, pieces, wrappings } from '../saml/vectors.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import {
  assertionIn,
  fromAssertion,
  samlFiles,
  samlServerFor,
  signedActor,
  signedSubject,
  subjectOf,
  withMappings,
} from '../support/saml.ts'
import { watchedStore } from '../support/stores.ts'
import { withServer } from '../support/world.ts'

const idp = makeSigner()
const evilSigner = makeSigner()
const used = /already-used: the subject token was exchanged before/
const oneTime = '<saml:OneTimeUse></saml:OneTimeUse>'
const proxy = (count: number | undefined, ...audiences: string[]) =>
  `<saml:ProxyRestriction${count === undefined ? '' : ` Count="${count}"`}>${audiences.map(each => `<saml:Audience>${each}</saml:Audience>`).join('')}</saml:ProxyRestriction>`

/** The longer texts of a token, none of which an answer or a record may repeat. */
function piecesOf(document: string | Buffer): string[] {
  return (document.toString().match(/[A-Za-z0-9+/=_:.-]{12,}/g) ?? []).filter(piece => !/^(urn|http|https):/.test(piece))
}

/** The minimum negative vectors of the standards' checklist that are about SAML, by their numbers. */
describe('SAML vectors of Appendix A', () => {
  const store = watchedStore()
  const at = samlServerFor(
    idp,
    files =>
      withMappings(
        patched(files, {
          'policies/token-processors/partner.json': { once: true, clockSkew: '0s' },
          'policies/token-processors/wrapped.json': {
            ...(files['policies/token-processors/partner.json'] as object),
            once: true,
            acceptResponse: true,
          },
          'policies/token-processors/partner-once.json': {
            ...(files['policies/token-processors/partner.json'] as object),
            clockSkew: '30s',
          },
        }),
        [
          { subjectTokenType: 'urn:example:wrapped', subjectTokenProcessor: 'wrapped', attributes: fromAssertion },
          { subjectTokenType: 'urn:example:skewed', subjectTokenProcessor: 'partner-once', attributes: fromAssertion },
        ],
      ),
    { store: store.open },
  )

  /** Refused, as subject and as actor; the token is not repeated, nothing is used up, and each time there is one record. */
  async function refusedEverywhere(document: string | Buffer, why: RegExp, subjectType: string = types.saml2): Promise<void> {
    store.calls.length = 0
    const before = at.server.records.length
    const base64 = Buffer.from(document).toString('base64url')
    const asSubject = await at.refused(
      subjectOf(document, { subject_token_type: subjectType }),
      'invalid_request',
      /subject-token-rejected/,
    )
    const asActor = await at.refused({ actor_token: base64, actor_token_type: types.saml2 }, 'invalid_request', /actor-token-rejected/)
    for (const { description, record } of [asSubject, asActor]) {
      expect(description).to.match(why)
      for (const piece of piecesOf(document)) expect(description.includes(piece), piece).to.equal(false)
      // What is short occurs by chance.
      if (base64.length >= 16) expect(JSON.stringify(record)).to.not.include(base64.slice(0, 60))
      expect(record.outcome).to.equal('refused')
    }
    expect(at.server.records.length - before).to.equal(2)
    expect(store.calls).to.deep.equal([])
  }

  it('the good ones are taken, as subject, as actor and in a Response', async () => {
    expect((await at.issued(subjectOf(pieces(idp).good))).claims.sub).to.equal('alice')
    expect((await at.issued(signedActor(idp))).claims.act).to.deep.equal({ iss: partner, sub: 'alice' })
    const response = unsigned(response20(signed(assertion20(), idp)))
    expect((await at.issued(subjectOf(response, { subject_token_type: 'urn:example:wrapped' }))).claims.sub).to.equal('alice')
  })

  describe('13: signature wrapping', () => {
    for (const [name, xml] of Object.entries(wrappings(idp))) {
      it(name, () => refusedEverywhere(xml, /./))
      it(`${name}, where a Response is taken`, () => refusedEverywhere(xml, /./, 'urn:example:wrapped'))
    }
  })

  describe('14: the text of the document', () => {
    for (const [name, [document, why]] of Object.entries({ ...brokenTexts(idp), ...confusions(idp) })) {
      it(name, () => refusedEverywhere(document, why))
    }
  })

  describe('15: the signature', () => {
    for (const [name, [document, why]] of Object.entries(badSignatures(idp, evilSigner))) {
      it(name, () => refusedEverywhere(document, why))
    }
    it('one of another trusted issuer for this one', () => {
      const foreign = assertion20({ issuer: '<saml:Issuer>https://other.example</saml:Issuer>' })
      return refusedEverywhere(signed(foreign, idp), /the issuer of the assertion is not accepted/)
    })
  })

  describe('16: what the assertion says', () => {
    const during = (notBefore: number, notOnOrAfter: number) =>
      `<saml:Conditions NotBefore="${instant(notBefore)}" NotOnOrAfter="${instant(notOnOrAfter)}">${restriction(audience)}</saml:Conditions>`
    const confirmed = (data: string, method?: string) => ({ subject: subject('alice', confirmation(data, method)) })
    const data = (attributes: string) => `<saml:SubjectConfirmationData${attributes}></saml:SubjectConfirmationData>`
    const inTime = ` NotOnOrAfter="${instant(300)}"`
    const conditioned = (...inside: string[]) => ({ conditions: conditions(restriction(audience) + inside.join('')) })
    const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    const vectors: Record<string, [AssertionParts, RegExp]> = {
      'NotOnOrAfter is now': [{ conditions: during(-60, 0) }, /it has expired/],
      'NotOnOrAfter was a second ago': [{ conditions: during(-60, -1) }, /it has expired/],
      'NotBefore is to come': [{ conditions: during(1, 60) }, /it is not valid yet/],
      'a window without an instant in it': [{ conditions: during(60, 60) }, /it is never valid/],
      'no Conditions': [{ conditions: '' }, /Conditions/],
      'no AudienceRestriction': [{ conditions: conditions('') }, /it names no audience/],
      'another audience': [{ conditions: conditions(restriction('https://other.example')) }, /its audience is another party/],
      'an audience that is the client id': [{ conditions: conditions(restriction('gateway')) }, /its audience is another party/],
      'a second AudienceRestriction that is not met': [conditioned(restriction('https://other.example')), /its audience is another party/],
      'a first AudienceRestriction that is not met': [
        { conditions: conditions(restriction('https://other.example') + restriction(audience)) },
        /its audience is another party/,
      ],
      'an unknown Condition': [
        conditioned(`<saml:Condition ${xsi} xsi:type="x:Unknown"></saml:Condition>`),
        /a condition that is not understood/,
      ],
      'a Condition of another namespace': [
        conditioned('<x:Condition xmlns:x="urn:x"></x:Condition>'),
        /a condition that is not understood/,
      ],
      'OneTimeUse twice': [conditioned(oneTime, oneTime), /OneTimeUse/],
      'ProxyRestriction twice': [conditioned(proxy(1), proxy(1)), /ProxyRestriction/],
      'the end of the confirmation is now': [confirmed(data(` NotOnOrAfter="${instant(0)}" Recipient="${recipient}"`)), /it has expired/],
      'NotBefore in the bearer confirmation': [
        confirmed(data(` NotBefore="${instant(-60)}"${inTime} Recipient="${recipient}"`)),
        /has NotBefore/,
      ],
      'no Recipient': [confirmed(data(inTime)), /has no Recipient/],
      'an empty Recipient': [confirmed(data(`${inTime} Recipient=""`)), /has no Recipient/],
      'another Recipient': [confirmed(data(`${inTime} Recipient="https://other.example/acs"`)), /has no Recipient, or is for another one/],
      'no end of the confirmation': [confirmed(data(` Recipient="${recipient}"`)), /has no NotOnOrAfter/],
      InResponseTo: [confirmed(data(` InResponseTo="_1"${inTime} Recipient="${recipient}"`)), /InResponseTo/],
      'no SubjectConfirmationData': [confirmed(''), /has no SubjectConfirmationData/],
      'sender-vouches': [confirmed(confirmationData(), 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches'), /no bearer assertion/],
      'holder-of-key': [confirmed(confirmationData(), 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key'), /not exactly one certificate/],
      'no confirmation': [{ subject: subject('alice', '') }, /no bearer assertion/],
      'no Subject': [{ subject: '' }, /Subject/],
      'an empty NameID': [{ subject: subject('') }, /NameID is empty/],
      'white space around the NameID': [{ subject: subject(' alice') }, /NameID is empty or not plain text/],
      'an EncryptedID': [{ subject: subject().replaceAll('NameID', 'EncryptedID') }, /a part of the assertion is encrypted/],
      'an Issuer that is no entity id': [{ issuer: `<saml:Issuer Format="urn:x">${partner}</saml:Issuer>` }, /not an entity id/],
      'white space around the Issuer': [{ issuer: `<saml:Issuer>${partner} </saml:Issuer>` }, /Issuer is empty or not plain text/],
      'issued in the future': [
        { attributes: `ID="_future" IssueInstant="${instant(1)}" Version="2.0"`, id: '_future' },
        /future|not valid yet/,
      ],
      'another version': [{ attributes: `ID="_v" IssueInstant="${instant(-5)}" Version="2.1"`, id: '_v' }, /version/],
      'a session that has ended': [{ rest: authnStatement(` SessionNotOnOrAfter="${instant(0)}"`) }, /it has expired/],
      'an authentication in the future': [{ rest: authnStatement().replace(instant(-90), instant(1)) }, /in the future/],
      'an attribute twice': [{ rest: attributeStatement(attribute('x', '1'), attribute('x', '2')) }, /an attribute is there twice/],
      'XML as a value': [{ rest: attributeStatement(attribute('x', '<x xmlns="urn:x"></x>')) }, /XML as its value|namespace/],
    }
    for (const [name, [parts, why]] of Object.entries(vectors)) {
      it(name, () => refusedEverywhere(signed(assertion20(parts), idp), why))
    }

    it('and a moment earlier, or in the other half of an "or", it is taken', async () => {
      const taken: AssertionParts[] = [
        { conditions: during(0, 1) },
        { conditions: conditions(restriction('https://other.example', audience) + restriction(audience)) },
        confirmed(data(` NotOnOrAfter="${instant(1)}" Recipient="${recipient}"`)),
        { subject: subject('alice', confirmation(data(inTime)) + confirmation()) },
        { rest: authnStatement(` SessionNotOnOrAfter="${instant(1)}"`) },
      ]
      for (const parts of taken) await at.issued(signedSubject(idp, assertion20(parts)))
    })

    it('and with a clock skew its end is as exclusive', async () => {
      const skewed = (end: number) =>
        signedSubject(idp, assertion20({ conditions: during(-60, end) }), { subject_token_type: 'urn:example:skewed' })
      await at.refused(skewed(-30), 'invalid_request', /it has expired/)
      await at.refused(skewed(-29), 'invalid_request', /lifetime|second/)
    })
  })
})

describe('SAML vectors of Appendix A, of what may be done with an assertion', () => {
  const store = watchedStore()
  const at = samlServerFor(idp, {}, { store: store.open })
  beforeEach(() => {
    store.calls.length = 0
  })
  const limited = (...inside: string[]) => assertion20({ conditions: conditions(restriction(audience) + inside.join('')) })

  describe('17: OneTimeUse', () => {
    const doNotCache = conditions11.replace('</saml:Conditions>', '<saml:DoNotCacheCondition></saml:DoNotCacheCondition></saml:Conditions>')

    it('the same assertion twice', async () => {
      const once = signedSubject(idp, limited(oneTime))
      await at.issued(once)
      await at.refused(once, 'invalid_request', used)
      await at.refused({ ...once, audience: 'ledger' }, 'invalid_request', used)
    })

    it('the same id in another text', async () => {
      const first = limited(oneTime)
      await at.issued(signedSubject(idp, first))
      const again = { ...first, after: first.after.replace('alice', 'bob') }
      await at.refused(signedSubject(idp, again), 'invalid_request', used)
      await at.refused(signedSubject(idp, first, {}, { keyInfo: keyInfoOf(idp) }), 'invalid_request', used)
    })

    it('of SAML 1.1 (DoNotCacheCondition)', async () => {
      const once = { subject_token: token(signed(assertion11({ conditions: doNotCache }), idp)), subject_token_type: types.saml1 }
      await at.issued(once)
      await at.refused(once, 'invalid_request', used)
    })

    it('of an actor', async () => {
      const actor = signedActor(idp, limited(oneTime))
      await at.issued(actor)
      await at.refused(actor, 'invalid_request', /already-used: the actor token/)
    })

    it('first as the subject, then as the actor', async () => {
      const { subject_token, subject_token_type } = signedSubject(idp, limited(oneTime))
      await at.issued({ subject_token, subject_token_type })
      await at.refused(
        { actor_token: subject_token, actor_token_type: subject_token_type },
        'invalid_request',
        /already-used: the actor token/,
      )
    })

    it('at eight requests at once: one succeeds', async () => {
      const once = signedSubject(idp, limited(oneTime))
      const answers = await Promise.all(Array.from({ length: 8 }, () => at.exchange(once)))
      expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400, 400, 400, 400, 400])
    })

    it('is not used up by a refused request', async () => {
      const once = signedSubject(idp, limited(oneTime))
      await at.refused({ ...once, scope: 'admin' }, 'invalid_scope', /admin/)
      await at.refused({ ...once, audience: 'unknown' }, 'invalid_target', /unknown/)
      await at.refused({ ...once, audience: 'ledger', ...(await at.withActor()) }, 'invalid_request', /delegation-refused/)
      await at.refused({ ...once, ...(await at.withActor()), actor_token: 'x' }, 'invalid_request', /actor-token-rejected/)
      expect(store.calls).to.deep.equal([])
      await at.issued(once)
    })

    it('is remembered by a digest, as long as the assertion could be taken', async () => {
      const once = limited(oneTime)
      await at.issued(signedSubject(idp, once))
      const [use, ...others] = store.calls
      expect(others).to.deep.equal([])
      expect(use?.method).to.equal('putIfAbsent')
      const [key, value, seconds] = use?.arguments ?? []
      expect([key, value]).to.deep.equal([`used:${createHash('sha256').update(`${partner}\0${once.id}`).digest('base64url')}`, ''])
      expect(seconds).to.equal(300 + 600)
    })

    it('without it an assertion is taken again, and nothing is stored', async () => {
      const often = signedSubject(idp)
      for (let time = 0; time < 3; time++) await at.issued(often)
      expect(store.calls).to.deep.equal([])
    })

    it('is known to every server of one store', async () => {
      const shared = memoryStore(() => now)
      const options = { clock: () => now, store: () => ({ ...watched(shared), close: async () => undefined }) }
      const change = (files: Files) => samlFiles(files, idp)
      await withServer(
        change,
        first =>
          withServer(
            change,
            async second => {
              const [one, other] = [signedSubject(idp, limited(oneTime)), signedSubject(idp, limited(oneTime))]
              await first.issued(one)
              await second.refused(one, 'invalid_request', used)
              await second.issued(other)
              await first.refused(other, 'invalid_request', used)
            },
            options,
          ),
        options,
      )
      await shared.close()
    })
  })

  describe('18: ProxyRestriction', () => {
    const why = /subject-token-rejected: .*ProxyRestriction/
    const targets: Record<string, Parameters> = {
      'a SAML 2.0 generator': { audience: 'ledger' },
      'a SAML 1.1 generator': { audience: 'ledger', requested_token_type: types.saml1 },
      'a JWT generator': { audience: 'ledger', requested_token_type: types.jwt },
      'a JWT access token': { audience: 'api' },
      'a reference token': { audience: 'billing' },
    }
    for (const [name, target] of Object.entries(targets)) {
      it(`Count=0, to ${name}`, async () => {
        const { description } = await at.refused(signedSubject(idp, limited(proxy(0), oneTime), target), 'invalid_request', why)
        expect(description).to.not.include('alice')
        expect(store.calls).to.deep.equal([])
      })
      it(`Count=0 in the actor token, to ${name}`, async () => {
        const actor = signedActor(idp, limited(proxy(0), oneTime))
        await at.refused({ ...actor, ...target }, 'invalid_request', /actor-token-rejected: .*ProxyRestriction/)
        expect(store.calls).to.deep.equal([])
      })
      if (name !== 'a SAML 2.0 generator') {
        it(`Count=1, to ${name}, which cannot hand it on`, () =>
          at.refused(signedSubject(idp, limited(proxy(1)), target), 'invalid_request', why))
      }
    }

    it('another audience than those that it allows', async () => {
      await at.refused(
        signedSubject(idp, limited(proxy(undefined, 'https://other.example')), targets['a SAML 2.0 generator']),
        'invalid_request',
        why,
      )
      await at.refused(
        signedSubject(idp, limited(proxy(5, 'https://other.example')), targets['a SAML 2.0 generator']),
        'invalid_request',
        why,
      )
    })

    it('a Count that is no number', async () => {
      for (const count of ['-1', '', '1.5', '0x1', ' 1', '99999999999']) {
        const unclear = proxy(1).replace('"1"', `"${count}"`)
        await at.refused(
          signedSubject(idp, limited(unclear), { audience: 'ledger' }),
          'invalid_request',
          /ProxyRestriction is not a number/,
        )
      }
    })

    it('what is left of it is handed on', async () => {
      const xml = async (restricted: string) =>
        assertionIn(await at.issued(signedSubject(idp, limited(restricted), { audience: 'ledger' })))
      expect(await xml(proxy(1))).to.include('<saml:ProxyRestriction Count="0"></saml:ProxyRestriction>')
      expect(await xml(proxy(7, 'https://ledger.example.com', 'https://other.example'))).to.include(
        proxy(6, 'https://ledger.example.com', 'https://other.example'),
      )
      expect(await xml(proxy(undefined, 'https://ledger.example.com'))).to.include(proxy(undefined, 'https://ledger.example.com'))
      expect(await xml('')).to.not.include('ProxyRestriction')
    })

    it('is not used up by the wrong target', async () => {
      const restricted = signedSubject(idp, limited(proxy(1), oneTime))
      await at.refused(restricted, 'invalid_request', why)
      await at.issued({ ...restricted, audience: 'ledger' })
      await at.refused({ ...restricted, audience: 'ledger' }, 'invalid_request', used)
    })
  })
})

/** A store whose methods can be spread. */
function watched(store: Store): Store {
  return {
    put: (...args) => store.put(...args),
    putIfAbsent: (...args) => store.putIfAbsent(...args),
    increment: (...args) => store.increment(...args),
    get: key => store.get(key),
    take: key => store.take(key),
    delete: key => store.delete(key),
    ping: () => store.ping(),
    close: () => store.close(),
  }
}

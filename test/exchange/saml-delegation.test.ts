import { expect } from 'chai'
import { assertion20, audience, conditions, makeSigner, partner, restriction, subject } from '../saml/forge.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { assertionIn, intoAssertion, samlServerFor, signedActor, signedSubject, withMappings } from '../support/saml.ts'

const idp = makeSigner()
const refused = /delegation-refused: .*its mapping does not read act/
const agents = 'https://agents.example'

/** Groups whose generators differ in how they express an actor. */
function withWays(files: Files): Files {
  const saml2 = files['policies/token-generators/ledger-saml.json'] as { contract: object }
  const saml11 = files['policies/token-generators/ledger-saml11.json'] as { contract: object }
  const actor = { type: ['string', 'null'] }
  const generators = {
    mapped: { ...saml2, contract: { ...saml2.contract, actor } },
    mapped11: { ...saml11, contract: { ...saml11.contract, actor } },
    condition: { ...saml2, delegation: 'condition' },
    judged: saml2,
  }
  const who = "act != null ? act.iss + ' ' + act.sub : null"
  const criterion = { require: 'act == null || act.sub == "robot"', otherwise: 'robots only' }
  return withMappings(
    patched(files, {
      ...Object.fromEntries(Object.entries(generators).map(([id, file]) => [`policies/token-generators/${id}.json`, file])),
      ...Object.fromEntries(
        Object.keys(generators).map(id => [
          `policies/generator-groups/${id}.json`,
          { audiences: [id], generators: { [`urn:example:${id}`]: id }, default: `urn:example:${id}` },
        ]),
      ),
    }),
    [],
    [
      { tokenGenerator: 'mapped', attributes: { ...intoAssertion, actor: who } },
      { tokenGenerator: 'mapped11', attributes: { ...intoAssertion, actor: who } },
      { tokenGenerator: 'condition', attributes: intoAssertion },
      { tokenGenerator: 'judged', attributes: intoAssertion, criteria: [criterion] },
    ],
  )
}

const xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="del:DelegationRestrictionType"'
const del = 'xmlns:del="urn:oasis:names:tc:SAML:2.0:conditions:delegation"'
/** A condition that names who acts for the subject of the partner's assertion. */
const delegated = (...names: string[]) =>
  `<saml:Condition ${xsi}>${names.map(name => `<del:Delegate ${del}><saml:NameID>${name}</saml:NameID></del:Delegate>`).join('')}</saml:Condition>`
const actedFor = (...names: string[]) => assertion20({ conditions: conditions(restriction(audience) + delegated(...names)) })

/** Who acts, as the condition of an assertion of ours has it: the first one first. */
function delegatesIn(xml: string): Array<[issuer: string, name: string]> {
  return [...xml.matchAll(/<del:Delegate[^>]*><saml:NameID([^>]*)>([^<]*)</g)].map(([, attributes = '', name = '']) => [
    /NameQualifier="([^"]*)"/.exec(attributes)?.[1] ?? '',
    name,
  ])
}

describe('delegation into SAML', () => {
  const at = samlServerFor(idp, withWays)

  describe('is refused where the assertion would not say who acts', () => {
    for (const requested_token_type of [types.saml2, types.saml1]) {
      it(`an actor token, to ${requested_token_type}`, async () => {
        await at.refused({ audience: 'ledger', requested_token_type, ...(await at.withActor()) }, 'invalid_request', refused)
        await at.refused({ audience: 'ledger', requested_token_type, ...signedActor(idp) }, 'invalid_request', refused)
      })

      it(`an act of the subject token, to ${requested_token_type}`, async () => {
        const subject_token = await at.person({ act: { iss: agents, sub: 'robot' } })
        await at.refused({ audience: 'ledger', requested_token_type, subject_token }, 'invalid_request', refused)
      })

      it(`a delegation restriction of an assertion, to ${requested_token_type}`, async () => {
        await at.refused(signedSubject(idp, actedFor('robot'), { audience: 'ledger', requested_token_type }), 'invalid_request', refused)
      })
    }

    it('also where a criterion of the mapping reads act: the assertion is silent', async () => {
      await at.refused({ audience: 'judged', ...(await at.withActor()) }, 'invalid_request', refused)
      await at.issued({ audience: 'judged' })
    })

    it('while impersonation is not, and nor is an actor who is the subject', async () => {
      await at.issued({ audience: 'ledger' })
      await at.issued({ ...signedSubject(idp), ...signedActor(idp), audience: 'ledger' })
    })
  })

  describe('is accepted where an attribute is mapped from act', () => {
    for (const audience of ['mapped', 'mapped11']) {
      it(`an actor token, to ${audience}`, async () => {
        const issued = await at.issued({ audience, ...(await at.withActor()) })
        expect(assertionIn(issued)).to.include(`${agents} robot</saml:AttributeValue>`)
        expect(issued.record.act).to.deep.equal({ iss: agents, sub: 'robot' })
      })

      it(`an inherited act, to ${audience}`, async () => {
        const subject_token = await at.person({ act: { sub: 'older', act: { sub: 'oldest' } } })
        expect(assertionIn(await at.issued({ audience, subject_token }))).to.include('https://people.example older</saml:AttributeValue>')
      })

      it(`nobody, to ${audience}: the attribute is left out`, async () => {
        expect(assertionIn(await at.issued({ audience }))).to.not.include('Name="actor"')
      })
    }
  })

  describe('is accepted where the generator writes the condition', () => {
    it('an actor token', async () => {
      const xml = assertionIn(await at.issued({ audience: 'condition', ...(await at.withActor()) }))
      expect(delegatesIn(xml)).to.deep.equal([[agents, 'robot']])
    })

    it('an inherited chain and an actor token: the one that acts now stands last', async () => {
      const subject_token = await at.person({ act: { iss: agents, sub: 'second', act: { iss: agents, sub: 'first' } } })
      const inherited = assertionIn(await at.issued({ audience: 'condition', subject_token }))
      expect(delegatesIn(inherited).map(([, name]) => name)).to.deep.equal(['first', 'second'])
      const further = assertionIn(await at.issued({ audience: 'condition', subject_token, ...(await at.withActor()) }))
      expect(delegatesIn(further).map(([, name]) => name)).to.deep.equal(['first', 'second', 'robot'])
    })

    it('the condition of an inbound assertion, and an actor after it', async () => {
      const inbound = () => signedSubject(idp, actedFor('first', 'second'), { audience: 'condition' })
      expect(delegatesIn(assertionIn(await at.issued(inbound())))).to.deep.equal([
        [partner, 'first'],
        [partner, 'second'],
      ])
      const robot = signedActor(idp, assertion20({ subject: subject('robot') }))
      expect(delegatesIn(assertionIn(await at.issued({ ...inbound(), ...robot })))).to.deep.equal([
        [partner, 'first'],
        [partner, 'second'],
        [partner, 'robot'],
      ])
    })

    it('no condition where nobody acts', async () => {
      expect(assertionIn(await at.issued({ audience: 'condition' }))).to.not.include('Delegat')
    })

    it('but no longer chain than the server allows', async () => {
      const { description } = await at.refused(
        signedSubject(idp, actedFor('1', '2', '3', '4', '5'), { audience: 'condition' }),
        'invalid_request',
        /delegation-refused/,
      )
      expect(description).to.include('longer than 4')
    })
  })

  it('to a JWT for somebody else always carries act', async () => {
    const { claims } = await at.issued({ audience: 'ledger', requested_token_type: types.jwt, ...(await at.withActor()) })
    expect(claims.act).to.deep.equal({ iss: agents, sub: 'robot' })
  })

  it('into an access token carries what an assertion restricts its delegates to', async () => {
    const { claims } = await at.issued(signedSubject(idp, actedFor('first', 'second')))
    expect(claims.act).to.deep.equal({ iss: partner, sub: 'second', act: { iss: partner, sub: 'first' } })
  })

  it('is not done by an actor in whose place somebody acts', async () => {
    await at.refused({ ...signedActor(idp, actedFor('first')), audience: 'condition' }, 'invalid_request', /actor-token-rejected/)
  })

  it('is bound by may_act of a JWT, also for an actor of SAML', async () => {
    const robot = () => signedActor(idp, assertion20({ subject: subject('robot') }))
    const allowing = async (may_act: object) => ({ subject_token: await at.person({ may_act }), audience: 'condition', ...robot() })
    await at.issued(await allowing({ iss: partner, sub: 'robot' }))
    await at.refused(await allowing({ iss: partner, sub: 'other' }), 'invalid_request', /may_act/)
    await at.refused(await allowing({ sub: 'robot' }), 'invalid_request', /may_act/)
  })
})

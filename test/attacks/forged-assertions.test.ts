import { expect } from 'chai'
import { assertion20, makeSigner, partner, response20, signed, unsigned } from '../saml/forge.ts'
import { type Files, patched } from '../support/configuration.ts'
import { fromAssertion, samlServerFor, subjectOf, withMappings } from '../support/saml.ts'
import { advisories } from './saml-advisories.ts'
import { fragileLocks } from './saml-fragile-locks.ts'
import type { Vector } from './saml-material.ts'
import { raids } from './saml-raider.ts'
import { recentAdvisories } from './saml-recent-advisories.ts'

const idp = makeSigner()
const neighbour = makeSigner()
const stranger = makeSigner()
const wrappedType = 'urn:example:wrapped'

describe('forged assertions', () => {
  const fetched: string[] = []
  const at = samlServerFor(idp, trustingBoth, {
    fetch: url => {
      fetched.push(url)
      return Promise.reject(new Error('nothing is to be fetched'))
    },
  })
  after(() => expect(fetched).to.deep.equal([]))

  /** A second partner with a key of its own, and a processor that also takes Responses. */
  function trustingBoth(files: Files): Files {
    const issuers = [
      { entityId: partner, certificates: [{ file: 'secrets/partner.crt' }] },
      { entityId: 'https://other.example', certificates: [{ file: 'secrets/neighbour.crt' }] },
    ]
    const processor = { ...(files['policies/token-processors/partner.json'] as object), issuers }
    const added = patched(files, {
      'policies/token-processors/partner.json': { issuers },
      'policies/token-processors/wrapped.json': { ...processor, acceptResponse: true },
      'secrets/neighbour.crt': neighbour.certificate,
    })
    return withMappings(added, [{ subjectTokenType: wrappedType, subjectTokenProcessor: 'wrapped', attributes: fromAssertion }])
  }

  it('what they are made of is taken: the assertion, and a Response around it', async () => {
    expect((await at.issued(subjectOf(signed(assertion20(), idp)))).claims.sub).to.equal('alice')
    for (const response of [unsigned(response20(signed(assertion20(), idp))), signed(response20(unsigned(assertion20())), idp)]) {
      expect((await at.issued(subjectOf(response, { subject_token_type: wrappedType }))).claims.sub).to.equal('alice')
    }
  })

  /** By both processors; what the one says that takes Responses is looked at, because it looks at more. */
  async function refused([document, why]: Vector): Promise<void> {
    await at.refused(subjectOf(document), 'invalid_request', /subject-token-rejected/)
    const asResponse = subjectOf(document, { subject_token_type: wrappedType })
    const { description } = await at.refused(asResponse, 'invalid_request', /subject-token-rejected/)
    expect(description).to.match(why)
  }

  describe('by SAML Raider', () => {
    for (const [name, vector] of Object.entries(raids(idp))) it(name, () => refused(vector))
  })
  describe('by "The Fragile Lock"', () => {
    for (const [name, vector] of Object.entries(fragileLocks(idp))) it(name, () => refused(vector))
  })
  describe('as in advisories', () => {
    for (const [name, vector] of Object.entries(advisories(idp, neighbour))) it(name, () => refused(vector))
    for (const [name, vector] of Object.entries(recentAdvisories(idp, stranger))) it(name, () => refused(vector))
  })
})

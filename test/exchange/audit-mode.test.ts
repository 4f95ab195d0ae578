import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { serverFor } from '../support/world.ts'

const policy = 'policies/processor-policies/people.json'
const manager = 'policies/access-token-managers/api.json'

interface Policy {
  processors: Array<Record<string, unknown>>
  issues: Array<Record<string, unknown>>
}

/** The usual configuration with criteria at every place that has any. */
function withCriteria(files: Files, criteria: { mapping?: object[]; policy?: object[]; issue?: object[] }): Files {
  const { processors, issues } = files[policy] as Policy
  return patched(files, {
    [policy]: {
      criteria: criteria.policy ?? [],
      processors: processors.map(mapping => ({ ...mapping, criteria: criteria.mapping ?? [] })),
      issues: issues.map(issue => ({ ...issue, criteria: criteria.issue ?? [] })),
    },
  })
}

const never = (otherwise: string) => ({ require: 'false', otherwise, mode: 'audit' })

describe('"mode": "audit"', () => {
  describe('on criteria', () => {
    const at = serverFor(files =>
      withCriteria(files, {
        mapping: [never('of the mapping')],
        policy: [never('of the policy'), { require: "policy.email != 'mallory@example.com'", otherwise: 'enforced' }],
        issue: [never('of the target')],
      }),
    )

    it('refuses nothing, and records what each would have refused', async () => {
      const { record } = await at.issued()
      expect(record.wouldRefuse).to.deep.equal([
        { reason: 'criterion-failed', description: 'of the mapping', setting: `${policy} processors[0].criteria[0].require` },
        { reason: 'criterion-failed', description: 'of the policy', setting: `${policy} criteria[0].require` },
        { reason: 'criterion-failed', description: 'of the target', setting: `${policy} issues[0].criteria[0].require` },
      ])
    })

    it('does not soften the others', async () => {
      const subject_token = await at.person({ email: 'mallory@example.com' })
      const { record } = await at.refused({ subject_token }, 'invalid_request', /criterion-failed: enforced$/)
      expect(record.wouldRefuse).to.have.length(2)
    })
  })

  describe('on a criterion that holds', () => {
    const at = serverFor(files => withCriteria(files, { policy: [{ require: 'true', otherwise: 'x', mode: 'audit' }] }))

    it('records nothing', async () => {
      const { record } = await at.issued()
      expect(record).to.not.have.property('wouldRefuse')
    })
  })

  describe('on a criterion that cannot be evaluated', () => {
    const failing = { require: '[1][context.scopes.size() + 7] == 1', otherwise: 'x', mode: 'audit' }
    const at = serverFor(files => withCriteria(files, { policy: [failing] }))

    it('records that it would have refused, too', async () => {
      const { record } = await at.issued()
      expect(record.wouldRefuse).to.have.length(1)
      expect((record.wouldRefuse as object[])[0]).to.include({ reason: 'expression-failed', setting: `${policy} criteria[0].require` })
    })
  })

  describe("on a target's clients", () => {
    const at = serverFor(files => patched(files, { [manager]: { clients: { allow: ['api'], mode: 'audit' } } }))

    it('refuses nothing, and records who would have been refused', async () => {
      const { record } = await at.issued()
      const refusal = { reason: 'target-not-allowed', description: 'this client may not have tokens for this target' }
      expect(record.wouldRefuse).to.deep.equal([{ ...refusal, setting: `${manager} clients` }])
    })
  })

  describe("on a target's clients that are enforced", () => {
    const at = serverFor(files => patched(files, { [manager]: { clients: { allow: ['api'] } } }))

    it('is not meant', async () => {
      await at.refused({ audience: 'api' }, 'invalid_target', /target-not-allowed/)
    })
  })
})

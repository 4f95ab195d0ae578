import { expect } from 'chai'
import { memoryStore } from '../../src/stores/memory.ts'
import { type RealLdap, requireLdap, startLdap } from '../real/ldap.ts'
import { reader, suffix } from '../real/ldap-people.ts'
import { until } from '../stores/until.ts'
import { type Files, patched } from '../support/configuration.ts'
import { serverFor } from '../support/world.ts'

const text = { type: 'string' }
const store = (server: RealLdap | undefined) => ({
  type: 'ldap',
  servers: [server?.url],
  bindDn: reader.dn,
  password: { file: 'secrets/reader' },
  base: suffix,
  attributes: { uid: text, employeeNumber: text, manager: { type: ['string', 'null'] }, groups: { type: 'array', items: text } },
  nestedGroups: { base: `ou=groups,${suffix}` },
  // The clock of these tests stands still.
  breaker: { failures: 1000 },
})
const lookupsWithin = (timeout: string) => ({
  person: { dataStore: 'directory', filter: '(mail={subject.email})', attributes: ['employeeNumber', 'manager', 'groups'], timeout },
  manager: {
    dataStore: 'directory',
    base: '{has(lookup.person.manager) ? lookup.person.manager : null}',
    within: `ou=people,${suffix}`,
    scope: 'base',
    filter: '(objectClass=person)',
    attributes: ['uid'],
    ifMissing: 'empty',
    timeout,
  },
})
const attributes = {
  subject: 'lookup.person.employeeNumber',
  email: 'subject.email',
  groups: "lookup.person.groups + (has(lookup.manager.uid) ? ['reports-to-' + lookup.manager.uid] : [])",
}

describe('an exchange with lookups in a directory', function () {
  this.timeout(60_000)
  let server: RealLdap | undefined
  before(async function () {
    requireLdap(this)
    server = await startLdap()
  })
  after(() => server?.stop())

  const withDirectory =
    (timeout: string) =>
    (files: Files): Files => {
      const policy = files['policies/processor-policies/people.json'] as { processors: object[]; issues: object[] }
      const [first, ...others] = policy.processors
      const [api, ...further] = policy.issues
      return patched(files, {
        'secrets/reader': reader.password,
        'policies/data-stores/directory.json': store(server),
        'policies/processor-policies/people.json': {
          processors: [{ ...first, lookups: lookupsWithin(timeout), attributes }, ...others],
          issues: [{ ...api, attributes: { sub: 'policy.subject', email: 'policy.email', groups: 'policy.groups' } }, ...further],
        },
      })
    }

  describe('of ten thousand people', () => {
    const at = serverFor(withDirectory('60s'))
    const of = async (email: string) => ({ subject_token: await at.person({ email }) })

    it('finds the person, the groups and the manager', async () => {
      const { claims, record } = await at.issued(await of('alice@example.com'))
      expect(claims).to.deep.include({ sub: 'E-1', groups: ['a', 'b', 'c', 'reports-to-admin'] })
      expect(JSON.stringify(record)).to.include('"person"').and.not.to.include('reports-to')
      expect((await at.issued(await of('p00042@example.com'))).claims).to.deep.include({ sub: '42', groups: [] })
    })

    it('finds nobody for what somebody else could be meant by', async () => {
      for (const email of ['nobody@example.com', 'a*@example.com', "alice'@example.com", 'ALICE*@example.com', 'x|y@example.com'])
        await at.refused(await of(email), 'invalid_request', /lookup-found-nothing/)
    })
  })

  describe('that goes away', () => {
    // With a store of its own nothing is foretold, since what comes of it changes between the two.
    const at = serverFor(withDirectory('1s'), { store: memoryStore })
    const exchange = async () => at.exchange({ subject_token: await at.person({ email: 'alice@example.com' }) })
    const unavailable = async () => {
      const answer = await exchange()
      expect([answer.status, answer.json.error]).to.deep.equal([503, 'temporarily_unavailable'])
      expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
    }
    const back = () => until('it goes on', async () => (await exchange()).status === 200)

    it('is answered 503, and goes on when it is back', async () => {
      await back()
      await server?.kill()
      await unavailable()
      await server?.start()
      await back()
    })

    it('is answered 503 also while it hangs', async () => {
      await back()
      await server?.freeze()
      await unavailable().finally(() => server?.thaw())
      await back()
    })
  })
})

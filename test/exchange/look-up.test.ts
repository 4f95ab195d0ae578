import { expect } from 'chai'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { serverFor, withServer } from '../support/world.ts'

const text = { type: 'string' }
const optional = { type: ['string', 'null'] }

const people = [
  'mail,number,department,groups,level',
  'alice@example.com,0042,d1,app-orders;staff,3',
  'bob@example.com,0043,,,1',
  'twin@example.com,0044,d1,,1',
  'twin@example.com,0045,d1,,1',
].join('\n')
const departments = [
  { id: 'd1', name: 'Orders', costCentre: 'c1' },
  { id: 'd2', name: 'Billing', costCentre: 'c9' },
]
const costCentres = 'id,country\nc1,DE\nc9,FR\n'

/** Three tables, and a policy that goes from one to the next. */
function withTables(files: Files, more: { lookups?: object; attributes?: object; contract?: object; issue?: object } = {}): Files {
  const lookups = {
    person: { dataStore: 'people', where: { mail: '{subject.email}' }, attributes: ['number', 'department', 'groups'] },
    department: { dataStore: 'departments', where: { id: '{lookup.person.department}' }, attributes: ['name', 'costCentre'] },
    centre: { dataStore: 'centres', where: { id: '{lookup.department.costCentre}' }, attributes: ['country'] },
    ...more.lookups,
  }
  const attributes = {
    subject: 'lookup.person.number',
    email: 'subject.email',
    groups: "['in-' + lookup.centre.country]",
    ...more.attributes,
  }
  const policy = files['policies/processor-policies/people.json'] as { processors: object[]; issues: object[] }
  const [first, ...others] = policy.processors
  const [api, ...further] = policy.issues
  return patched(files, {
    'people.csv': people,
    'tables/departments.json': departments,
    'centres.csv': costCentres,
    'policies/data-stores/people.json': {
      type: 'table',
      file: 'people.csv',
      keys: ['mail', 'number'],
      attributes: {
        mail: text,
        number: text,
        department: optional,
        groups: { type: ['array', 'null'], items: text },
        level: { type: 'integer' },
      },
    },
    'policies/data-stores/departments.json': {
      type: 'table',
      file: 'tables/departments.json',
      keys: ['id'],
      attributes: { id: text, name: text, costCentre: text },
    },
    'policies/data-stores/centres.json': { type: 'table', file: 'centres.csv', keys: ['id'], attributes: { id: text, country: text } },
    'policies/processor-policies/people.json': {
      contract: more.contract ?? {},
      processors: [{ ...first, lookups, attributes }, ...others],
      issues: [{ ...api, ...more.issue }, ...further],
    },
  })
}

describe('lookups', () => {
  const world = serverFor(files => withTables(files))

  it('are chained: each goes on with what the one before has found', async () => {
    const { claims } = await world.issued({ subject_token: await world.person({ email: 'alice@example.com' }) })
    expect(claims).to.include({ sub: '0042', email: 'alice@example.com' })
    expect(claims.groups).to.deep.equal(['in-DE'])
  })

  it('are named in the record, with what came of them and without any value', async () => {
    const { record } = await world.issued({ subject_token: await world.person({ email: 'alice@example.com' }) })
    const made = record.lookups as Array<Record<string, unknown>>
    expect(made.map(({ ms, ...rest }) => rest)).to.deep.equal([
      { name: 'person', store: 'people', outcome: 'found' },
      { name: 'department', store: 'departments', outcome: 'found' },
      { name: 'centre', store: 'centres', outcome: 'found' },
    ])
    for (const { ms } of made) expect(ms).to.be.a('number')
    expect(JSON.stringify(record.lookups)).to.not.match(/alice|0042|d1|DE/)
  })

  it('refuse where nothing is found, by name and setting', async () => {
    const unknown = { subject_token: await world.person({ email: 'nobody@example.com' }) }
    const { description, record } = await world.refused(
      unknown,
      'invalid_request',
      /^lookup-found-nothing: the lookup person found nothing/,
    )
    expect(description).to.not.include('nobody@')
    expect((record.refusal as { setting: string }).setting).to.equal(
      'policies/processor-policies/people.json processors[0].lookups.person.ifMissing',
    )
  })

  it('refuse where several entries are found', async () => {
    const twins = { subject_token: await world.person({ email: 'twin@example.com' }) }
    await world.refused(twins, 'invalid_request', /^lookup-found-several: the lookup person found more than one entry/)
  })

  it('are not made with a value that is absent: an expression that reads it refuses', async () => {
    const bob = { subject_token: await world.person({ email: 'bob@example.com' }) }
    const { record } = await world.refused(bob, 'invalid_request', /expression-failed/)
    expect((record.lookups as object[]).length).to.equal(1)
  })

  it('take the value as it is: nothing in it means anything', async () => {
    for (const email of [
      '*',
      "' or ''='",
      'alice@example.com,0042',
      'ALICE@example.com',
      'alice@example.com ',
      '"alice@example.com"',
      'a\0b@x.example',
    ]) {
      await world.refused({ subject_token: await world.person({ email }) }, 'invalid_request', /lookup-found-nothing|contract-not-met/)
    }
  })
})

describe('a lookup with', () => {
  const alice = 'alice@example.com'

  it('"ifMissing": "empty" leaves its attributes out', () =>
    withServer(
      files =>
        withTables(files, {
          lookups: {
            department: {
              dataStore: 'departments',
              where: { id: '{has(lookup.person.department) ? lookup.person.department : null}' },
              attributes: ['name'],
              ifMissing: 'empty',
            },
            centre: undefined,
          },
          attributes: { groups: "has(lookup.department.name) ? [lookup.department.name] : ['none']" },
        }),
      async world => {
        const bob = await world.issued({ subject_token: await world.person({ email: 'bob@example.com' }) })
        expect(bob.claims.groups).to.deep.equal(['none'])
        expect((bob.record.lookups as Array<{ outcome: string }>).map(({ outcome }) => outcome)).to.deep.equal(['found', 'missing'])
        const { claims } = await world.issued({ subject_token: await world.person({ email: alice }) })
        expect(claims.groups).to.deep.equal(['Orders'])
      },
    ))

  it('"many": "list" is a list, in the order of the store', () =>
    withServer(
      files =>
        withTables(files, {
          lookups: {
            person: { dataStore: 'people', where: { mail: '{subject.email}' }, attributes: ['number'], many: 'list' },
            department: undefined,
            centre: undefined,
          },
          attributes: { subject: 'lookup.person[0].number', groups: 'lookup.person.map(p, p.number)' },
        }),
      async world => {
        const { claims } = await world.issued({ subject_token: await world.person({ email: 'twin@example.com' }) })
        expect(claims.groups).to.deep.equal(['0044', '0045'])
      },
    ))

  it('"many": "first" takes the first', () =>
    withServer(
      files =>
        withTables(files, {
          lookups: {
            person: { dataStore: 'people', where: { mail: '{subject.email}' }, attributes: ['number'], many: 'first' },
            department: undefined,
            centre: undefined,
          },
          attributes: { groups: '[]' },
        }),
      async world => {
        const { claims } = await world.issued({ subject_token: await world.person({ email: 'twin@example.com' }) })
        expect(claims.sub).to.equal('0044')
      },
    ))

  it('a cache is not asked again until its time is over, which the record tells', () =>
    withServer(
      files =>
        withTables(files, {
          lookups: {
            person: { dataStore: 'people', where: { mail: '{subject.email}' }, attributes: ['number'], cache: { ttl: '1m' } },
            department: undefined,
            centre: undefined,
          },
          attributes: { groups: '[]' },
        }),
      async world => {
        const cached = async () => {
          const { record } = await world.issued({ subject_token: await world.person({ email: alice }) })
          return (record.lookups as Array<{ cached?: boolean }>).map(lookup => lookup.cached === true)
        }
        expect(await cached()).to.deep.equal([false])
        expect(await cached()).to.deep.equal([true])
        world.server.advance(61)
        expect(await cached()).to.deep.equal([false])
      },
    ))
})

describe('lookups of a target', () => {
  const issue = {
    lookups: { more: { dataStore: 'people', where: { number: '{policy.subject}', level: '{3}' }, attributes: ['groups', 'level'] } },
    attributes: { sub: 'policy.subject', email: 'policy.email', groups: 'has(lookup.more.groups) ? lookup.more.groups : []' },
    criteria: [{ require: 'lookup.more.level > 2.0', otherwise: 'only high levels' }],
  }
  const world = serverFor(files => withTables(files, { issue }))

  it('read what the policy has cleared, and their own only', async () => {
    const { claims, record } = await world.issued({ subject_token: await world.person({ email: 'alice@example.com' }) })
    expect(claims.groups).to.deep.equal(['app-orders', 'staff'])
    expect((record.lookups as Array<{ name: string }>).map(({ name }) => name)).to.deep.equal(['person', 'department', 'centre', 'more'])
  })

  it('are not made for another target', async () => {
    const parameters = { subject_token: await world.person({ email: 'alice@example.com' }), audience: 'billing' }
    const { record } = await world.issued(parameters)
    expect((record.lookups as object[]).length).to.equal(3)
  })

  it('are not made where the request is refused before', async () => {
    const subject_token = await world.person({ email: 'alice@example.com' })
    const scope = await world.refused({ subject_token, scope: 'admin' }, 'invalid_scope', /scope/)
    expect((scope.record.lookups as object[]).length).to.equal(3)
    const expired = await world.person({ email: 'alice@example.com', exp: Math.floor(world.server.now()) - 3_600 })
    const { record } = await world.refused({ subject_token: expired }, 'invalid_request', /expired/)
    expect(record).to.not.have.property('lookups')
    const other = await world.refused({ subject_token, subject_token_type: types.saml2 }, 'invalid_request', /no-mapping/)
    expect(other.record).to.not.have.property('lookups')
  })
})

import { expect } from 'chai'
import { load, problemsOf, replaced, type Texts, warningsOf, wholeConfiguration } from './configuration.ts'

const managers = 'policies/access-token-managers'
const processors = 'policies/token-processors'

describe('extends', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })
  const withManagers = (files: Record<string, object>): Texts => ({
    ...whole,
    ...Object.fromEntries(Object.entries(files).map(([id, file]) => [`${managers}/${id}.json`, JSON.stringify(file, null, 2)])),
  })
  const changed = (file: string, found: string, written: string) => replaced(whole[file] ?? '', found, written)

  it('takes what a file does not say from the one that it extends', async () => {
    const { server } = await load(withManagers({ child: { extends: 'billing', lifetime: '1m', audiences: ['child'] } }))
    const [parent, child] = ['billing', 'child'].map(id => server.accessTokenManagers.get(id))
    expect(child).to.include({ id: 'child', type: 'reference', lifetime: 60, outlivesSubject: false })
    expect(child?.scopes).to.deep.equal(parent?.scopes)
    expect(child?.clients).to.deep.equal(parent?.clients)
    expect(child?.contract.attributes).to.deep.equal(parent?.contract.attributes)
    expect(child?.audienceFor([])).to.deep.equal(['billing'])
  })

  it('gives nobody the resources and audiences of another file', async () => {
    const { server } = await load(withManagers({ child: { extends: 'api' } }))
    expect(server.accessTokenManagers.get('child')).to.deep.include({ resources: [], audiences: [] })
    expect(server.targets.ofAudience('api')?.id).to.equal('api')
  })

  it('replaces a member as a whole', async () => {
    const { server } = await load(withManagers({ child: { extends: 'billing', contract: { sub: { type: 'string' } } } }))
    expect(Object.keys(server.accessTokenManagers.get('child')?.contract.attributes ?? {})).to.deep.equal(['sub'])
  })

  it('goes on from file to file, and the nearest is heard', async () => {
    const { server } = await load(
      withManagers({ child: { extends: 'billing', lifetime: '1m' }, grandchild: { type: 'reference', extends: 'child', scopes: [] } }),
    )
    expect(server.accessTokenManagers.get('grandchild')).to.include({ lifetime: 60, type: 'reference' })
    expect(server.accessTokenManagers.get('grandchild')?.scopes).to.deep.equal(new Set())
  })

  it('works for token processors', async () => {
    const { server } = await load({ ...whole, [`${processors}/others.json`]: '{ "extends": "agents", "once": true }' })
    expect(server.clients.size).to.equal(3)
    const lines = await problemsOf({ ...whole, [`${processors}/others.json`]: '{ "extends": "agents", "maxAge": "never" }' })
    expect(lines).to.deep.equal([`${processors}/others.json:1:24 maxAge: expected a duration such as "30s", "5m" or "1h"`])
  })

  const mistakes: Array<[what: string, files: Record<string, object>, lines: string[]]> = [
    [
      'a file that is not there',
      { child: { extends: 'biling' } },
      [`${managers}/child.json:2:3 extends: there is no ${managers}/biling.json; did you mean "billing"?`],
    ],
    [
      'a file of another folder',
      { child: { extends: 'people' } },
      [`${managers}/child.json:2:3 extends: there is no ${managers}/people.json`],
    ],
    [
      'a file of another type',
      { child: { type: 'jwt', extends: 'billing', signingKey: 'api' } },
      [`${managers}/child.json:3:3 extends: "billing" is of type "reference", and this file of type "jwt"`],
    ],
    [
      'a file of another type, over one that says none',
      { child: { extends: 'billing' }, grandchild: { type: 'jwt', extends: 'child', signingKey: 'api' } },
      [`${managers}/grandchild.json:3:3 extends: "billing" is of type "reference", and this file of type "jwt"`],
    ],
    [
      'the file itself',
      { child: { extends: 'child' } },
      [`${managers}/child.json:2:3 extends: "child" extends "child": a file cannot extend itself`],
    ],
    [
      'each other, with one that looks on',
      { child: { extends: 'other' }, other: { extends: 'child' }, third: { extends: 'other' } },
      [
        `${managers}/child.json:2:3 extends: "child" extends "other" extends "child": a file cannot extend itself`,
        `${managers}/other.json:2:3 extends: "other" extends "child" extends "other": a file cannot extend itself`,
      ],
    ],
    [
      'a file with a mistake, which is reported there only',
      { bad: { type: 'reference', lifetime: '5', audience: ['x'], contract: { sub: { type: 'string' } } }, child: { extends: 'bad' } },
      [`${managers}/bad.json:3:3 lifetime: expected a duration such as "30s", "5m" or "1h"`],
    ],
    [
      'a file with a mistake of meaning',
      { bad: { type: 'reference', lifetime: '5m', audience: ['x'], contract: {}, scopes: ['none'] }, child: { extends: 'bad' } },
      [
        `${managers}/bad.json:7:3 contract: the contract needs the attribute "sub" with "type": "string"`,
        `${managers}/bad.json:9:5 scopes[0]: server.json lists no scope "none"`,
      ],
    ],
    [
      'a file with a dangling reference',
      {
        bad: { type: 'reference', lifetime: '5m', audience: ['x'], clients: ['nobody'], contract: { sub: { type: 'string' } } },
        child: { extends: 'bad' },
      },
      [`${managers}/bad.json:8:5 clients[0]: there is no clients/nobody.json`],
    ],
    [
      'a file that does not suit this one',
      {
        good: {
          type: 'reference',
          lifetime: '5m',
          audience: 'requested',
          resources: ['https://good.example/x'],
          contract: { sub: { type: 'string' } },
        },
        child: { description: 'without resources of its own', extends: 'good' },
      },
      [
        `${managers}/child.json:3:3 extends: with what is inherited from "good": audience: "requested" needs "resources": without any, a token would have no audience`,
      ],
    ],
    [
      'a file, with a mistake of its own',
      { child: { extends: 'billing', lenght: 20 } },
      [`${managers}/child.json:3:3 lenght: unknown member "lenght"; did you mean "length"?`],
    ],
  ]
  for (const [what, files, lines] of mistakes) {
    it(`of ${what}`, async () => expect(await problemsOf(withManagers(files))).to.deep.equal(lines))
  }

  it('of a file that cannot be read says nothing more', async () => {
    const files = { ...withManagers({ child: { extends: 'bad' } }), [`${managers}/bad.json`]: '{ "type": "jwt" ' }
    expect(await problemsOf(files)).to.deep.equal([`${managers}/bad.json:1:17 a closing brace is missing`])
  })

  it('reports a missing secret once', async () => {
    const files = {
      ...whole,
      [`${processors}/partner.json`]: changed(`${processors}/partner.json`, 'secrets/partner', 'secrets/none'),
      [`${processors}/others.json`]: '{ "extends": "partner", "cache": "5m" }',
    }
    expect(await problemsOf(files)).to.deep.equal([
      `${processors}/partner.json:6:3 clientSecret: there is no file secrets/none in the configuration folder`,
    ])
  })

  it('warns once of what is inherited', async () => {
    const dangerous = withManagers({ child: { extends: 'billing' } })
    const file = `${managers}/billing.json`
    const warnings = await warningsOf({ ...dangerous, [file]: replaced(whole[file] ?? '', '"length": 32', '"outlivesSubject": true') })
    expect(warnings).to.deep.equal([
      `${file}:4:3 outlivesSubject: its tokens stay valid after the subject token has ended [outlives-subject]`,
    ])
  })

  it('is unknown where a file has one schema only', async () => {
    for (const file of ['clients/basic.json', 'keys/api.json', 'policies/processor-policies/people.json']) {
      const lines = await problemsOf({ ...whole, [file]: (whole[file] ?? '').replace('{', '{ "extends": "x",') })
      expect(lines).to.deep.equal([`${file}:1:3 extends: unknown member "extends"`])
    }
  })
})

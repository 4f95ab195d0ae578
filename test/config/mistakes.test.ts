import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { JsonText } from '../../src/config/json-text.ts'
import { problemsOf, replaced, wholeConfiguration } from './configuration.ts'
import { readMistakes } from './read-mistakes.ts'

const folder = new URL('mistakes/', import.meta.url)

describe('mistakes', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })
  const textOf = (file: string) => whole[file] ?? ''
  const changed = (file: string, found: string, written: string) => ({ ...whole, [file]: replaced(textOf(file), found, written) })

  it('are none where there are none', async () => expect(await problemsOf(whole)).to.deep.equal([]))

  for (const table of readdirSync(folder)) {
    describe(`in ${table.replace('.txt', '')}`, () => {
      for (const { file, removed, written, lines } of readMistakes(new URL(table, folder))) {
        it(`${file}: ${(written || `without ${removed}`).trim()}`, async () => {
          const files = removed === '' ? { ...whole, [file]: written } : changed(file, removed, written)
          expect(await problemsOf(files)).to.deep.equal(lines)
        })
      }
    })
  }

  describe('that cannot be seen', () => {
    const server = '{ "issuer": "https://sts.example.com", "description": "x" }'
    const cases: Array<[string, string | Buffer, string]> = [
      ['nothing', '', 'server.json:1:1 the file is empty'],
      ['blanks', ' \n ', 'server.json:1:1 the file is empty'],
      ['a byte order mark', `\ufeff${server}`, 'server.json:1:1 the file starts with a byte order mark; save it as UTF-8 without one'],
      [
        'a tab in a text',
        server.replace('"x"', '"a\tb"'),
        'server.json:1:57 a tab or another control character cannot stand in a text; write "\\t"',
      ],
      ['latin-1', Buffer.from(server.replace('"x"', '"Zürich"'), 'latin1'), 'server.json:1:1 the file is not UTF-8'],
      ['UTF-16', Buffer.from(`\ufeff${server}`, 'utf16le'), 'server.json:1:1 the file is not UTF-8'],
      [
        'a name that is an escape of another one',
        server.replace('"description"', '"\\u0069ssuer"'),
        'server.json:1:40 issuer: stands here a second time; first on line 1',
      ],
      [
        'a name that is an escape of __proto__',
        server.replace('"description"', '"__\\u0070roto__"'),
        'server.json:1:40 __proto__: no member can have this name',
      ],
    ]
    for (const [what, text, line] of cases) {
      it(what, async () => expect(await problemsOf({ ...whole, 'server.json': text })).to.deep.equal([line]))
    }
  })

  describe('in several files', () => {
    const policy = 'policies/processor-policies/people.json'

    it('are all reported at once, in the order of files and lines', async () => {
      const files = {
        ...whole,
        ...changed('server.json', '"port": 3000', '"prot": 3000'),
        'clients/basic.json': replaced(textOf('clients/basic.json'), '"introspection"', '"introspektion"'),
        'clients/post.json': '{ "authentication": ',
        'keys/api.json': replaced(textOf('keys/api.json'), '"active"', '"aktive"'),
        'keys/mail.json': replaced(textOf('keys/mail.json'), 'secrets/mail.pem', 'secrets/nonsense'),
        'policies/access-token-managers/billing.json': replaced(
          textOf('policies/access-token-managers/billing.json'),
          '"5m"',
          '"5 minutes"',
        ),
        [policy]: replaced(
          replaced(textOf(policy), "subject.groups.filter(g, g.startsWith('app-'))", 'subject.gruops'),
          '"size(policy.groups) >= 0"',
          '"size(policy.groups)"',
        ),
        'policies/token-processors/own.json': replaced(textOf('policies/token-processors/own.json'), '"billing"', '"biling"'),
      }
      expect(await problemsOf(files)).to.deep.equal([
        'clients/basic.json:9:3 introspektion: unknown member "introspektion"; did you mean "introspection"?',
        'clients/post.json:1:21 a value is expected here (is there a comma too many?)',
        'keys/api.json:3:3 status: expected one of "next", "active", "retired", found "aktive"; did you mean "active"?',
        'keys/mail.json:4:3 privateKey: is not a private key as PEM (-----BEGIN PRIVATE KEY-----)',
        'policies/access-token-managers/billing.json:3:3 lifetime: expected a duration such as "30s", "5m" or "1h"',
        `${policy}:15:28 processors[0].attributes.groups: subject has no "gruops"; did you mean "groups"?`,
        `${policy}:39:34 issues[0].criteria[0].require: this gives a whole number (int), but a boolean is needed`,
        'policies/token-processors/own.json:3:34 accessTokenManagers[1]: there is no policies/access-token-managers/biling.json; did you mean "billing"?',
        'server.json:3:36 listen.prot: unknown member "prot"; did you mean "port"?',
      ])
    })

    // One mistake that makes a file unusable, one in a file that names it: both are found, and nothing else is.
    const unusable: Array<[file: string, found: string, written: string, line: string]> = [
      ['server.json', '"port": 3000', '"port": "3000"', 'server.json:3:36 listen.port: expected a number, found a string'],
      [
        'keys/api.json',
        'secrets/api.pem',
        'secrets/none.pem',
        'keys/api.json:4:3 privateKey: there is no file secrets/none.pem in the configuration folder',
      ],
      [
        'policies/access-token-managers/api.json',
        '"10m"',
        '"10"',
        'policies/access-token-managers/api.json:3:3 lifetime: expected a duration such as "30s", "5m" or "1h"',
      ],
      [
        'policies/token-processors/people.json',
        '"30s"',
        '"half a minute"',
        'policies/token-processors/people.json:8:3 clockSkew: expected a duration such as "30s", "5m" or "1h"',
      ],
      [
        'policies/token-processors/own.json',
        '"requiredScopes"',
        '"scopes"',
        'policies/token-processors/own.json:4:3 scopes: unknown member "scopes"',
      ],
    ]
    for (const [file, found, written, line] of unusable) {
      it(`neither hide nor make others when ${file} cannot be used`, async () => {
        const dependent = replaced(
          textOf(policy),
          `"sub": "policy.subject", "email": "policy.email" },`,
          `"sub": "policy.subjct", "email": "policy.email" },`,
        )
        const lines = await problemsOf({ ...changed(file, found, written), [policy]: dependent })
        expect(lines).to.include(line)
        expect(lines).to.include(`${policy}:38:38 issues[0].attributes.sub: policy has no "subjct"; did you mean "subject"?`)
        expect(lines.filter(each => !each.startsWith(`${file}:`))).to.have.length(1)
      })
    }

    it('of a contract are not asked to be fulfilled', async () => {
      const lines = await problemsOf(
        changed('policies/access-token-managers/api.json', '"sub": {', '"scope": { "type": "string" },\n    "sub": {'),
      )
      expect(lines).to.deep.equal([
        'policies/access-token-managers/api.json:9:5 contract.scope: the claim "scope" is decided by the exchange and cannot be mapped',
      ])
    })

    it('of expressions are found without the contract', async () => {
      const files = changed(policy, '"email": { "type": "string", "format": "email" }', '"email": { "type": "text" }')
      const lines = await problemsOf({
        ...files,
        [policy]: replaced(files[policy] ?? '', "subject.groups.filter(g, g.startsWith('app-'))", 'subject.gruops'),
      })
      expect(lines).to.deep.equal([
        `${policy}:5:16 contract.email.type: there is no type "text"; expected one of "string", "number", "integer", "boolean", "array", "object", "null"`,
        `${policy}:15:28 processors[0].attributes.groups: subject has no "gruops"; did you mean "groups"?`,
      ])
    })

    it('make a clash that is reported at each', async () => {
      const files = {
        ...changed('policies/access-token-managers/api.json', '"audiences": ["api"]', '"audiences": ["api", "billing", "mail"]'),
        'policies/access-token-managers/third.json': replaced(
          textOf('policies/access-token-managers/billing.json'),
          '"audiences": ["billing"]',
          '"resources": ["https://api.example.com/v1/"], "audiences": ["x", "billing"]',
        ),
      }
      const clash = 'leads to one target only, and policies/access-token-managers'
      expect(await problemsOf(files)).to.deep.equal([
        `policies/access-token-managers/api.json:6:17 resources[0]: "https://api.example.com/v1/" ${clash}/third.json has it too`,
        `policies/access-token-managers/api.json:7:24 audiences[1]: "billing" ${clash}/billing.json and policies/access-token-managers/third.json have it too`,
        `policies/access-token-managers/billing.json:6:17 audiences[0]: "billing" ${clash}/api.json and policies/access-token-managers/third.json have it too`,
        `policies/access-token-managers/third.json:6:17 resources[0]: "https://api.example.com/v1/" ${clash}/api.json has it too`,
        `policies/access-token-managers/third.json:6:68 audiences[1]: "billing" ${clash}/api.json and policies/access-token-managers/billing.json have it too`,
      ])
    })

    it('are not made by a resource below another one', async () => {
      const third = replaced(
        textOf('policies/access-token-managers/billing.json'),
        '"audiences": ["billing"]',
        '"resources": ["https://api.example.com/v1/more/"]',
      )
      expect(await problemsOf({ ...whole, 'policies/access-token-managers/third.json': third })).to.deep.equal([])
    })
  })
})

describe('the JSON of a file', () => {
  it('is taken when JSON.parse takes it, unless a member stands there twice or is called __proto__', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        const { value, mistakes } = new JsonText(text)
        const suspicious = text.includes('__proto__')
        return suspicious || (mistakes.length === 0 && JSON.stringify(value) === JSON.stringify(JSON.parse(text)))
      }),
    )
  })

  it('has exactly one mistake when JSON.parse refuses it, at a place within the text', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.string())
      .map(([text, at, inserted]) => text.slice(0, at % (text.length + 1)) + inserted + text.slice((at % (text.length + 1)) + 1))
    fc.assert(
      fc.property(broken, text => {
        try {
          JSON.parse(text)
          return true
        } catch {
          const { mistakes, value } = new JsonText(text)
          const { line = 0, column = 0 } = mistakes[0]?.position ?? {}
          const lines = text.split('\n')
          return (
            value === undefined &&
            mistakes.length === 1 &&
            line >= 1 &&
            line <= lines.length &&
            column <= (lines[line - 1] ?? '').length + 1
          )
        }
      }),
      { numRuns: 500 },
    )
  })
})

import { createPrivateKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { editorSchemas } from '../../src/config/editor-schemas.ts'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError, describe as describeProblem } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { ExpressionCompiler } from '../../src/expressions/compile.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/json.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { selfSignedCertificate } from '../../src/keys/self-signed-certificate.ts'
import { loadTests } from '../../src/policy-tests/load-tests.ts'
import { runTests } from '../../src/policy-tests/run.ts'
import { registeredClaims } from '../../src/processors/claims.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { replaced, writeFolder } from '../config/configuration.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')

/** The files that the page shows, as texts by path. */
const shown: Record<string, string> = Object.fromEntries(
  [...page.matchAll(/^<!-- file: (\S+) -->\n```(?:json|csv)\n(.*?)^```$/gms)].map(([, file = '', text = '']) => [file, text]),
)

/** The files and variables that the shown files name: keys, certificates and secrets. */
async function makeOutsideTexts(): Promise<{ files: Record<string, string>; environment: Record<string, string> }> {
  const files: Record<string, string> = {}
  const environment: Record<string, string> = {}
  for (const [path, text] of Object.entries(shown)) {
    if (!path.endsWith('.json')) continue
    const value = JSON.parse(text) as JsonObject
    const isKey = value.privateKey !== undefined
    const pem = (await generateKey(isKey ? (value.algorithm as 'ES256') : 'RS256')).privateKeyPem
    for (const { env, file } of objectsIn(value)) {
      const secret = isKey ? pem : randomBytes(32).toString('hex')
      if (typeof file === 'string' && shown[file] === undefined) files[file] = file.endsWith('.crt.pem') ? certificateOf(pem) : secret
      if (typeof env === 'string') environment[env] = secret
    }
  }
  return { files, environment }
}

// Made once: a dozen RSA keys take their time.
const outsideTexts = makeOutsideTexts()

function certificateOf(pem: string): string {
  return selfSignedCertificate(createPrivateKey(pem), { commonName: 'example', notBefore: new Date(), days: 365 })
}

function objectsIn(value: JsonValue | undefined): JsonObject[] {
  if (typeof value !== 'object' || value === null) return []
  return [...(isJsonObject(value) ? [value] : []), ...Object.values(value).flatMap(part => objectsIn(part as JsonValue))]
}

async function load(change: (files: Record<string, string>) => Record<string, string> = files => files) {
  const { files, environment } = await outsideTexts
  const { folder, remove } = writeFolder(change({ ...shown, ...files }))
  const now = () => Date.now() / 1000
  const outside = {
    fetch: guardedFetch(),
    effects: undefined,
    now,
    store: memoryStore(now),
    log: pino({ level: 'silent' }),
    random: randomBytes,
  }
  try {
    const { server, warnings } = await buildConfiguration(await parseConfiguration(await readSources(folder), folder, environment), outside)
    const tests = await loadTests(folder, await readSources(folder))
    const played = await runTests(tests.files, server, setting => setting)
    return { server, played, lines: [...warnings, ...tests.problems].map(describeProblem) }
  } catch (error) {
    if (error instanceof ConfigError) return { server: undefined, lines: error.problems.map(describeProblem) }
    throw error
  } finally {
    remove()
  }
}

/** Members that the page explains in words, or that are everywhere. */
const elsewhere = new Set([
  '$schema',
  'store',
  'authentication',
  'description',
  'extends',
  'env',
  'file',
  'name',
  'nodes',
  'keys',
  'require',
  'otherwise',
])

describe('docs/configuration.md', function () {
  // A dozen RSA keys are made.
  this.timeout(120_000)
  it('shows one configuration without problems and warnings', async () => {
    const { server, lines } = await load()
    expect(lines).to.deep.equal([])
    expect([...(server?.clients.keys() ?? [])].sort()).to.deep.equal(['builds', 'gateway', 'orders'])
    expect(server?.accessTokenManagers.get('reports')?.audienceFor(['https://api.example.com/reports/1'])).to.deep.equal([
      'https://api.example.com/reports/1',
    ])
  })

  it('shows what is said of a mistake in it', async () => {
    const policy = 'policies/processor-policies/partner.json'
    const { lines } = await load(files => ({
      ...files,
      [policy]: replaced(files[policy] ?? '', '        "email": "subject.email",', '        "email": "subject.emial",'),
    }))
    expect(lines).to.have.length(1)
    expect(page).to.include(`\n${lines[0]}\n`)
  })

  it('shows policy tests that come out as expected', async () => {
    const { played = [] } = await load()
    const cases = played.flatMap(file => file.cases)
    expect(cases.map(({ differences }) => differences)).to.deep.equal([[], []])
  })

  describe('says what expressions give:', () => {
    const subject: JsonObject = {
      type: 'object',
      required: ['iss', 'sub', 'email', 'groups'],
      properties: {
        ...registeredClaims,
        email: { type: 'string' },
        groups: { type: 'array', items: { type: 'string' } },
        level: { type: 'integer' },
        nickname: { type: 'string' },
      },
    }
    const claims = {
      iss: 'https://login.acme.example',
      sub: 'alice',
      email: 'alice@acme.example',
      groups: ['app-orders', 'staff'],
      level: 3,
    }
    const table = page.slice(page.indexOf('| expression | gives |'), page.indexOf('\n\n', page.indexOf('| expression | gives |')))
    for (const [, source = '', result = ''] of table.matchAll(/^\| `(.+)` \| `(.+)` \|$/gm)) {
      it(source, () => {
        const { expression, unguarded } = new ExpressionCompiler().compile(source, 'here', { subject }, {})
        expect(expression.evaluate({ subject: claims })).to.deep.equal(JSON.parse(result))
        expect(unguarded).to.deep.equal([])
      })
    }
  })

  describe('has a row', () => {
    const rows = [...page.matchAll(/^\| (`.+?) \| (.*?) \| .*\|$/gm)].map(([, names = '', value = '']) => ({ names, value }))
    const explained = (member: string) => rows.filter(({ names }) => new RegExp(`[\`.]${member}\``).test(names))
    for (const [schema, member, fallback] of membersOf(editorSchemas())) {
      it(`for ${member} of ${schema}${fallback === undefined ? '' : `, with its default ${fallback}`}`, () => {
        const values = explained(member).map(({ value }) => value)
        expect(values).not.to.deep.equal([])
        if (fallback !== undefined)
          expect(
            values.some(value => value.includes(`\`${fallback}\``)),
            `${member}: ${values}`,
          ).to.equal(true)
      })
    }
  })
})

/** Every member of every kind of file, with its default where that is no list and no object. */
function membersOf(schemas: Record<string, JsonObject>): Array<[schema: string, member: string, fallback: string | undefined]> {
  const found = new Map<string, [string, string, string | undefined]>()
  for (const [name, schema] of Object.entries(schemas)) {
    for (const part of objectsIn(schema).filter(({ type, properties }) => type === 'object' && isJsonObject(properties))) {
      for (const [member, description] of Object.entries(part.properties as JsonObject)) {
        const isGroup = isJsonObject(description) && description.type === 'object' && isJsonObject(description.properties)
        if (elsewhere.has(member) || (isGroup && member !== 'contract')) continue
        const fallback = isJsonObject(description) ? description.default : undefined
        found.set(`${name} ${member}`, [
          name,
          member,
          fallback === undefined || typeof fallback === 'object' ? undefined : JSON.stringify(fallback),
        ])
      }
    }
  }
  return [...found.values()]
}

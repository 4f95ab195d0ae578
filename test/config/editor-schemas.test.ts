import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect } from 'chai'
import { editorSchemas } from '../../src/config/editor-schemas.ts'
import { type FolderKind, folders, testsFolder } from '../../src/config/folders.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/json.ts'
import { wholeConfiguration } from './configuration.ts'

const repository = join(import.meta.dirname, '../..')
const schemas = editorSchemas()
const names: Record<FolderKind | 'tests', string> = {
  tests: 'policy-test.schema.json',
  keys: 'key.schema.json',
  'data-stores': 'data-store.schema.json',
  'access-token-managers': 'access-token-manager.schema.json',
  'token-generators': 'token-generator.schema.json',
  'generator-groups': 'generator-group.schema.json',
  'token-processors': 'token-processor.schema.json',
  'processor-policies': 'processor-policy.schema.json',
  'idp-connections': 'idp-connection.schema.json',
  clients: 'client.schema.json',
}

function schemaOf(file: string): string {
  if (file === 'server.json') return 'server.schema.json'
  const everyFolder = { ...folders, tests: testsFolder }
  const kind = (Object.keys(everyFolder) as Array<keyof typeof everyFolder>).find(each => everyFolder[each] === dirname(file))
  if (kind === undefined) throw new Error(`${file} is no file of a configuration`)
  return names[kind]
}

const ajv = formats.default(new Ajv2020({ strictTypes: false, strictRequired: false }) as never) as unknown as Ajv2020
const validators = new Map<string, ValidateFunction>(Object.entries(schemas).map(([name, schema]) => [name, ajv.compile(schema)]))

function mistakes(file: string, value: JsonValue): unknown[] {
  const validate = validators.get(schemaOf(file))
  return validate?.(value) === true ? [] : (validate?.errors ?? [`${file} has no schema`])
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending))
    .map(name => join(folder, name))
}

describe('the schemas for editors', () => {
  it('are those that the code writes', () => {
    const written = Object.fromEntries(
      readdirSync(join(repository, 'schemas')).map(name => [name, readFileSync(join(repository, 'schemas', name), 'utf8')]),
    )
    const wanted = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, `${JSON.stringify(schema, null, 2)}\n`]))
    expect(written, 'run "npm run schemas"').to.deep.equal(wanted)
  })

  describe('find nothing wrong with', () => {
    const sample = ['server.json', ...['policies', 'clients', 'keys'].flatMap(folder => filesBelow(folder, '.json'))]
    for (const file of sample) {
      it(`the sample's ${file}, which names its schema`, () => {
        const value = JSON.parse(readFileSync(join(repository, file), 'utf8')) as JsonObject
        expect(mistakes(file, value)).to.deep.equal([])
        expect(normalize(join(dirname(file), String(value.$schema)))).to.equal(`schemas/${schemaOf(file)}`)
      })
    }

    it('a configuration with every kind of file in it', async () => {
      const whole = Object.entries(await wholeConfiguration()).filter(([file]) => file.endsWith('.json'))
      for (const [file, text] of whole) expect(mistakes(file, JSON.parse(text)), file).to.deep.equal([])
    })

    it('the files that the documentation shows', () => {
      // Types of plug-ins are in the schemas of those who have them only.
      const pages = filesBelow('docs', '.md').filter(page => !page.endsWith('/plug-ins.md'))
      const shown = pages.flatMap(page => [
        ...readFileSync(join(repository, page), 'utf8').matchAll(/^<!-- (?:file|alternative): (\S+\.json) -->\n```json\n(.*?)^```$/gms),
      ])
      expect(shown.length).to.be.greaterThan(10)
      // What stands elsewhere is data that the configuration names, such as a table.
      const files = shown.filter(([, file = '']) => /^(server\.json|policies\/.*|clients\/.*|keys\/.*)$/.test(file))
      for (const [, file = '', text = ''] of files) expect(mistakes(file, JSON.parse(text)), `${file}: ${text}`).to.deep.equal([])
    })

    const others: Array<[file: string, value: JsonObject]> = [
      ['policies/token-processors/a.json', { extends: 'other', once: true }],
      ['policies/token-processors/a.json', { type: 'jwt', extends: 'other', algorithms: ['ES256'] }],
      ['policies/access-token-managers/a.json', { extends: 'other', lifetime: '5m', description: 'shorter' }],
      ['server.json', { issuer: 'https://sts.example.com' }],
      ['keys/a.json', { algorithm: 'ES256', status: 'active', privateKey: { env: 'KEY' } }],
    ]
    for (const [file, value] of others) it(JSON.stringify(value), () => expect(mistakes(file, value)).to.deep.equal([]))
  })

  describe('complain of', () => {
    const key = { algorithm: 'ES256', status: 'active', privateKey: { file: 'a' } }
    const manager = { type: 'reference', lifetime: '5m', audience: ['a'], contract: { sub: { type: 'string' } } }
    const processor = { type: 'jwt', issuers: [{ issuer: 'https://a.example', discovery: true }] }
    const mapping = { subjectTokenType: 'urn:a:b', subjectTokenProcessor: 'a', attributes: {} }
    const policy = {
      actorToken: 'refused',
      contract: { subject: {} },
      processors: [mapping],
      issues: [{ accessTokenManager: 'a', attributes: {} }],
    }
    const cases: Array<[what: string, file: string, value: JsonObject]> = [
      ['a missing member', 'server.json', {}],
      ['an unknown member', 'server.json', { issuer: 'https://a.example', workes: 2 }],
      ['an unknown member further in', 'server.json', { issuer: 'https://a.example', listen: { prot: 1 } }],
      ['a number that is too large', 'server.json', { issuer: 'https://a.example', listen: { port: 70_000 } }],
      ['a name that no scope has', 'server.json', { issuer: 'https://a.example', scopes: { 'a b': 'x' } }],
      ['a value that is none of the choices', 'keys/a.json', { ...key, status: 'aktive' }],
      ['a literal key', 'keys/a.json', { ...key, privateKey: '-----BEGIN PRIVATE KEY-----' }],
      ['two places of one key', 'keys/a.json', { ...key, privateKey: { file: 'a', env: 'b' } }],
      ['a bad duration', 'policies/access-token-managers/a.json', { ...manager, lifetime: '5 minutes' }],
      ['a duration that is a number', 'policies/access-token-managers/a.json', { ...manager, lifetime: 300 }],
      ['a bad duration beside extends', 'policies/access-token-managers/a.json', { extends: 'b', lifetime: 300 }],
      ['a member of another type', 'policies/access-token-managers/a.json', { ...manager, signingKey: 'api' }],
      ['a contract without sub', 'policies/access-token-managers/a.json', { ...manager, contract: {} }],
      [
        'an attribute that is no JSON Schema',
        'policies/access-token-managers/a.json',
        { ...manager, contract: { sub: { type: 'sting' } } },
      ],
      ['a type that is not there', 'policies/token-processors/a.json', { ...processor, type: 'saml' }],
      ['a reference that is no string', 'policies/token-processors/a.json', { ...processor, decryptionKeys: [{ file: 'a' }] }],
      ['claims that are no JSON Schema', 'policies/token-processors/a.json', { ...processor, claims: { type: 'objekt' } }],
      ['an unknown preset', 'policies/token-processors/a.json', { ...processor, preset: 'github' }],
      ['half of an actor', 'policies/processor-policies/a.json', { ...policy, processors: [{ ...mapping, actorTokenType: 'urn:a:b' }] }],
      [
        'a token type that is no URI',
        'policies/processor-policies/a.json',
        { ...policy, processors: [{ ...mapping, subjectTokenType: 'jwt' }] },
      ],
      ['a policy without issues', 'policies/processor-policies/a.json', { ...policy, issues: [] }],
      ['an unknown method', 'clients/a.json', { authentication: { method: 'none' } }],
      ['a literal secret', 'clients/a.json', { authentication: { method: 'client_secret_basic', secrets: ['hunter2'] } }],
    ]
    for (const [what, file, value] of cases) it(what, () => expect(mistakes(file, value)).not.to.deep.equal([]))
  })

  it('take nothing that they do not know', () => {
    for (const [name, schema] of Object.entries(schemas)) {
      for (const [path, part] of objectsOf(schema, name)) {
        // Other standards define what stands in a JWK Set and in the JSON Schema of an attribute, which may say how SAML calls it.
        if (!path.endsWith('/jwks/anyOf/0') && !path.endsWith('/contract/additionalProperties'))
          expect(part.additionalProperties, path).to.equal(false)
      }
    }
  })

  it('require nothing that has a default', () => {
    for (const [name, schema] of Object.entries(schemas)) {
      for (const [path, part] of objectsOf(schema, name)) {
        const defaults = Object.entries(part.properties as JsonObject).filter(
          ([, member]) => isJsonObject(member) && member.default !== undefined,
        )
        for (const [member] of defaults) expect(part.required ?? [], path).not.to.include(member)
      }
    }
  })
})

/** Every part of a schema that describes an object by its members. */
function objectsOf(schema: JsonValue | undefined, path: string): Array<[string, JsonObject]> {
  if (typeof schema !== 'object' || schema === null) return []
  const here: Array<[string, JsonObject]> =
    isJsonObject(schema) && schema.type === 'object' && isJsonObject(schema.properties) ? [[path, schema]] : []
  return [...here, ...Object.entries(schema).flatMap(([name, part]) => objectsOf(part as JsonValue, `${path}/${name}`))]
}

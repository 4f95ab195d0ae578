import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { problemsOf, writeFolder } from '../config/configuration.ts'
import { packageFiles, processorCode } from './packages.ts'

const repository = join(import.meta.dirname, '../..')
const processor = 'policies/token-processors/old.json'
const good = processorCode('legacy', 'return good')

/** A configuration that names packages, with a processor of type "legacy". */
function files(plugins: unknown, packages: Record<string, string> = {}, settings: object = {}): Record<string, string> {
  const server = JSON.stringify({ issuer: 'https://sts.example.com', store: { type: 'memory' }, plugins }, undefined, 2)
  return { 'server.json': server, [processor]: JSON.stringify({ type: 'legacy', ...settings }, undefined, 2), ...packages }
}

/** The problems of one package with this code. */
async function problemsWith(code: string, manifest?: object, settings?: object): Promise<string[]> {
  return problemsOf(files(['@acme/old'], packageFiles('@acme/old', code, manifest), settings))
}

const kind = (shape: string, more = '') =>
  `import { pluginKind, tokenProcessorSettings, z } from 'cambist'
   export const apiVersion = 1
   export const tokenProcessors = [pluginKind('legacy', ${shape}, () => ({}))${more}]`

describe('packages of plug-ins', () => {
  it('are loaded before the files are parsed, and settings are checked as those of our own', async () => {
    expect(await problemsWith(good)).to.deep.equal([])
    expect(await problemsWith(good, {}, { size: 11, clockSkow: '1m' })).to.deep.equal([
      `${processor}:3:3 size: must be at most 10`,
      `${processor}:4:3 clockSkow: unknown member "clockSkow"; did you mean "clockSkew"?`,
    ])
    expect(
      await problemsOf({ ...files(['@acme/old'], packageFiles('@acme/old', good)), [processor]: '{ "type": "legasy" }' }),
    ).to.deep.equal([`${processor}:1:3 type: there is no type "legasy"; did you mean "legacy"?`])
  })

  it('are found from where they really lie, by every form of "exports" and by "main"', async () => {
    const forms = [
      { exports: { '.': { types: './a.d.ts', import: './index.js' } } },
      { exports: { default: './index.js' } },
      { exports: undefined, main: 'index.js' },
      { exports: undefined },
    ]
    for (const manifest of forms) expect(await problemsWith(good, manifest)).to.deep.equal([])
  })

  describe('that are written for `require` (CommonJS)', () => {
    const one = `pluginKind('legacy', { ...tokenProcessorSettings, size: z.int().max(10).default(3) }, () => ({ issuers: ['urn:acme'], process: () => {}, assume: () => {} }))`
    const forms = {
      'by `exports`': `const { pluginKind, tokenProcessorSettings, z } = require('cambist')
        exports.apiVersion = 1
        exports.tokenProcessors = [${one}]`,
      'by `module.exports`': `const { pluginKind, tokenProcessorSettings, z } = require('cambist')
        module.exports = { apiVersion: 1, tokenProcessors: [${one}] }`,
      'by what TypeScript makes of a module': `"use strict"
        Object.defineProperty(exports, "__esModule", { value: true })
        exports.tokenProcessors = exports.apiVersion = void 0
        const cambist_1 = require("cambist")
        exports.apiVersion = 1
        exports.tokenProcessors = [${one.replace(/\b(pluginKind|tokenProcessorSettings|z)\b/g, 'cambist_1.$1')}]`,
    }
    for (const [what, code] of Object.entries(forms)) {
      it(`are loaded, ${what}, and get this very cambist`, async () => {
        for (const manifest of [{ type: 'commonjs' }, { type: undefined }]) {
          expect(await problemsWith(code, manifest)).to.deep.equal([])
          expect(await problemsWith(code, manifest, { size: 11 })).to.deep.equal([`${processor}:3:3 size: must be at most 10`])
        }
      })
    }

    it('are refused where what they export is no set of lists', async () => {
      expect(await problemsWith('module.exports = () => ({})', { type: 'commonjs' })).to.deep.equal([
        'server.json:7:5 plugins[0]: exports no plug-ins; expected lists named tokenProcessors, tokenGenerators, accessTokenManagers, dataStores',
      ])
    })
  })

  it('are found where cambist is installed', async () => {
    const name = 'cambist-plugin-of-the-installation'
    const { folder, remove } = writeFolder(packageFiles(name, good))
    const link = join(repository, 'node_modules', name)
    // One of a run that was broken off.
    rmSync(link, { force: true })
    symlinkSync(join(folder, 'node_modules', name), link)
    try {
      expect(await problemsOf(files([name]))).to.deep.equal([])
    } finally {
      rmSync(link)
      remove()
    }
  })

  const server = (member: string) => `server.json:7:5 plugins[0]: ${member}`
  const mistakes: Array<[what: string, problems: () => Promise<string[]>, expected: RegExp | string]> = [
    [
      'one that is not there',
      () => problemsOf(files(['@acme/gone'])),
      server('there is no package "@acme/gone" here: type "npm install @acme/gone" in the configuration folder'),
    ],
    [
      'a module of Node',
      () => problemsOf(files(['fs'])),
      server('there is no package "fs" here: type "npm install fs" in the configuration folder'),
    ],
    [
      'an entry that is not there',
      () => problemsWith(good, { exports: './gone.js' }),
      /plugins\[0\]: throws while it is loaded: Error: Cannot find module/,
    ],
    [
      'no entry',
      () => problemsWith(good, { exports: { require: './index.cjs' } }),
      server('the package.json of "@acme/old" says nothing of what is imported ("exports")'),
    ],
    [
      'what throws',
      () => problemsWith('throw new TypeError("no license")'),
      /plugins\[0\]: throws while it is loaded: TypeError: no license \(.*index\.js\)$/,
    ],
    ['a syntax error', () => problemsWith('export const ='), /plugins\[0\]: throws while it is loaded: SyntaxError/],
    [
      'no plug-ins',
      () => problemsWith('export const apiVersion = 1'),
      server('exports no plug-ins; expected lists named tokenProcessors, tokenGenerators, accessTokenManagers, dataStores'),
    ],
    [
      'a misspelt list',
      () => problemsWith(good.replace('const tokenProcessors', 'const tokenProcesors')),
      server('exports "tokenProcesors", which means nothing here; did you mean "tokenProcessors"?'),
    ],
    [
      'no version',
      () => problemsWith(good.replace('export const apiVersion = 1', '')),
      server('exports no apiVersion: write "export const apiVersion = 1"'),
    ],
    [
      'another version',
      () => problemsWith(good.replace('apiVersion = 1', 'apiVersion = 2')),
      server('was written for version 2 of the plug-in API; this cambist has version 1 of the plug-in API'),
    ],
    [
      'a kind of another make',
      () => problemsWith('export const apiVersion = 1; export const tokenProcessors = [{ type: "legacy" }]'),
      server('tokenProcessors[0] was not made by pluginKind() of this cambist: import { pluginKind } from "cambist"'),
    ],
    [
      'a bad type',
      () => problemsWith(good.replace("'legacy'", "'Legacy Token'")),
      server('tokenProcessors[0] has no type of small letters, digits and hyphens, such as "legacy-token"'),
    ],
    [
      'a type of ours',
      () => problemsWith(good.replace("'legacy'", "'jwt'")),
      server('has a type "jwt" for token-processors, which cambist itself has already'),
    ],
    [
      'a type twice',
      () => problemsWith(kind('{ ...tokenProcessorSettings }', ", pluginKind('legacy', { ...tokenProcessorSettings }, () => ({}))")),
      server('tokenProcessors[1] has the type "legacy", which another one of the list has already'),
    ],
    [
      'missing settings',
      () => problemsWith(kind('{ ...tokenProcessorSettings, once: z.boolean() }')),
      server('tokenProcessors[0] of type "legacy" lacks the settings once as they are: write ...tokenProcessorSettings into its shape'),
    ],
    [
      'a reserved setting',
      () => problemsWith(kind('{ ...tokenProcessorSettings, extends: z.string() }')),
      server('tokenProcessors[0] of type "legacy" has a setting "extends", which every file has already'),
    ],
    [
      'a schema that is none',
      () => problemsWith(kind('{ ...tokenProcessorSettings, size: { parse: () => 1 } }')),
      /tokenProcessors\[0\] of type "legacy" has a setting "size" that is no schema of zod 4\.\d+: import \{ z \} from "cambist"$/,
    ],
    [
      'a schema of another version of zod',
      () => problemsWith(kind('{ ...tokenProcessorSettings, size: { _zod: { version: { major: 4, minor: 0 } } } }')),
      /"size" that is no schema of zod 4/,
    ],
    [
      'what no JSON Schema describes',
      () => problemsWith(kind('{ ...tokenProcessorSettings, since: z.date() }')),
      /has settings that no JSON Schema can describe \(.*\), so that editors could not check them$/,
    ],
    [
      'settings that throw',
      () =>
        problemsWith(kind('{ ...tokenProcessorSettings, size: z.int().default(1).transform(() => { throw new RangeError("secret") }) }')),
      /^policies\/token-processors\/old\.json:2:3 type: the plug-in @acme\/old threw RangeError while it looked at these settings at .*index\.js:3:\d+\)?$/,
    ],
    [
      'a builder that throws',
      () => problemsWith(processorCode('legacy', '', { build: 'throw new TypeError("secret")' })),
      /^policies\/token-processors\/old\.json:2:3 type: the plug-in threw TypeError while it was built at .*index\.js:\d+:\d+\)?$/,
    ],
    [
      'a builder that builds nothing',
      () => problemsWith(kind('{ ...tokenProcessorSettings }')),
      `${processor}:2:3 type: the plug-in built no such thing: issuers: Invalid input: expected array, received undefined`,
    ],
    [
      'a builder that reports',
      () => problemsWith(processorCode('legacy', '', { build: "throw new SettingProblem(['size'], 'is too small')" }), {}, { size: 1 }),
      `${processor}:3:3 size: is too small`,
    ],
    [
      'this very server as issuer',
      () => problemsWith(good.replaceAll("issuers: ['urn:acme']", "issuers: ['https://sts.example.com']")),
      `${processor}:2:3 type: it takes tokens of this server, which come in by "access-token" only`,
    ],
  ]
  for (const [what, problems, expected] of mistakes) {
    it(`are refused: ${what}`, async () => {
      const lines = await problems()
      expect(lines, lines.join('\n')).to.have.length(1)
      if (typeof expected === 'string') expect(lines[0]).to.equal(expected)
      else expect(lines[0]).to.match(expected)
      expect(lines[0]).not.to.include('secret')
    })
  }

  it('are refused: two with one type, and what is no name', async () => {
    const two = { ...packageFiles('@acme/old', good), ...packageFiles('older', good) }
    expect(await problemsOf(files(['@acme/old', 'older'], two))).to.deep.equal([
      'server.json:8:5 plugins[1]: has a type "legacy" for token-processors, which @acme/old has already',
    ])
    const paths = await problemsOf({
      ...files(['./old.js', '../old', 'https://old.example/a.js', '@acme/old'], packageFiles('@acme/old', good)),
    })
    const expected = 'expected the name of an npm package such as "@acme/cambist-legacy-token"'
    expect(paths).to.deep.equal([0, 1, 2].map(index => `server.json:${7 + index}:5 plugins[${index}]: ${expected}`))
  })

  it('get this very copy of cambist, whatever lies beside them', async () => {
    const other = packageFiles('cambist', 'export const pluginKind = () => ({}), z = {}, tokenProcessorSettings = {}')
    expect(await problemsOf(files(['@acme/old'], { ...packageFiles('@acme/old', good), ...other }))).to.deep.equal([])
  })
})

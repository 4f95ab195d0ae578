import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { editorSchemas } from '../../src/config/editor-schemas.ts'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { requireProgram } from '../interop/tools.ts'
import { writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { repository, sampleFiles, sampleFolder } from '../support/sample.ts'
import { isBuildFresh, type ServerProcess, startProcess } from '../support/server-process.ts'
import { requireAlike } from './alike.ts'

const guides = await readdir(join(repository, 'docs/guides'))
const pages = guides.filter(name => /^saml-.*\.md$/.test(name)).map(name => `docs/guides/${name}`)
// Not `import.meta.resolve`, which tsx has none of in Node 20.
const tsx = createRequire(import.meta.filename).resolve('tsx')
// A command that is built starts in a tenth of the time, and the guides run many.
const command = isBuildFresh().then(isFresh =>
  isFresh ? [join(repository, 'dist/main.js')] : ['--import', tsx, join(repository, 'src/main.ts')],
)
const shownAddress = 'http://localhost:3000'

/** A fenced block of a page, with the comment `<!-- kind: value -->` before it and the comments `<!-- expect: TEXT -->` after it. */
interface Block {
  readonly line: number
  readonly language: string
  readonly text: string
  readonly marker: { readonly kind: string; readonly value: string } | undefined
  readonly expected: readonly string[]
}

const comment = /^<!-- (file|alternative|answer|shown|needs|expect)(?:: (.*))? -->$/

function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const fences = lines.flatMap((line, at) => (line.startsWith('```') ? [at] : []))
  expect(fences.length % 2, 'every fence is closed').to.equal(0)
  return fences
    .filter((_at, index) => index % 2 === 0)
    .map((at, index) => {
      const end = fences[2 * index + 1] ?? at
      const [, kind, value = ''] = comment.exec(lines[at - 1] ?? '') ?? []
      const behind = lines.slice(end + 1)
      const isExpectation = (line: string) => comment.exec(line)?.[1] === 'expect'
      const length = behind.findIndex(line => !isExpectation(line))
      return {
        line: at + 1,
        language: lines[at]?.slice(3) ?? '',
        text: `${lines.slice(at + 1, end).join('\n')}\n`,
        marker: kind === undefined || kind === 'expect' ? undefined : { kind, value },
        expected: behind.slice(0, length).map(line => comment.exec(line)?.[2] ?? ''),
      }
    })
}

/** One reader who follows a page from its first line to its last, in one folder and one terminal. */
class Reader {
  readonly folder: string
  readonly remove: () => Promise<void>
  readonly #address: string
  #server: ServerProcess | undefined
  #served = ''
  #output = ''

  static async start(): Promise<Reader> {
    const port = await freePort()
    const address = `http://localhost:${port}`
    const server = (await sampleFiles())['server.json'] as { listen: object }
    return new Reader(await sampleFolder({ 'server.json': { ...server, issuer: address, listen: { ...server.listen, port } } }), address)
  }

  constructor({ folder, remove }: Awaited<ReturnType<typeof sampleFolder>>, address: string) {
    this.folder = folder
    this.remove = remove
    this.#address = address
  }

  async stop(): Promise<void> {
    await this.#server?.kill()
    await this.remove()
  }

  async write({ text, marker }: Block): Promise<void> {
    const path = join(this.folder, marker?.value ?? '')
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, this.#here(text))
  }

  /** A file that is shown as another possibility: the configuration loads with it, and goes on without it. Gives the codes of the warnings. */
  async load({ text, marker }: Block): Promise<string[]> {
    const { folder, remove } = await writeFiles({})
    try {
      await cp(this.folder, folder, { recursive: true, filter: source => !source.endsWith('/data') })
      await writeFile(join(folder, marker?.value ?? ''), this.#here(text))
      return await loads(folder)
    } finally {
      await remove()
    }
  }

  /** Runs a shell block against a server on the folder as it is now; variables stay for the next one. */
  async run({ text, expected }: Block): Promise<void> {
    await this.#serve()
    const program = ['node', ...(await command)].map(word => `'${word}'`).join(' ')
    const npx = `npx() { [ "$1" = cambist ] || return 97; shift; ${program} "$@"; }`
    const script = `set -euao pipefail\n[ -f .terminal ] && . ./.terminal\n${npx}\n${this.#here(text)}\nexport -p > .terminal`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { cwd: this.folder, encoding: 'utf8', timeout: 90_000 })
    expect(status, `${stdout}\n${stderr}`).to.equal(0)
    for (const fragment of expected) expect(stdout + stderr).to.include(this.#here(fragment))
    this.#output = stdout
  }

  /** An answer on the page is the one that the block before it gave, but for what differs every time. */
  compare({ text }: Block): void {
    requireAlike(JSON.parse(this.#output.trim().split('\n').at(-1) ?? ''), JSON.parse(this.#here(text)), 'the answer', differsEveryTime)
  }

  /** The same for XML, of which `…` may leave out a part. */
  compareXml({ text }: Block): void {
    expect(comparable(this.#output)).to.match(new RegExp(comparable(this.#here(text)).split('…').map(literally).join('[^]*?')))
  }

  check(): Promise<string[]> {
    return loads(this.folder)
  }

  async #serve(): Promise<void> {
    if ((await digestOf(this.folder)) === this.#served) return
    await this.check()
    await this.#server?.stop()
    this.#server = await startProcess(this.folder)
    this.#served = await digestOf(this.folder)
  }

  // The sample's SAML issuer is a name, not the address of the server.
  #here(text: string): string {
    return text
      .replaceAll(new RegExp(`${shownAddress}(?!/saml\\b)`, 'g'), this.#address)
      .replaceAll(`${shownAddress}/saml/`, `${this.#address}/saml/`)
  }
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

function comparable(xml: string): string {
  return xml
    .replaceAll(/"_[0-9a-f]{4,}…?"/g, '"ID"')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'THEN')
    .replace('<?xml version="1.0"?>', '')
    .replaceAll(/\s+/g, '')
}

const differsEveryTime = new Set(['iat', 'exp', 'jti', 'expires_in', 'kid', 'n', 'x', 'y'])

/** Loads a configuration as the server would; gives the codes of its warnings. */
async function loads(folder: string): Promise<string[]> {
  const now = () => Date.now() / 1000
  const fetch = () => Promise.reject(new Error('nothing is fetched here'))
  const outside = { effects: undefined, fetch, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
  const { warnings } = await buildConfiguration(await parseConfiguration(await readSources(folder), folder, {}), outside)
  return warnings.map(({ code }) => code)
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256').update(await readFile(join(folder, 'server.json')))
  for (const part of ['policies', 'clients', 'keys']) {
    for (const name of (await readdir(join(folder, part), { recursive: true })).sort()) {
      const file = join(folder, part, name)
      if ((await stat(file)).isFile()) hash.update(file).update(await readFile(file))
    }
  }
  return hash.digest('hex')
}

for (const page of pages) {
  describe(page, function () {
    this.timeout(120_000)
    this.bail(true)
    let reader: Reader
    before(async function () {
      requireProgram(this, 'curl', ['--version'], 'CAMBIST_REQUIRE_CURL')
      for (const tool of toolsOf(blocks)) requireProgram(this, tool, ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
      reader = await Reader.start()
    })
    after(() => reader?.stop())

    const markdown = spawnSync('cat', [join(repository, page)], { encoding: 'utf8' }).stdout
    const blocks = blocksOf(markdown)
    for (const block of blocks) {
      const { language, marker, line } = block
      it(`line ${line}: ${language}${marker === undefined ? '' : ` (${marker.kind}${marker.value && ` ${marker.value}`})`}`, async () => {
        expect(language, 'every block says its language').not.to.equal('')
        if (language === 'sh') await reader.run(block)
        else if (marker?.kind === 'file') await reader.write(block)
        else if (language === 'xml') reader.compareXml(block)
        else if (marker?.kind === 'alternative') await reader.load(block)
        else if (marker?.kind === 'answer') reader.compare(block)
        else if (marker?.kind === 'shown') JSON.parse(block.text)
        else expect(language, 'a json block without a comment that says what it is').not.to.equal('json')
      })
    }

    it('leaves a configuration that loads, without a warning', async () => {
      expect(await reader.check()).to.deep.equal([])
    })

    it('links to what is there', async () => {
      for (const [, link = ''] of markdown.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) await stat(resolve(repository, dirname(page), link))
    })
  })
}

function toolsOf(blocks: readonly Block[]): string[] {
  return [...new Set(blocks.flatMap(({ marker }) => (marker?.kind === 'needs' ? marker.value.split(' ') : [])))]
}

/** The settings of one type of plug-in, as its editor schema has them. */
function settingsOf(schema: string, type: string): string[] {
  const { anyOf } = editorSchemas()[schema] as unknown as { anyOf: ReadonlyArray<{ properties: Record<string, { const?: string }> }> }
  const found = anyOf.find(({ properties }) => properties.type?.const === type)?.properties ?? {}
  return Object.keys(found).filter(name => !['$schema', 'type'].includes(name))
}

describe('the SAML guides', () => {
  const documented = [
    ['saml-in', 'token-processor', ['saml2', 'saml11']],
    ['saml-out', 'token-generator', ['saml2', 'saml11', 'jwt']],
  ] as const
  for (const [page, kind, types] of documented) {
    for (const type of types) {
      it(`${page}.md names every setting of a ${kind} of type ${type}`, async () => {
        const markdown = await readFile(join(repository, `docs/guides/${page}.md`), 'utf8')
        const settings = settingsOf(`${kind}.schema.json`, type)
        expect(settings).to.include(kind === 'token-processor' ? 'issuers' : 'contract')
        const missing = settings.filter(name => !new RegExp(`[\`".]${name}[\`".[]`).test(markdown))
        expect(missing).to.deep.equal([])
      })
    }
  }
})

import { spawn } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { refusals } from '../../src/oauth/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { requireProgram } from '../interop/tools.ts'
import { writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { basic } from '../support/running-server.ts'
import { repository, sampleFiles, sampleFolder } from '../support/sample.ts'
import { isBuildFresh, type ServerProcess, startProcess } from '../support/server-process.ts'
import { requireAlike } from './alike.ts'
import { type Block, blocksOf } from './blocks.ts'
import { type StandIns, startStandIns } from './stand-ins.ts'

const shownAddress = 'http://localhost:3000'
/** What alternatives of the configuration may name. */
const environment = {
  REDIS_PASSWORD: 'secret-of-redis',
  PARTNER_SECRET: 'secret-of-the-partner',
  METRICS_TOKEN: 'secret-of-prometheus',
  ADMIN_TOKEN: 'secret-of-the-administrators',
  COLLECTOR_AUTHORIZATION: 'Bearer x',
}

const guides = (await readdir(join(repository, 'docs/guides')))
  // Those of SAML and of plug-ins have tests of their own.
  .filter(name => name.endsWith('.md') && !name.startsWith('saml-') && name !== 'plug-ins.md')
  .map(name => `docs/guides/${name}`)
const pages = ['docs/protocol.md', ...guides]
/** Pages that go on where another one ends. */
const earlier: Record<string, string> = { 'docs/guides/aws-workstation.md': 'docs/guides/aws-out.md' }
/** What has to be there for a page, and which variable insists on it. */
const tools: Record<string, readonly [program: string, variable: string]> = {
  aws: ['aws', 'CAMBIST_REQUIRE_AWS'],
  kubectl: ['kubectl', 'CAMBIST_REQUIRE_KUBECTL'],
}

/** One reader who follows a page from its first line to its last, in one folder and one terminal. */
class Reader {
  readonly folder: string
  readonly #remove: () => Promise<void>
  readonly #address: string
  readonly #command: string
  #standIns: StandIns | undefined
  #server: ServerProcess | undefined
  #served = ''
  #output = ''

  static async start(): Promise<Reader> {
    const port = await freePort()
    const files = await sampleFiles()
    const server = files['server.json'] as { listen: object }
    const address = `http://localhost:${port}`
    const { folder, remove } = await sampleFolder({ 'server.json': { ...server, issuer: address, listen: { ...server.listen, port } } })
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'))
    // A command that is built starts in a tenth of the time, and the guides run many.
    const program = (await isBuildFresh())
      ? [join(repository, 'dist/main.js')]
      : ['--import', createRequire(import.meta.url).resolve('tsx'), join(repository, 'src/main.ts')]
    return new Reader({ folder, remove, address }, ['node', ...program].map(word => `'${word}'`).join(' '))
  }

  constructor({ folder, remove, address }: { folder: string; remove: () => Promise<void>; address: string }, command: string) {
    this.folder = folder
    this.#remove = remove
    this.#address = address
    this.#command = command
  }

  async withStandIns(): Promise<void> {
    this.#standIns = await startStandIns(this.folder, this.#address, this.#command)
  }

  async stop(): Promise<void> {
    await this.#server?.kill()
    await this.#standIns?.close()
    await this.#remove()
  }

  /** A file of the page, written where the page says. */
  async write({ text, marker }: Block): Promise<void> {
    const path = join(this.folder, marker?.value ?? '')
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, this.#standIns?.adapt(this.#here(text)) ?? this.#here(text))
  }

  /** A file that the page shows as another possibility: the configuration loads with it, and goes on without it. */
  async load({ text, marker }: Block): Promise<void> {
    const { folder, remove } = await writeFiles({})
    try {
      await cp(this.folder, folder, { recursive: true, filter: source => !/\/(data|node_modules)$/.test(source) })
      await writeFile(join(folder, marker?.value ?? ''), this.#here(text))
      await loads(folder)
    } finally {
      await remove()
    }
  }

  /** Runs a shell block against a server on the folder as it is now; variables stay for the next one. */
  async run({ text, expected }: Block): Promise<void> {
    await this.#serve()
    const npx = `npx() { [ "$1" = cambist ] || return 97; shift; ${this.#command} "$@"; }`
    const outside = this.#standIns?.preamble ?? ''
    const script = `set -euao pipefail\n[ -f .terminal ] && . ./.terminal\n${npx}\n${outside}\n${this.#here(text)}\n{ export -p; declare -f; } > .terminal`
    const { status, stdout, stderr } = await inShell(script, this.folder)
    expect(status, `${stdout}\n${stderr}`).to.equal(0)
    for (const fragment of expected) expect(stdout + stderr).to.include(this.#here(fragment))
    this.#output = stdout
  }

  /** An answer on the page is the one that the block before it gave, but for what differs every time. */
  compare({ text }: Block): void {
    requireAlike(JSON.parse(this.#output.trim().split('\n').at(-1) ?? ''), JSON.parse(this.#here(text)), 'the answer', differsEveryTime)
  }

  /** A record on the page is that of the last exchange. */
  async compareRecord({ text }: Block): Promise<void> {
    const line = (await this.#linesSoFar()).findLast(each => each.includes('"event":"exchange"')) ?? ''
    requireAlike(JSON.parse(line), JSON.parse(this.#here(text)), 'the record', differsEveryTime)
  }

  /** What the server has printed. It wrote it before it answered, but nobody may have read it yet: a record of our own comes behind it. */
  async #linesSoFar(): Promise<readonly string[]> {
    const mark = `nobody-${randomUUID()}`
    await fetch(`${this.#address}/token`, { method: 'POST', headers: { authorization: basic(mark, 'none') }, body: new URLSearchParams() })
    return (await this.#server?.printed(mark))?.slice(0, -1) ?? []
  }

  async check(): Promise<void> {
    await loads(this.folder)
  }

  async #serve(): Promise<void> {
    const state = await digestOf(this.folder)
    if (state === this.#served) return
    await loads(this.folder)
    await this.#server?.stop()
    this.#server = await startProcess(this.folder)
    this.#served = await digestOf(this.folder)
  }

  #here(text: string): string {
    return text.replaceAll(shownAddress, this.#address)
  }
}

async function loads(folder: string): Promise<void> {
  const now = () => Date.now() / 1000
  const fetch = () => Promise.reject(new Error('nothing is fetched here'))
  const outside = { effects: undefined, fetch, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
  await buildConfiguration(await parseConfiguration(await readSources(folder), folder, environment), outside)
}

/** Runs a script; what stands in for others in this process has to be able to answer it. */
async function inShell(script: string, cwd: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn('bash', ['-c', script], { cwd, timeout: 90_000, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  return { status, ...said }
}

/** What the server would read. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256')
  for (const part of ['server.json', 'policies', 'clients', 'keys']) {
    const path = join(folder, part)
    const names = (await stat(path)).isFile() ? [''] : (await readdir(path, { recursive: true })).sort()
    for (const name of names) {
      const file = join(path, name)
      if ((await stat(file)).isFile()) hash.update(`${file}\n`).update(await readFile(file))
    }
  }
  return hash.digest('hex')
}

const differsEveryTime = new Set([
  'iat',
  'exp',
  'jti',
  'expires_in',
  'expiresAt',
  'ms',
  'time',
  'kid',
  'id',
  'sha256',
  'requestId',
  'version',
  'x',
  'y',
])

async function blocksBefore(page: string): Promise<Block[]> {
  const before = earlier[page]
  return before === undefined ? [] : blocksOf(await readFile(join(repository, before), 'utf8'))
}

for (const page of pages) {
  const markdown = await readFile(join(repository, page), 'utf8')
  describe(page, function () {
    this.timeout(300_000)
    let reader: Reader
    let lost = false
    before(async function () {
      requireProgram(this, 'curl', ['--version'], 'CAMBIST_REQUIRE_CURL')
      const needed = Object.keys(tools).filter(tool =>
        blocks.some(({ language, text }) => language === 'sh' && new RegExp(`^${tool} `, 'm').test(text)),
      )
      for (const tool of needed) {
        const [program, variable] = tools[tool] ?? ['', '']
        requireProgram(this, 'sh', ['-c', `command -v ${program}`], variable)
      }
      reader = await Reader.start()
      if (!needed.includes('aws')) return
      requireProgram(this, 'xmlsec1', ['--version'], 'CAMBIST_REQUIRE_XML_TOOLS')
      await reader.withStandIns()
      for (const block of await blocksBefore(page)) {
        if (block.language === 'sh') await reader.run(block)
        else if (block.marker?.kind === 'file') await reader.write(block)
      }
    })
    after(() => reader?.stop())

    const blocks = blocksOf(markdown)
    for (const block of blocks) {
      const { language, marker, line } = block
      const title = `line ${line}: ${language}${marker === undefined ? '' : ` (${marker.kind}${marker.value && ` ${marker.value}`})`}`
      it(title, async function () {
        // Whoever could not do one step cannot do those that build on it; that one has failed, and fails the run.
        if (lost) {
          if (this.test !== undefined) this.test.title += ' (not tried: a step before it failed)'
          this.skip()
        }
        lost = true
        expect(language, 'every block says its language').not.to.equal('')
        if (language === 'sh') await reader.run(block)
        else if (marker?.kind === 'file') await reader.write(block)
        else if (marker?.kind === 'alternative') await reader.load(block)
        else if (marker?.kind === 'answer') reader.compare(block)
        else if (marker?.kind === 'record') await reader.compareRecord(block)
        else if (marker?.kind === 'shown') JSON.parse(block.text)
        else expect(language, 'a json block without a comment that says what it is').not.to.equal('json')
        lost = false
      })
    }

    it('has no comment that belongs to no block', () => {
      const belonging = blocks.map(({ marker, expected }) => (marker === undefined ? 0 : 1) + expected.length)
      expect(markdown.match(/<!--/g)?.length ?? 0).to.equal(belonging.reduce((sum, each) => sum + each, 0))
    })

    it('leaves a configuration that loads', () => reader.check())

    it('links to what is there', async () => {
      for (const [, link = ''] of markdown.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        await stat(resolve(repository, dirname(page), link))
      }
    })
  })
}

describe('docs/protocol.md', () => {
  it('has every reason to refuse, with its code and status', async () => {
    const text = await readFile(join(repository, 'docs/protocol.md'), 'utf8')
    for (const [reason, { error, status }] of Object.entries(refusals)) {
      expect(text).to.match(new RegExp(`^\\| \`${reason}\` \\| \`${error}\` \\| ${status} \\|`, 'm'))
    }
    const documented = [...text.matchAll(/^\| `([a-z-]+)` \| `[a-z_]+` \| \d{3} \|/gm)].map(([, reason]) => reason)
    expect(documented).to.have.members([...Object.keys(refusals), 'unavailable', 'bug'])
  })
})

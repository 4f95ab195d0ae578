import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { repository } from '../support/sample.ts'
import { requireBuild } from '../support/server-process.ts'
import { type Block, blocksOf } from './blocks.ts'

const page = 'docs/guides/plug-ins.md'
const markdown = await readFile(join(repository, page), 'utf8')
const blocks = blocksOf(markdown)

/** Stands in for npm, which links a folder too: what is installed from the registry, `test/plugins/installed.test.ts` tries. */
const preamble = `
  npx() { [ "$1" = cambist ] || return 97; shift; node '${join(repository, 'dist/main.js')}' "$@"; }
  npm() {
    for last; do :; done
    [ "$last" = cambist ] && last='${repository}'
    name=$(node -p "require('$(realpath "$last")/package.json').name")
    mkdir -p "node_modules/$(dirname "$name")" && ln -sfn "$(realpath "$last")" "node_modules/$name"
  }`

async function run({ text, expected }: Block, folder: string): Promise<void> {
  const script = `set -euao pipefail\n[ -f .terminal ] && . ./.terminal\n${preamble}\n${text}\n{ export -p; } > .terminal`
  const child = spawn('bash', ['-c', script], { cwd: folder, timeout: 120_000, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      said += part
    })
  }
  const [status] = (await once(child, 'close')) as [number | null]
  expect(status, said).to.equal(0)
  for (const fragment of expected) expect(said, said).to.include(fragment)
}

describe(page, function () {
  this.timeout(300_000)
  let folder: string
  let lost = false
  before(async () => {
    // Packages that are installed have what was built.
    await requireBuild()
    folder = await mkdtemp(join(tmpdir(), 'cambist-plug-in-'))
    await mkdir(join(folder, 'config'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  for (const block of blocks) {
    it(`line ${block.line}: ${block.language} ${block.marker?.value ?? ''}`, async function () {
      // Whoever could not do one step cannot do those that build on it; that one has failed, and fails the run.
      if (lost) {
        if (this.test !== undefined) this.test.title += ' (not tried: a step before it failed)'
        this.skip()
      }
      lost = true
      if (block.language === 'sh') await run(block, folder)
      else {
        expect(block.marker?.kind, 'every block is a file or is run').to.equal('file')
        const path = join(folder, block.marker?.value ?? '')
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, block.text)
      }
      lost = false
    })
  }

  it('links to what is there', async () => {
    for (const [, link = ''] of markdown.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) await stat(resolve(repository, dirname(page), link))
  })
})

import { existsSync } from 'node:fs'
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect } from 'chai'
import { pino } from 'pino'
import { type Reading, readSnapshot } from '../../src/config/snapshot.ts'
import { ConfigurationFolder, type SteadyReading } from '../../src/reload/folder.ts'
import { ReloadReport } from '../../src/reload/reload-report.ts'
import { Reloader } from '../../src/reload/reloader.ts'
import type { Prepared } from '../../src/reload/site.ts'
import { until } from '../stores/until.ts'
import { makeIssuers, usualFiles, writeFiles } from '../support/configuration.ts'

const times = { poll: 50, quiet: 40, patience: 400, retry: 50 }

describe('the reloader', () => {
  let folder: string
  let remove: () => Promise<void>
  let reloader: Reloader | undefined
  let running: Promise<void> | undefined
  beforeEach(async () => {
    ;({ folder, remove } = await writeFiles(await usualFiles(await makeIssuers())))
  })
  afterEach(async () => {
    reloader?.stop()
    await running
    await remove()
  })

  /** One that calls `prepare` where a server would build, and `beforeLook` before it looks whether anything has changed. */
  async function start(prepare: (reading: Reading) => Promise<void>, beforeLook: BeforeLook = async () => {}, patience = times.patience) {
    const said: Array<Record<string, unknown>> = []
    const log = pino(new Writable({ write: (line, _, done) => done(void said.push(JSON.parse(String(line)))) }))
    const configuration = new WatchedFolder(folder, {}, beforeLook)
    const started = await configuration.read()
    const report = new ReloadReport(() => 1)
    const used: string[] = []
    const prepared = (version: string): Prepared => ({ version, warnings: [], use: () => used.push(version), discard: () => undefined })
    const site = {
      async prepare(reading: Reading) {
        await prepare(reading)
        return prepared(reading.parsed.sources.version)
      },
      tell: () => undefined,
    }
    reloader = new Reloader({ folder: configuration, site, report, log, started, first: prepared('first'), times: { ...times, patience } })
    running = reloader.run()
    return { said, used, report }
  }

  it('does not wait for ever where somebody writes all the time', async () => {
    let number = 0
    const { said, used } = await start(
      async () => {},
      async reading => {
        if (!reading) await writeFile(join(folder, 'clients/busy.json'), JSON.stringify({ description: 'x'.repeat(++number) }))
      },
    )
    await until('it is loaded', () => used.length > 0)
    expect(number).to.be.above(2)
    expect(said[0]?.msg).to.equal('the configuration changes without pause; it is read as it is now')
  })

  it('waits until Git has changed all files also where Git begins while they are read', async () => {
    let looks = Number.NEGATIVE_INFINITY
    const lock = join(folder, '.git/index.lock')
    const { used } = await start(
      async () => {},
      async reading => {
        if (reading) looks++
        if (looks === 1) {
          await mkdir(join(folder, '.git'))
          await writeFile(lock, '')
          await rm(join(folder, 'clients/bystander.json'))
        }
        if (looks === 6) {
          await appendFile(join(folder, 'clients/gateway.json'), '\n')
          await rm(lock)
        }
      },
      60_000,
    )
    looks = 0
    await appendFile(join(folder, 'clients/gateway.json'), '\n')
    await until('it is loaded', () => used.length > 0)
    expect(existsSync(lock), 'Git is not done').to.equal(false)
    expect(used).to.deep.equal([(await readSnapshot(folder, {})).parsed.sources.version])
  })

  it('tries again what failed for another reason than the files, and says each time that it did', async () => {
    let attempts = 0
    const { said, used, report } = await start(async () => {
      attempts++
      if (attempts < 3) throw new Error('a worker is gone')
    })
    await appendFile(join(folder, 'clients/gateway.json'), '\n')
    await until('it is loaded', () => used.length > 0)
    expect(attempts).to.equal(3)
    expect(said.filter(({ err }) => (err as Error | undefined)?.message === 'a worker is gone')).to.have.length(2)
    expect(report.facts).to.deep.include({ succeeded: 1, failed: 2, failure: undefined })
  })

  it('counts for metrics', async () => {
    const { report, used } = await start(async () => {})
    expect(report.facts).to.deep.equal({ loadedAt: 1, succeeded: 0, failed: 0, failure: undefined, needsRestart: [] })
    await appendFile(join(folder, 'clients/gateway.json'), '\n')
    await until('it is loaded', () => used.length === 1)
    expect(report.facts).to.deep.include({ succeeded: 1, failed: 0 })
  })

  it('uses nothing any more once it is stopped', async () => {
    let go: () => void = () => undefined
    let begun = false
    const { used } = await start(() => {
      begun = true
      return new Promise(resolve => {
        go = resolve
      })
    })
    await appendFile(join(folder, 'clients/gateway.json'), '\n')
    await until('it is being built', () => begun)
    reloader?.stop()
    go()
    await running
    expect(used).to.deep.equal([])
  })
})

/** `reading`: while everything is read. */
type BeforeLook = (reading: boolean) => Promise<void>

/** A folder in which something happens before each look. */
class WatchedFolder extends ConfigurationFolder {
  readonly #beforeLook: BeforeLook
  #reading = false

  constructor(folder: string, environment: NodeJS.ProcessEnv, beforeLook: BeforeLook) {
    super(folder, environment)
    this.#beforeLook = beforeLook
  }

  override async look(): Promise<string> {
    await this.#beforeLook(this.#reading)
    return super.look()
  }

  override async read(...rest: Parameters<ConfigurationFolder['read']>): Promise<SteadyReading> {
    this.#reading = true
    return super.read(...rest).finally(() => {
      this.#reading = false
    })
  }
}

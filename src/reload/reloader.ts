import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import { ConfigError, describe, describeWarning } from '../config/problems.ts'
import { Bell } from './bell.ts'
import type { ConfigurationFolder, SteadyReading } from './folder.ts'
import { Hints } from './hints.ts'
import { needsRestart } from './needs-restart.ts'
import type { ReloadReport } from './reload-report.ts'
import type { Prepared, Site } from './site.ts'

/** What watches over a configuration. */
export interface ReloaderParts {
  readonly folder: ConfigurationFolder
  readonly site: Site
  readonly report: ReloadReport
  readonly log: Logger
  /** What the server started with. */
  readonly started: SteadyReading
  /** What is in use from the start. */
  readonly first: Prepared
  readonly times?: ReloadTimes
}

/** All in milliseconds. */
export interface ReloadTimes {
  /** Between two looks, where no hint comes. */
  readonly poll: number
  /** For which nothing may change before what is there counts as finished. */
  readonly quiet: number
  /** After which it is read although changes go on. */
  readonly patience: number
  /** Before something is tried again that failed for another reason than a mistake in the files. */
  readonly retry: number
}

const usualTimes: ReloadTimes = { poll: 2_000, quiet: 250, patience: 30_000, retry: 10_000 }

// Looking at ten thousand files takes a fifth of a second, part of it on the thread that answers requests.
const idleForEachLook = 30

/**
 * Loads the configuration anew when its files have changed: all of it beside the one that serves, which goes on until the new one is
 * checked, and stays if anything is wrong.
 */
export class Reloader {
  readonly #parts: ReloaderParts
  readonly #times: ReloadTimes
  readonly #bell = new Bell()
  readonly #hints = new Hints(() => this.#bell.ring())
  #seen: string
  /** The digest of what was tried last, whatever became of it. */
  #tried: string | undefined
  #version: string
  #warnings: ReadonlySet<string>
  #millisecondsToNextLook: number
  #demanded = false
  #stopped = false

  constructor(parts: ReloaderParts) {
    this.#parts = parts
    this.#times = parts.times ?? usualTimes
    this.#seen = parts.started.fingerprint
    this.#tried = parts.started.digest
    this.#version = parts.first.version
    this.#warnings = new Set(parts.first.warnings.map(describeWarning))
    this.#millisecondsToNextLook = this.#times.poll
  }

  /** Looks and loads until it is stopped. Never rejects. */
  async run(): Promise<void> {
    this.#hints.watch(this.#parts.folder.places)
    while (!this.#stopped) {
      await this.#bell.wait(this.#millisecondsToNextLook)
      try {
        if (!this.#stopped) await this.#look()
      } catch (error) {
        this.#failedOtherwise(error)
      }
    }
    this.#hints.close()
  }

  /** Loads what is there at once, changed or not. */
  demand(): void {
    this.#demanded = true
    this.#bell.ring()
  }

  stop(): void {
    this.#stopped = true
    this.#bell.ring()
  }

  async #look(): Promise<void> {
    const began = performance.now()
    const found = await this.#parts.folder.look()
    const breath = (performance.now() - began) * idleForEachLook
    this.#millisecondsToNextLook = Math.max(this.#times.poll, breath)
    const rested = found !== this.#seen && !this.#demanded ? await this.#rest(found) : undefined
    if (found !== this.#seen || this.#demanded) await this.#load(rested)
    // Hints may come by the thousand, for files that mean nothing here.
    else await pause(Math.max(this.#times.quiet, breath))
  }

  /**
   * Waits until nothing changes any more: a burst of writes is one change, and half of it may look like a whole. Resolves to
   * how they look then; to nothing where somebody is out of patience.
   */
  async #rest(found: string): Promise<string | undefined> {
    const { folder, log } = this.#parts
    const began = performance.now()
    for (let last = found; !this.#stopped && !this.#demanded; ) {
      await pause(this.#times.quiet)
      const next = await folder.look()
      if (next === last && !folder.isCheckedOut()) return next
      last = next
      if (performance.now() - began > this.#times.patience) {
        log.warn('the configuration changes without pause; it is read as it is now')
        return undefined
      }
    }
    return undefined
  }

  async #load(rested: string | undefined): Promise<void> {
    const demanded = this.#demanded
    this.#demanded = false
    const began = performance.now()
    const { folder, site } = this.#parts
    // Whoever had no patience once has none afterwards.
    let last = rested
    const restAgain = async () => {
      if (last !== undefined) last = await this.#rest(await folder.look())
      if (last === undefined) await pause(this.#times.quiet)
      return last
    }
    const reading = await folder.read(rested, restAgain)
    this.#seen = reading.fingerprint
    this.#hints.watch(folder.places)
    if (reading.digest === this.#tried && !demanded) return
    this.#tried = reading.digest
    try {
      const prepared = await site.prepare(reading)
      if (this.#stopped) return prepared.discard()
      prepared.use()
      this.#succeeded(reading, prepared, performance.now() - began)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.#refused(error)
    }
  }

  #succeeded({ parsed }: SteadyReading, { version, warnings }: Prepared, milliseconds: number): void {
    const { log, report, site, started } = this.#parts
    const restart = needsRestart(started.parsed, parsed)
    const waitedBefore = report.facts.needsRestart.join()
    report.reloaded(restart)
    site.tell(report.facts)
    const facts = { version, before: this.#version, files: parsed.sources.files.length, ms: Math.round(milliseconds) }
    log.info(facts, 'configuration reloaded')
    for (const warning of warnings) {
      if (!this.#warnings.has(describeWarning(warning))) log.warn({ code: warning.code }, describeWarning(warning))
    }
    if (restart.length > 0 && restart.join() !== waitedBefore) {
      log.warn({ needsRestart: restart }, 'these settings are used after a restart only; everything else is in use')
    }
    this.#version = version
    this.#warnings = new Set(warnings.map(describeWarning))
  }

  #refused({ problems }: ConfigError): void {
    const { log, report, site } = this.#parts
    for (const problem of problems) log.error(describe(problem))
    log.error({ problems: problems.length, version: this.#version }, 'configuration not reloaded; the last good one serves on')
    report.failed(problems.length)
    site.tell(report.facts)
  }

  // Nothing is wrong with the files, as far as is known: they may be loaded the next time.
  #failedOtherwise(error: unknown): void {
    const { log, report, site } = this.#parts
    log.error({ err: error, version: this.#version }, 'configuration not reloaded; the last good one serves on, and it is tried again')
    this.#tried = undefined
    this.#seen = ''
    this.#millisecondsToNextLook = this.#times.retry
    report.failed(1)
    site.tell(report.facts)
  }
}

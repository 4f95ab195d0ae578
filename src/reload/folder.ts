import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { folders } from '../config/folders.ts'
import { digestOf, filesNamedBy, type Reading, readSnapshot } from '../config/snapshot.ts'
import { Outage } from '../oauth/errors.ts'
import type { PluginFinder } from '../plugins/plugin-package.ts'
import { pluginsOfTheStart } from '../plugins/started-plugins.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Places } from './hints.ts'

/** A reading of files that did not change while they were read. */
export interface SteadyReading extends Reading {
  /** How the files looked. */
  readonly fingerprint: string
  /** Of all contents. */
  readonly digest: string
}

const mostTries = 20
const millisecondsBetweenTries = 100

const aMoment = () => pause(millisecondsBetweenTries, undefined)

/** The folder of a configuration, which somebody may be changing. */
export class ConfigurationFolder {
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv
  #named: readonly string[] = []
  /** Undefined until the first reading is complete: the packages of plug-ins are loaded then, and never again. */
  #findPlugins: PluginFinder | undefined

  constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.#folder = folder
    this.#environment = environment
  }

  /** How the configuration looks from outside, with the files that its last reading named. */
  look(): Promise<string> {
    return fingerprintOf(this.#folder, this.#named)
  }

  /**
   * Reads everything. `rested` is how the files looked when they came to rest, where somebody has waited for that. Where something has
   * changed since, it waits by `rest`, for that may be the beginning of more, and reads again. Throws an `Outage` when they do not hold still.
   */
  async read(rested?: string, rest: () => Promise<string | undefined> = aMoment): Promise<SteadyReading> {
    let before = rested ?? (await this.look())
    for (let tries = 0; tries < mostTries; tries++) {
      const reading = await readSnapshot(this.#folder, this.#environment, this.#findPlugins)
      const heldStill = (await this.look()) === before
      const named = filesNamedBy(reading.snapshot)
      // How a file looked that nobody had named is not known, so a reading that names others than the one before is repeated.
      const areTheSame = named.length === this.#named.length && named.every(file => this.#named.includes(file))
      this.#named = named
      if (heldStill && areTheSame) {
        this.#findPlugins ??= pluginsOfTheStart(reading.parsed.plugins)
        return { ...reading, fingerprint: before, digest: await digestOf(reading.snapshot) }
      }
      before = (heldStill ? undefined : await rest()) ?? (await this.look())
    }
    throw new Outage('the files of the configuration change all the time: they cannot be read as they are at one moment')
  }

  /** Whether Git is changing files here: it holds this lock until all of them are written. */
  isCheckedOut(): boolean {
    for (let folder = this.#folder; ; folder = dirname(folder)) {
      if (existsSync(join(folder, '.git'))) return existsSync(join(folder, '.git/index.lock'))
      if (folder === dirname(folder)) return false
    }
  }

  /** Where a change may matter. */
  get places(): Places {
    const named = this.#named.map(file => dirname(resolve(this.#folder, file)))
    const own = ['', 'policies', ...Object.values(folders)].map(name => join(this.#folder, name))
    return { folders: new Set([...own, ...named]), files: new Set(this.#named.map(file => basename(file))) }
  }
}

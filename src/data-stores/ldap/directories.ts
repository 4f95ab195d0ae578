import type { Instant } from '../../outside.ts'
import type { Connection } from './connection.ts'
import type { Credentials } from './messages.ts'
import { type Directory, openConnection } from './open-connection.ts'
import { DirectoryRefusal, resultCodes } from './result-codes.ts'

/** The servers of one directory, and how they are logged on to. */
export interface DirectorySettings {
  readonly servers: readonly Directory[]
  /** `in-order`: the first that answers; `random`: any, so that the load is shared. */
  readonly choose: 'in-order' | 'random'
  readonly credentials: Credentials
  /** For TCP, TLS and the bind of one server together. */
  readonly connectMilliseconds: number
}

interface Health {
  failures: number
  /** Tried after the others until then. */
  downUntil: Instant
}

/** A connection, and which of the servers it goes to. */
export interface Opened {
  readonly connection: Connection
  readonly server: number
}

const longestDown = 30

/** Opens connections to whichever server of a directory can be reached. */
export class Directories {
  readonly settings: DirectorySettings
  readonly #now: () => Instant
  readonly #health: readonly Health[]

  constructor(settings: DirectorySettings, now: () => Instant) {
    this.settings = settings
    this.#now = now
    this.#health = settings.servers.map(() => ({ failures: 0, downUntil: 0 }))
  }

  /** A connection that is bound as the settings say. Throws why each of the servers could not be used. */
  open(credentials = this.settings.credentials): Promise<Opened> {
    return this.#openOneOf(this.#inTurn(), credentials)
  }

  /** The same to a server that comes before this one and is not known to be down; undefined where there is none. */
  async openBefore(server: number): Promise<Opened | undefined> {
    const better = this.#inTurn().filter(candidate => candidate < server && this.#isUp(candidate))
    return this.settings.choose === 'random' || better.length === 0 ? undefined : await this.#openOneOf(better, this.settings.credentials)
  }

  async #openOneOf(candidates: readonly number[], credentials: Credentials): Promise<Opened> {
    const failures: string[] = []
    for (const server of candidates) {
      try {
        return { connection: await this.#openTo(server, credentials), server }
      } catch (error) {
        // Another server has the same accounts: asking it, too, would only bring the account nearer to being locked.
        if (isRefusedLogOn(error)) throw error
        failures.push((error as Error).message)
      }
    }
    throw new Error(failures.join('; '))
  }

  async #openTo(server: number, credentials: Credentials): Promise<Connection> {
    const { servers, connectMilliseconds } = this.settings
    const health = this.#health[server] as Health
    try {
      const connection = await openConnection(servers[server] as Directory, credentials, connectMilliseconds)
      health.failures = 0
      health.downUntil = 0
      return connection
    } catch (error) {
      if (!isRefusedLogOn(error)) health.downUntil = this.#now() + Math.min(longestDown, 2 ** health.failures++)
      throw error
    }
  }

  /** Those that are up come first: nobody waits for one that is down while another one is there. */
  #inTurn(): number[] {
    const all = [...this.#health.keys()]
    const ordered = this.settings.choose === 'random' ? shuffled(all) : all
    return [...ordered.filter(server => this.#isUp(server)), ...ordered.filter(server => !this.#isUp(server))]
  }

  #isUp(server: number): boolean {
    return (this.#health[server]?.downUntil ?? 0) <= this.#now()
  }
}

/** Whether a directory does not take the name and the password (or the certificate). */
export function isRefusedLogOn(error: unknown): boolean {
  return error instanceof DirectoryRefusal && error.code === resultCodes.invalidCredentials
}

function shuffled(servers: readonly number[]): number[] {
  return servers
    .map(server => ({ server, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ server }) => server)
}

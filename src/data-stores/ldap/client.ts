import type { JsonObject } from '../../json.ts'
import { Outage } from '../../oauth/errors.ts'
import type { LookupParts, PreparedQuery, QueryValue, Row, StoreClient } from '../data-store.ts'
import { UnfitAnswer } from '../unfit-answer.ts'
import type { Connection } from './connection.ts'
import { type LogOns, nobodyBelow } from './log-ons.ts'
import type { Asking, Defaults, LdapLookup, Question } from './lookup.ts'
import { understand } from './lookup.ts'
import type { Aliases, Entry } from './messages.ts'
import { groupsOf, type NestedGroups } from './nested-groups.ts'
import type { Pool } from './pool.ts'
import { DirectoryRefusal, resultCodes } from './result-codes.ts'
import { attributeValue, type BinaryForm } from './values.ts'

/** What a directory is asked, and how its entries are read. */
export interface LdapClientSettings extends Defaults {
  readonly aliases: Aliases
  readonly attributes: Readonly<Record<string, JsonObject>>
  readonly binary: Readonly<Record<string, BinaryForm>>
  readonly nestedGroups: NestedGroups | undefined
}

/**
 * Proves a name and a password. Resolves to the attributes of the one who has both, or to undefined: who is not there and whose password is
 * wrong are not told apart. Throws an `Outage`.
 */
export type PreparedLogOn = (name: string, password: string, signal: AbortSignal) => Promise<Row | undefined>

interface FoundEntry {
  readonly dn: string
  /** What it has, or why that cannot be used. */
  readonly row: Row | UnfitAnswer
}

type Limits = Pick<LookupParts, 'attributes' | 'atMost' | 'timeout'>

/** The attribute that is the name of the entry. */
export const nameAttribute = 'dn'

/** Looks up entries of a directory. */
export class LdapClient implements StoreClient<LdapLookup> {
  readonly attributes: Readonly<Record<string, JsonObject>>
  readonly #settings: LdapClientSettings
  readonly #pool: Pool
  readonly #logOns: LogOns

  constructor(settings: LdapClientSettings, pool: Pool, logOns: LogOns) {
    this.attributes = settings.attributes
    this.#settings = settings
    this.#pool = pool
    this.#logOns = logOns
  }

  prepare(lookup: LdapLookup, parts: LookupParts): PreparedQuery {
    const asking = understand(lookup, this.#settings, parts)
    return {
      describe: values => asking.describe(values),
      run: async (values, signal) => (await this.#entries(values, asking, parts, signal)).map(usable),
    }
  }

  /** Prepares that people log on whom `lookup` finds by their names. */
  prepareLogOn(lookup: LdapLookup, parts: LookupParts): PreparedLogOn {
    const asking = understand(lookup, this.#settings, parts)
    return async (name, password, signal) => {
      const entries = await this.#entries([name], asking, parts, signal)
      const [entry, ...others] = entries
      const isOne = entry !== undefined && others.length === 0
      // Nobody is tried as well, so that those who are there take no longer than those who are not.
      const isProved = await this.#logOns.prove(isOne ? entry.dn : nobodyBelow(this.#settings.base), password, signal)
      // Only whoever has the password hears that something is wrong with the entry, and so that there is one.
      return isOne && isProved ? usable(entry) : undefined
    }
  }

  async #entries(values: readonly QueryValue[], asking: Asking, limits: Limits, signal: AbortSignal): Promise<readonly FoundEntry[]> {
    const question = asking.question(values)
    return question === undefined ? [] : await this.#ask(question, asking, limits, signal)
  }

  async #ask(question: Question, asking: Asking, limits: Limits, signal: AbortSignal): Promise<readonly FoundEntry[]> {
    try {
      return await this.#pool.use(signal, connection => this.#rows(connection, question, asking, limits, signal))
    } catch (error) {
      if (asking.baseVaries && isNoSuchBase(error)) return []
      // It has answered: else whoever may choose a value that is much work could keep everybody else from theirs.
      if (isLimit(error)) throw new UnfitAnswer('the directory gives up on this question by a limit of its own', error)
      throw error instanceof Outage ? error : new Outage('the directory did not answer as it should', error)
    }
  }

  async #rows(connection: Connection, question: Question, { scope }: Asking, limits: Limits, signal: AbortSignal): Promise<FoundEntry[]> {
    const { aliases } = this.#settings
    const timeLimit = Math.max(1, Math.ceil(limits.timeout))
    const search = { ...question, scope, aliases, sizeLimit: limits.atMost, timeLimit, attributes: this.#asked(limits.attributes) }
    const { entries, more } = await connection.search(search, signal)
    // A limit of the directory's own: which entries are missing, nobody knows.
    if (more && entries.length < limits.atMost) throw new UnfitAnswer(`the directory gives no more than ${entries.length} entries`)
    const found: FoundEntry[] = []
    for (const entry of entries) {
      found.push({ dn: entry.dn, row: await this.#row(entry, limits.attributes, connection, timeLimit, signal).catch(unfit) })
    }
    return found
  }

  /** What is asked of the directory itself. RFC 4511 §4.5.1.8: `1.1` is nothing, and an empty list would be everything. */
  #asked(attributes: readonly string[]): string[] {
    const names = attributes.filter(name => name !== nameAttribute && name !== this.#settings.nestedGroups?.as)
    return names.length === 0 ? ['1.1'] : names
  }

  async #row(entry: Entry, attributes: readonly string[], connection: Connection, timeLimit: number, signal: AbortSignal): Promise<Row> {
    const { nestedGroups, aliases } = this.#settings
    const row: Record<string, Row[string]> = {}
    for (const name of attributes) {
      if (name === nameAttribute) row[name] = entry.dn
      else if (name !== nestedGroups?.as) row[name] = this.#value(name, entry)
      else row[name] = await groupsOf(entry.dn, nestedGroups, connection, { aliases, timeLimit, signal })
    }
    return row
  }

  /** RFC 4512 §2.5: names of attributes, and their options, are the same in upper and lower case. */
  #value(name: string, entry: Entry): Row[string] {
    const wanted = name.toLowerCase()
    const found = entry.attributes.find(([sent]) => sent.toLowerCase() === wanted)
    // [MS-ADTS] §3.1.1.3.1.3.3: the first part of a long list, under a name of its own.
    if (entry.attributes.some(([sent]) => sent.toLowerCase().startsWith(`${wanted};range=`)))
      throw new UnfitAnswer(`the attribute "${name}" has more values than the directory gives at once`)
    return attributeValue({ name, schema: this.attributes[name] ?? {}, binary: this.#settings.binary[name] }, found?.[1] ?? [])
  }
}

function unfit(error: unknown): UnfitAnswer {
  if (error instanceof UnfitAnswer) return error
  throw error
}

function usable({ row }: FoundEntry): Row {
  if (row instanceof UnfitAnswer) throw row
  return row
}

/** The base was made of values: that there is none is an answer. */
function isNoSuchBase(error: unknown): boolean {
  return error instanceof DirectoryRefusal && (error.code === resultCodes.noSuchObject || error.code === resultCodes.invalidDnSyntax)
}

function isLimit(error: unknown): boolean {
  return (
    error instanceof DirectoryRefusal && (error.code === resultCodes.timeLimitExceeded || error.code === resultCodes.adminLimitExceeded)
  )
}

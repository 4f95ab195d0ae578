import { UnfitAnswer } from '../unfit-answer.ts'
import type { Connection } from './connection.ts'
import { encodeFilter, type Filter } from './filter.ts'
import type { Aliases, Entry } from './messages.ts'
import { parseName } from './names.ts'

/** How the groups of an entry are found, and those that these are in, and so on. */
export interface NestedGroups {
  /** The attribute that they become. */
  readonly as: string
  readonly base: string
  /** The attribute of a group that names its members. */
  readonly member: string
  /** What is taken of a group; `dn`: its name. */
  readonly attribute: string
  /** 1: only the groups that the entry itself is in. Else groups that are further away are no answer. */
  readonly maxDepth: number
  /** More than this are no answer. */
  readonly atMost: number
  /** Whether the directory follows them itself (Active Directory's LDAP_MATCHING_RULE_IN_CHAIN). */
  readonly matchingRule: boolean
}

/** [MS-ADTS] §3.1.1.3.4.4.3. */
const inChain = '1.2.840.113556.1.4.1941'
const membersInOneFilter = 50

/** What the groups of an entry are called, sorted. Throws an `UnfitAnswer` when there are more than the settings allow. */
export async function groupsOf(
  dn: string,
  groups: NestedGroups,
  connection: Connection,
  limits: { readonly aliases: Aliases; readonly timeLimit: number; readonly signal: AbortSignal },
): Promise<string[]> {
  const search = new GroupSearch(groups, async (filter: Filter) => {
    const { base, attribute, atMost } = groups
    const wanted = attribute === 'dn' ? ['1.1'] : [attribute]
    const { aliases, timeLimit, signal } = limits
    const asked = {
      base,
      scope: 'sub',
      aliases,
      sizeLimit: atMost + 1,
      timeLimit,
      filter: encodeFilter(filter, []),
      attributes: wanted,
    } as const
    const { entries, more } = await connection.search(asked, signal)
    if (more || entries.length > atMost)
      throw new UnfitAnswer(`an entry is in more than ${atMost} groups, or more than the directory tells`)
    return entries
  })
  return groups.matchingRule ? search.inChain(dn) : search.stepByStep(dn)
}

class GroupSearch {
  readonly #groups: NestedGroups
  readonly #search: (filter: Filter) => Promise<readonly Entry[]>
  readonly #seen = new Set<string>()
  readonly #names = new Set<string>()

  constructor(groups: NestedGroups, search: (filter: Filter) => Promise<readonly Entry[]>) {
    this.#groups = groups
    this.#search = search
  }

  async inChain(dn: string): Promise<string[]> {
    const value = [Buffer.from(dn, 'utf8')]
    const filter = { kind: 'extensible', rule: inChain, attribute: this.#groups.member, dnAttributes: false, value } as const
    this.#learn(await this.#search(filter))
    return [...this.#names].sort()
  }

  /** Breadth first. A group that was seen is not asked about again, so that a circle of groups has an end. */
  async stepByStep(dn: string): Promise<string[]> {
    this.#seen.add(canonical(dn))
    const { maxDepth } = this.#groups
    let members = [dn]
    for (let depth = 0; depth < maxDepth && members.length > 0; depth++) members = await this.#step(members)
    const names = [...this.#names].sort()
    // A group that was left out could be the one of those who are locked out.
    if (maxDepth > 1 && members.length > 0 && (await this.#step(members)).length > 0)
      throw new UnfitAnswer(`an entry is in groups within groups that are more than ${maxDepth} deep`)
    return names
  }

  async #step(members: readonly string[]): Promise<string[]> {
    const found: string[] = []
    for (let start = 0; start < members.length; start += membersInOneFilter) {
      found.push(...this.#learn(await this.#search(this.#hasOneOf(members.slice(start, start + membersInOneFilter)))))
    }
    return found
  }

  #hasOneOf(members: readonly string[]): Filter {
    const parts = members.map(dn => ({ kind: 'equal', attribute: this.#groups.member, value: [Buffer.from(dn, 'utf8')] }) as const)
    return { kind: 'or', parts }
  }

  /** The names of the groups that are new. */
  #learn(entries: readonly Entry[]): string[] {
    const found = entries.filter(({ dn }) => !this.#seen.has(canonical(dn)))
    for (const entry of found) {
      this.#seen.add(canonical(entry.dn))
      for (const name of namesOf(entry, this.#groups.attribute)) this.#names.add(name)
    }
    const { atMost } = this.#groups
    if (this.#names.size > atMost) throw new UnfitAnswer(`an entry is in more than ${atMost} groups`)
    return found.map(({ dn }) => dn)
  }
}

function namesOf({ dn, attributes }: Entry, attribute: string): string[] {
  if (attribute === 'dn') return [dn]
  return attributes.filter(([name]) => name.toLowerCase() === attribute.toLowerCase()).flatMap(([, values]) => values.map(String))
}

function canonical(dn: string): string {
  try {
    return JSON.stringify(parseName(dn))
  } catch {
    // The directory sent it: it is good for being asked about, whatever it is.
    return dn
  }
}

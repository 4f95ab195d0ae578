import { z } from 'zod'
import { Attempts } from '../clients/attempts.ts'
import type { CompiledSchema } from '../config/json-schema.ts'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { distinct, duration, type Reference, reference, TemplateSource } from '../config/values.ts'
import type { DataStore, LookupParts, Row, Template } from '../data-stores/data-store.ts'
import { fittingRows } from '../data-stores/fitting-rows.ts'
import { inTime } from '../data-stores/in-time.ts'
import { LdapClient, type PreparedLogOn } from '../data-stores/ldap/client.ts'
import { readTemplate, TemplateMistake } from '../data-stores/template.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Outside } from '../outside.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { lookupSchema } from '../policies/lookup-schema.ts'
import { AssumptionMistake } from './assumed.ts'
import type { KnownUser, Users } from './users.ts'

const templateText = z
  .string()
  .min(1)
  .transform(source => new TemplateSource(source))

/** The members of a processor whose users a directory has. */
export const directoryMembers = {
  dataStore: reference('data-stores').optional().meta({ description: 'The directory (a data store of type "ldap") that has the users' }),
  filter: templateText.optional().meta({ description: 'Which entry has the user: "(uid={username})"' }),
  base: templateText.optional().meta({ description: 'Below which name (default: "base" of the data store)' }),
  scope: z.enum(['base', 'one', 'sub']).optional().meta({ description: 'How far below it (default: "scope" of the data store)' }),
  nameAttribute: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'The attribute that the user is called by from here on (default: the one that "filter" compares with the name)' }),
  attributes: distinct(z.string().min(1))
    .optional()
    .meta({ description: 'Which attributes are read as assertion.attributes (default: all that the data store has)' }),
  timeout: duration
    .refine(seconds => seconds >= 1 && seconds <= 60, 'must be between "1s" and "60s"')
    .optional()
    .meta({ description: 'How long the directory may take, with the proof of the password (default "5s")' }),
}

/** What such a processor says. */
export type DirectoryMembers = z.output<z.ZodObject<typeof directoryMembers>>

interface Settings {
  readonly filter: TemplateSource
  readonly nameAttribute: string
  readonly attributes: readonly string[]
  readonly timeout: number
}

/** Builds them. Throws a `SettingProblem`. */
export function buildDirectoryUsers(dataStore: Reference, members: DirectoryMembers, parts: Parts): Users {
  const store = parts.dataStore(dataStore)
  const { client } = store
  if (!(client instanceof LdapClient))
    throw new SettingProblem(['dataStore'], `"${store.id}" is of type "${store.type}"; people log on to "ldap" only`)
  const settings = settingsOf(members, store, parts)
  const names = [...new Set([settings.nameAttribute, ...settings.attributes])]
  const { base, scope } = members
  const lookup = { filter: settings.filter, base, scope, lookalikes: false }
  const logOn = client.prepareLogOn(lookup, lookupParts(names, settings.timeout, parts))
  const schemas = names.map(name => ({ name, schema: parts.jsonSchema(store.attributes[name] ?? {}, ['attributes']) }))
  return new DirectoryUsers(settings, { store, logOn, schemas, setting: parts.settingAt(['dataStore']), id: parts.id }, parts.outside)
}

function settingsOf(members: DirectoryMembers, store: DataStore, parts: Parts): Settings {
  const { filter, timeout = 5, attributes = Object.keys(store.attributes) } = members
  if (filter === undefined) throw new SettingProblem(['dataStore'], 'needs a "filter" that finds the user: "(uid={username})"')
  const nameAttribute = members.nameAttribute ?? comparedAttribute(filter, store)
  if (nameAttribute === undefined)
    throw new SettingProblem(['filter'], 'does not tell what the user is called: name the attribute with "nameAttribute"')
  const check = (name: string, path: Path) => {
    if (Object.hasOwn(store.attributes, name)) return
    parts.problem(path, `the data store "${store.id}" has no attribute "${name}"${didYouMean(name, Object.keys(store.attributes))}`)
  }
  check(nameAttribute, ['nameAttribute'])
  for (const [index, name] of attributes.entries()) check(name, ['attributes', index])
  const type = store.attributes[nameAttribute]?.type
  if (type !== undefined && ![type].flat().includes('string'))
    parts.problem(['nameAttribute'], `the data store declares "${nameAttribute}" to be no text`)
  return { filter, nameAttribute, attributes, timeout }
}

/** The attribute of `(uid={username})`, where it is one that the store has. */
function comparedAttribute({ source }: TemplateSource, { attributes }: DataStore): string | undefined {
  const [only, ...others] = [...source.matchAll(/\(([^()=]+)=\{\s*username\s*\}\)/g)].map(([, name = '']) => name.toLowerCase())
  return others.length > 0 ? undefined : Object.keys(attributes).find(name => name.toLowerCase() === only)
}

function lookupParts(attributes: readonly string[], timeout: number, parts: Parts): LookupParts {
  const problem: LookupParts['problem'] = (path, message, offset) => parts.problem(path, message, offset)
  return {
    attributes,
    // One more than may be.
    atMost: 2,
    timeout,
    template: (source, path) => nameTemplate(source, path, problem),
    problem,
    warn: (code, path, message) => parts.warn(code, path, message),
  }
}

/** Here nothing but the name is known. */
function nameTemplate({ source }: TemplateSource, path: Path, problem: LookupParts['problem']): Template {
  try {
    const pieces = readTemplate(source).map(piece => {
      if ('text' in piece) return piece
      if (piece.expression.trim() !== 'username') problem(path, 'nothing but {username} is known here', piece.offset)
      return { value: 0, source: piece.expression, offset: piece.offset - 1 }
    })
    if (path[0] === 'filter' && pieces.every(piece => 'text' in piece)) problem(path, 'has to look for the {username}')
    return { source, pieces }
  } catch (error) {
    if (!(error instanceof TemplateMistake)) throw error
    problem(path, error.message, error.offset)
    return { source, pieces: [] }
  }
}

interface Asked {
  readonly store: DataStore
  readonly logOn: PreparedLogOn
  readonly schemas: ReadonlyArray<{ readonly name: string; readonly schema: CompiledSchema }>
  readonly setting: string
  /** Of the processor. */
  readonly id: string
}

class DirectoryUsers implements Users {
  readonly attributes: JsonObject
  readonly #settings: Settings
  readonly #asked: Asked
  readonly #outside: Outside
  readonly #attempts: Attempts
  readonly #fitting: (row: Row) => Row

  constructor(settings: Settings, asked: Asked, outside: Outside) {
    const { store, schemas, setting } = asked
    this.#settings = settings
    this.#asked = asked
    this.#outside = outside
    this.#attempts = new Attempts(outside)
    this.#fitting = fittingRows(store.id, schemas, setting)
    const declared = Object.fromEntries(settings.attributes.map(name => [name, store.attributes[name] ?? {}]))
    this.attributes = lookupSchema(declared, { many: 'refuse', ifMissing: 'refuse', ifDown: 'refuse' })
  }

  async logOn(name: string, password: string, clientIp: string): Promise<KnownUser> {
    // In lower case: to a directory `Alice` and `alice` are one, and would otherwise be guessed twice.
    const counted = `users of ${this.#asked.id}: ${name.toLowerCase()}`
    // Counted before, not after: otherwise as many guesses as fit into one moment would be free.
    await this.#attempts.count(counted, clientIp)
    // RFC 4513 §5.1.2: a directory takes a name without a password for nobody, and says yes.
    const found = password === '' ? undefined : await this.#ask(name, password)
    if (found === undefined) throw new TokenRejected('the user name or the password is wrong', { member: 'dataStore' })
    await this.#attempts.forget(counted, clientIp)
    return this.#user(found)
  }

  assume({ username, attributes = {} }: JsonObject): KnownUser {
    if (typeof username !== 'string') throw new AssumptionMistake(['username'], 'says no name')
    if (!isJsonObject(attributes)) throw new AssumptionMistake(['attributes'], 'is no object')
    for (const name of Object.keys(attributes).filter(name => !this.#settings.attributes.includes(name))) {
      throw new AssumptionMistake(['attributes', name], 'is none of "attributes"')
    }
    return this.#user({ ...attributes, [this.#settings.nameAttribute]: username })
  }

  async #ask(name: string, password: string): Promise<Row | undefined> {
    const { store, logOn } = this.#asked
    const { now, log } = this.#outside
    const ask = () => inTime(this.#settings.timeout, `the data store "${store.id}"`, signal => logOn(name, password, signal))
    return await store.breaker.run(ask, { store: store.id, now, log })
  }

  #user(row: Row): KnownUser {
    const { nameAttribute, attributes } = this.#settings
    const fit = this.#fitting(row) as JsonObject
    const name = fit[nameAttribute]
    // Who has a password and no name is nobody here.
    if (typeof name !== 'string' || name === '') throw new TokenRejected('the user has no name', { member: 'nameAttribute' })
    return { name, attributes: Object.fromEntries(Object.entries(fit).filter(([attribute]) => attributes.includes(attribute))) }
  }
}

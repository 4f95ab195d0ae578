import { type Place, placeOf } from '../config/problems.ts'
import type { SourceFile } from '../config/read.ts'
import type { JsonObject } from '../json.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import type { Instant } from '../outside.ts'
import type { Expectation } from './expectation.ts'
import { isMessage, type TestSettings } from './test-file.ts'

/** The parameters of a request, by their names on the wire. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>

/** A message to the security token service, in the words of the wire. */
export interface MessageParameters {
  readonly connection: string | undefined
  readonly virtualServerId: string | undefined
  readonly requestType: 'Issue' | 'Validate'
  readonly tokenType: string | undefined
  readonly appliesTo: string | undefined
  readonly actAs: boolean
}

/** What lookups find, as a case has it: one entry, several, or nothing. */
export type GivenAnswers = Readonly<Record<string, JsonObject | readonly JsonObject[] | null>>

/** One case of a file, with the defaults of the file in it. */
export interface PolicyCase {
  readonly name: string
  readonly place: Place
  readonly client: string
  readonly clientIp: string
  /** Undefined: the time of day. */
  readonly now: Instant | undefined
  readonly request: Parameters
  /** Instead of the request, where the case is one of WS-Trust. */
  readonly message?: MessageParameters | undefined
  readonly subject: JsonObject
  readonly actor: JsonObject | undefined
  /** What lookups find, by their names. */
  readonly lookups?: GivenAnswers
  readonly expect: Expectation
}

/** The cases of a file. */
export function casesOf({ file, text }: Pick<SourceFile, 'file' | 'text'>, { defaults, cases }: TestSettings): readonly PolicyCase[] {
  return cases.map((each, index) => {
    const { client, clientIp, now } = { ...defaults, ...present(each) }
    // A default is for the cases that have an actor at all.
    const actor = each.actor === null ? undefined : merged(defaults.actor ?? undefined, each.actor)
    return {
      name: each.name,
      place: placeOf(file, text, ['cases', index]),
      client: client?.id ?? '',
      clientIp: clientIp ?? '127.0.0.1',
      now: now === undefined ? undefined : Date.parse(now) / 1000,
      request: requestOf(defaults.request, each.request),
      message: isMessage(each, defaults) ? messageOf({ ...defaults.message, ...each.message }, actor !== undefined) : undefined,
      subject: merged(defaults.subject, each.subject) ?? {},
      actor,
      lookups: { ...defaults.lookups, ...each.lookups } as GivenAnswers,
      expect: each.expect,
    }
  })
}

function requestOf(defaults: object = {}, own: object = {}): Parameters {
  const all = Object.entries({ grant_type: tokenExchangeGrant, ...defaults, ...own })
  return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== null)) as Parameters
}

function messageOf(all: NonNullable<TestSettings['defaults']['message']>, hasActor: boolean): MessageParameters {
  return {
    connection: all.connection?.id,
    virtualServerId: all.virtualServerId ?? undefined,
    requestType: all.RequestType ?? 'Issue',
    tokenType: all.TokenType ?? undefined,
    appliesTo: all.AppliesTo ?? undefined,
    actAs: all.ActAs ?? hasActor,
  }
}

// Null stays: it also takes away what such a token usually says.
function merged(defaults: object | undefined, own: object | undefined): JsonObject | undefined {
  return defaults === undefined && own === undefined ? undefined : { ...defaults, ...own }
}

function present<Members extends object>(members: Members): Partial<Members> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<Members>
}

import { z } from 'zod'
import { template } from '../../config/values.ts'
import { isSlot, type LookupParts, type QueryValue, type Template } from '../data-store.ts'
import { isSendable, isTakenForItself } from './askable.ts'
import { encodeFilter, type Filter } from './filter.ts'
import { TemplateMistake } from './held.ts'
import type { Scope } from './messages.ts'
import { type CanonicalName, checkNameTemplate, escapeNameValue, isWithin, parseName } from './names.ts'
import { parseFilter } from './parse-filter.ts'
import { scope } from './settings.ts'

/** The members of a lookup in an `ldap` data store. */
export const ldapLookupShape = {
  filter: template.meta({ description: 'Which entry is looked for (RFC 4515): "(mail={subject.email})"' }),
  base: template
    .optional()
    .meta({ description: 'Below which name (default: "base" of the data store): "ou={subject.tenant},dc=example,dc=com"' }),
  within: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Where "base" is wholly a value, such as "{lookup.person.manager}": the name that it has to be below' }),
  scope: scope.optional(),
  lookalikes: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether values are looked for that the directory takes for others (RFC 4518); by default they find nothing' }),
}

/** A lookup as its file has it. */
export type LdapLookup = z.output<z.ZodObject<typeof ldapLookupShape>>

/** What is asked, with its values. */
export interface Question {
  readonly base: string
  readonly filter: Buffer
}

/** A lookup that was understood. */
export interface Asking {
  readonly scope: Scope
  /** Whether an absent base may be the doing of a value. */
  readonly baseVaries: boolean
  /** Undefined where these values can find nothing. */
  question(values: readonly QueryValue[]): Question | undefined
  /** For people. */
  describe(values: readonly QueryValue[]): string
}

/** Where a lookup searches that does not say so. */
export interface Defaults {
  readonly base: string
  readonly scope: Scope
}

interface Base {
  readonly varies: boolean
  /** Undefined where the values are none for a name. */
  with(values: readonly string[]): string | undefined
}

const nowhere: Filter = { kind: 'or', parts: [] }

/** Checks the filter and the base of a lookup: a value may stand only where their languages have one. */
export function understand(lookup: LdapLookup, defaults: Defaults, parts: Pick<LookupParts, 'template' | 'problem' | 'warn'>): Asking {
  const template = parts.template(lookup.filter, ['filter'])
  const filter = soundFilter(template, parts)
  const base = baseOf(lookup, defaults.base, parts)
  const scope = lookup.scope ?? defaults.scope
  if (lookup.lookalikes) parts.warn('ldap-lookalikes', ['lookalikes'], 'finds entries of others by names that look like theirs')
  const texts = (values: readonly QueryValue[]) => values.map(textOf)
  return {
    scope,
    baseVaries: base.varies,
    question(values) {
      const all = texts(values)
      if (!all.every(value => isSendable(value) && (lookup.lookalikes || isTakenForItself(value)))) return undefined
      const where = base.with(all)
      return where === undefined ? undefined : { base: where, filter: encodeFilter(filter, inOrder(template, all)) }
    },
    describe(values) {
      const all = texts(values)
      const where = base.with(all) ?? '(no name)'
      const text = `${filled(template, all, escapeFilterValue)}, ${scope} of ${where}`
      return this.question(values) === undefined
        ? `${text} (not asked: a value that is empty, or that a directory takes for another)`
        : text
    },
  }
}

function soundFilter(template: Template, parts: Pick<LookupParts, 'problem'>): Filter {
  // Its braces were reported.
  if (template.pieces.length === 0) return nowhere
  return attempt(['filter'], parts, () => parseFilter(textsOf(template))) ?? nowhere
}

function baseOf(lookup: LdapLookup, usual: string, parts: Pick<LookupParts, 'template' | 'problem'>): Base {
  const { base, within } = lookup
  const template = base && parts.template(base, ['base'])
  const isValue = template !== undefined && template.pieces.length === 1 && template.pieces.every(isSlot)
  if (isValue) return baseByValue(template, within, parts)
  if (within !== undefined) parts.problem(['within'], '"base" is not wholly a value')
  if (template === undefined) return { varies: false, with: () => usual }
  attempt(['base'], parts, () => checkNameTemplate(textsOf(template)))
  return { varies: template.pieces.some(isSlot), with: values => filled(template, values, escapeNameValue) }
}

function baseByValue(template: Template, within: string | undefined, parts: Pick<LookupParts, 'problem'>): Base {
  if (within === undefined) parts.problem(['base'], 'is wholly a value, and so anywhere: say with "within" what it has to be below')
  const above = attempt(['within'], parts, () => parseName(within ?? '')) ?? []
  return {
    varies: true,
    with: values =>
      nameBelow(
        filled(template, values, value => value),
        above,
      ),
  }
}

function nameBelow(text: string, above: CanonicalName): string | undefined {
  try {
    return isWithin(parseName(text), above) ? text : undefined
  } catch (error) {
    if (error instanceof TemplateMistake) return undefined
    throw error
  }
}

function attempt<Result>(path: readonly string[], parts: Pick<LookupParts, 'problem'>, parse: () => Result): Result | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof TemplateMistake)) throw error
    parts.problem(path, error.message)
    return undefined
  }
}

/** What stands before, between and after the values. */
function textsOf({ pieces }: Template): string[] {
  const texts = ['']
  for (const piece of pieces) {
    if (isSlot(piece)) texts.push('')
    else texts[texts.length - 1] += piece.text
  }
  return texts
}

/** The values in the order in which a template has places for them. */
function inOrder({ pieces }: Template, values: readonly string[]): string[] {
  return pieces.filter(isSlot).map(({ value }) => values[value] ?? '')
}

function filled({ pieces }: Template, values: readonly string[], written: (value: string) => string): string {
  return pieces.map(piece => (isSlot(piece) ? written(values[piece.value] ?? '') : piece.text)).join('')
}

/** RFC 4515 §3. It is for people: what is sent is not made of it. */
function escapeFilterValue(value: string): string {
  return value.replace(/[\p{Cc}*()\\]/gu, character => Buffer.from(character, 'utf8').toString('hex').replace(/../g, '\\$&'))
}

/** RFC 4517 §3.3.3: how a directory writes what is true. */
function textOf(value: QueryValue): string {
  return typeof value === 'boolean' ? String(value).toUpperCase() : String(value)
}

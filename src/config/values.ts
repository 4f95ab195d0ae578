import { z } from 'zod'
import { type FolderKind, folders } from './folders.ts'
import { didYouMean } from './suggest.ts'

/** A member that names another file: `"signingKey": "api-2026"`. Parsed into an object, so that all references of a file can be found by looking at its values. */
export class Reference {
  readonly kind: FolderKind
  readonly id: string
  constructor(kind: FolderKind, id: string) {
    this.kind = kind
    this.id = id
  }
}

/** A member that names a scope of `server.json`. */
export class ScopeName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A text that stands outside of the configuration: a secret, a key, a certificate. Read while loading; `Parts.text` gives the content. */
export class ExternalText {
  readonly from: 'env' | 'file'
  readonly name: string
  constructor(from: 'env' | 'file', name: string) {
    this.from = from
    this.name = name
  }
}

/** The source of a CEL expression; the policy that it stands in compiles it, because only that knows the variables. */
export class ExpressionSource {
  readonly source: string
  /** Where it begins within the text that it stands in. */
  readonly offset: number
  constructor(source: string, offset = 0) {
    this.source = source
    this.offset = offset
  }
}

/** The source of a text in a query with `{expression}` where a value goes; the store that the query is for says what the text means. */
export class TemplateSource {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

/**
 * An object with exactly these members. An unknown one is an error that suggests the nearest known one; `absent` says of members that
 * its siblings have why it has none of that name; `elsewhere` are members that it may have and that somebody else checks.
 */
export function strict<Shape extends z.ZodRawShape>(
  shape: Shape,
  absent: Readonly<Record<string, string>> = {},
  elsewhere: readonly string[] = [],
) {
  const known = [...Object.keys(shape), ...elsewhere]
  const hint = (key: string) => (Object.hasOwn(absent, key) ? `: ${absent[key]}` : didYouMean(key, known))
  return z.strictObject(shape, {
    error: issue =>
      issue.code === 'unrecognized_keys' ? issue.keys.map(key => `unknown member "${key}"${hint(key)}`).join('\n') : undefined,
  })
}

/** Members that every file may have. */
export const everyFile = {
  $schema: z.string().optional().meta({ description: 'Where the schema of this file is, for editors' }),
  description: z.string().optional().meta({ description: 'What this file is for, in your own words' }),
}

/** The id of another file of the given kind. */
export function reference(kind: FolderKind) {
  return z
    .string()
    .min(1)
    .meta({ description: `The id of a file in ${folders[kind]}/` })
    .transform(id => new Reference(kind, id))
}

/** A scope that `server.json` lists. */
export const scopeName = z
  .string()
  .min(1)
  .meta({ description: 'A scope that server.json lists' })
  .transform(name => new ScopeName(name))

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

const durationHint = 'expected a duration such as "30s", "5m" or "1h"'

/** A duration such as `"30s"`, `"5m"`, `"1h"`, parsed into seconds. */
export const duration = z
  .string(durationHint)
  .regex(/^[0-9]{1,9}[smhd]$/, durationHint)
  .meta({ description: 'A duration such as "30s", "5m", "1h" or "1d"' })
  .transform(text => Number(text.slice(0, -1)) * (unitSeconds[text.slice(-1)] ?? Number.NaN))

/** A duration of at least one second. */
export const lifetime = duration
  .refine(seconds => seconds >= 1, 'must be at least "1s"')
  // Far beyond it lie instants that cannot be written as dates.
  .refine(seconds => seconds <= 3_650 * 86_400, 'must be at most "3650d"')

const externalForms = 'write { "env": "NAME" } or { "file": "path" }'
const literalHint = `a secret or a key never stands in the configuration itself: ${externalForms}`

/** `{ "env": "NAME" }` or `{ "file": "path" }`. A literal is refused with that hint. */
export const externalText = z
  .strictObject(
    {
      env: z.string().min(1).optional().meta({ description: 'The name of an environment variable' }),
      file: z.string().min(1).optional().meta({ description: 'A path, relative to the configuration folder' }),
    },
    { error: externalProblem },
  )
  .refine(value => (value.env === undefined) !== (value.file === undefined), 'expected exactly one of "env" and "file"')
  .meta({ description: 'Where it stands', minProperties: 1, maxProperties: 1 })
  .transform(value => (value.env === undefined ? new ExternalText('file', value.file ?? '') : new ExternalText('env', value.env)))

function externalProblem(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => `unknown member "${key}"${didYouMean(key, ['env', 'file']) || `; ${externalForms}`}`).join('\n')
  return issue.input === undefined ? externalForms : literalHint
}

/** A name that is compared letter by letter with what tokens say. */
export const exactName = z
  .string()
  .min(1)
  .regex(/^(?!\s)(?!.*\s$)/, 'has white space before or after it')

/** A CEL expression. */
export const expression = z
  .string()
  .min(1)
  .meta({ description: 'A CEL expression' })
  .transform(source => new ExpressionSource(source))

/** A text in a query, with CEL expressions in braces where values go. */
export const template = z
  .string()
  .min(1)
  .meta({ description: 'A text in which {expression} stands for a value; {{ and }} are braces themselves' })
  .transform(source => new TemplateSource(source))

/** An absolute http(s) URL. */
export const webAddress = z
  .string()
  .refine(isWebAddress, {
    error: 'expected an absolute http or https URL without user information and fragment',
    // Whatever comes after it may rely on a URL.
    abort: true,
  })
  .meta({ format: 'uri' })

function isWebAddress(text: string): boolean {
  if (!/^[\x21-\x7e]+$/.test(text) || !URL.canParse(text)) return false
  const { protocol, username, password, hash } = new URL(text)
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === ''
}

/** A list in which nothing is named twice. */
export function distinct<Item extends z.ZodType>(item: Item) {
  return z.array(item).superRefine((items, context) => {
    const seen = new Set<string>()
    for (const [index, entry] of items.entries()) {
      const text = JSON.stringify(entry)
      if (seen.has(text)) context.addIssue({ code: 'custom', path: [index], message: 'stands in this list twice' })
      seen.add(text)
    }
  })
}

/** `mode` of what may be tried out before it refuses anything. */
export const enforcement = z
  .enum(['enforce', 'audit'])
  .default('enforce')
  .meta({ description: '"audit": what it would refuse is recorded and counted, and not refused' })

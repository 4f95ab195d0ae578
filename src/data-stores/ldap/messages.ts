import { boolean, Elements, element, integer, integerContent, Malformed, octets, tags } from './ber.ts'

/** How a connection says who it is (RFC 4513 §5). */
export type Credentials =
  | { readonly method: 'anonymous' }
  | { readonly method: 'simple'; readonly dn: string; readonly password: string }
  /** SASL EXTERNAL: the certificate of the TLS connection (RFC 4513 §5.2.3). */
  | { readonly method: 'external' }

/** How far below its base a search looks (RFC 4511 §4.5.1.2). */
export type Scope = 'base' | 'one' | 'sub'

/** When aliases are followed (RFC 4511 §4.5.1.3). */
export type Aliases = 'never' | 'searching' | 'finding' | 'always'

/** A search (RFC 4511 §4.5.1). */
export interface Search {
  readonly base: string
  readonly scope: Scope
  readonly aliases: Aliases
  /** The most entries that are asked for. */
  readonly sizeLimit: number
  /** Seconds that the server may take. */
  readonly timeLimit: number
  /** Encoded, as `encodeFilter` does. */
  readonly filter: Buffer
  readonly attributes: readonly string[]
}

/** An entry as the directory sent it: values are bytes, under the names that it used. */
export interface Entry {
  readonly dn: string
  readonly attributes: ReadonlyArray<readonly [name: string, values: readonly Buffer[]]>
}

/** How an operation ended (RFC 4511 §4.1.9). */
export interface Result {
  readonly code: number
  readonly diagnostic: string
}

/** What a directory sent. */
export type Response =
  | { readonly kind: 'entry'; readonly id: number; readonly entry: Entry }
  /** Another directory has more (RFC 4511 §4.5.3). It is not asked. */
  | { readonly kind: 'reference'; readonly id: number }
  | { readonly kind: 'result'; readonly id: number; readonly of: ResultOf; readonly result: Result }

/** Which operation it was that ended. */
export type ResultOf = 'bind' | 'search' | 'extended'

const application = { bind: 0x60, unbind: 0x42, search: 0x63, abandon: 0x50, extended: 0x77, entry: 0x64, reference: 0x73 } as const
const results: Readonly<Record<number, ResultOf>> = { 97: 'bind', 101: 'search', 120: 'extended' }
const scopes: Readonly<Record<Scope, number>> = { base: 0, one: 1, sub: 2 }
const aliasChoices: Readonly<Record<Aliases, number>> = { never: 0, searching: 1, finding: 2, always: 3 }
const startTlsName = '1.3.6.1.4.1.1466.20037'

export function bindRequest(id: number, credentials: Credentials): Buffer {
  const dn = credentials.method === 'simple' ? credentials.dn : ''
  return message(id, element(application.bind, integer(3), octets(dn), authentication(credentials)))
}

function authentication(credentials: Credentials): Buffer {
  // RFC 4422 appendix A.1: no other name is asked for.
  if (credentials.method === 'external') return element(0xa3, octets('EXTERNAL'), octets(''))
  return octets(credentials.method === 'simple' ? credentials.password : '', 0x80)
}

export function searchRequest(id: number, search: Search): Buffer {
  return message(
    id,
    element(
      application.search,
      octets(search.base),
      integer(scopes[search.scope], tags.enumerated),
      integer(aliasChoices[search.aliases], tags.enumerated),
      integer(search.sizeLimit),
      integer(search.timeLimit),
      boolean(false),
      search.filter,
      element(tags.sequence, ...search.attributes.map(name => octets(name))),
    ),
  )
}

/** RFC 4511 §4.11. The directory does not answer it. */
export function abandonRequest(id: number, abandoned: number): Buffer {
  return message(id, element(application.abandon, integerContent(abandoned)))
}

/** RFC 4511 §4.14.1. */
export function startTlsRequest(id: number): Buffer {
  return message(id, element(application.extended, octets(startTlsName, 0x80)))
}

export function unbindRequest(id: number): Buffer {
  return message(id, element(application.unbind))
}

function message(id: number, operation: Buffer): Buffer {
  return element(tags.sequence, integer(id), operation)
}

/** Reads one message of a directory (RFC 4511 §4.1.1). Throws `Malformed`. Controls are not asked for, and not read. */
export function readResponse(bytes: Buffer): Response {
  const parts = new Elements(bytes).inside(tags.sequence)
  const id = parts.takeInteger()
  const { tag, content } = parts.next()
  if (tag === application.entry) return { kind: 'entry', id, entry: readEntry(new Elements(content)) }
  if (tag === application.reference) return { kind: 'reference', id }
  const of = results[tag]
  if (of === undefined) throw new Malformed(`an answer of tag ${tag}, which nothing asks for`)
  return { kind: 'result', id, of, result: readResult(new Elements(content)) }
}

function readResult(parts: Elements): Result {
  const code = parts.takeInteger(tags.enumerated)
  parts.takeText()
  return { code, diagnostic: parts.takeText() }
}

function readEntry(parts: Elements): Entry {
  const dn = parts.takeText()
  const listed = parts.inside(tags.sequence)
  const attributes: Array<readonly [string, readonly Buffer[]]> = []
  while (listed.more) attributes.push(readAttribute(listed.inside(tags.sequence)))
  return { dn, attributes }
}

function readAttribute(parts: Elements): readonly [string, readonly Buffer[]] {
  const name = parts.takeText()
  const listed = parts.inside(tags.set)
  const values: Buffer[] = []
  while (listed.more) values.push(listed.take(tags.octets))
  return [name, values]
}

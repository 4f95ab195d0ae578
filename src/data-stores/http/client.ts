import type { Path } from '../../config/problems.ts'
import { didYouMean } from '../../config/suggest.ts'
import { TemplateSource } from '../../config/values.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../json.ts'
import { isSlot, type LookupParts, type PreparedQuery, type QueryValue, type Row, type StoreClient, type Template } from '../data-store.ts'
import { pathProblem, pathWith } from './address.ts'
import { hasLostDigits, valueAt } from './pointer.ts'
import { type HttpQuestion, type Service, unreadable } from './service.ts'
import type { BodySource, HttpLookup } from './settings.ts'

/** Lookups in a service that answers with JSON. */
export class HttpClient implements StoreClient<HttpLookup> {
  readonly attributes: Readonly<Record<string, JsonObject>>
  readonly #service: Service

  constructor(attributes: Readonly<Record<string, JsonObject>>, service: Service) {
    this.attributes = attributes
    this.#service = service
  }

  prepare(lookup: HttpLookup, parts: LookupParts): PreparedQuery {
    const path = parts.template(lookup.path, ['path'])
    const problem = pathProblem(path)
    if (problem !== undefined) parts.problem(['path'], problem.message, problem.offset)
    if (lookup.body !== undefined && lookup.method === 'GET') parts.problem(['body'], 'is for "method": "POST"')
    for (const name of Object.keys(lookup.pointers)) {
      if (!parts.attributes.includes(name))
        parts.problem(['pointers', name], `"attributes" has no "${name}"${didYouMean(name, parts.attributes)}`)
    }
    const parameters = Object.entries(lookup.parameters).map(([name, source]) => {
      return { name, value: parts.template(source, ['parameters', name]) }
    })
    const body = lookup.body === undefined ? undefined : compiledBody(lookup.body, ['body'], parts)
    return new HttpQuery({ lookup, path, parameters, body, service: this.#service, parts })
  }
}

type Body = (values: readonly QueryValue[]) => JsonValue

// Values become JSON strings, or are the whole of one: there is no text of JSON that they could leave.
function compiledBody(source: BodySource, path: Path, parts: LookupParts): Body {
  if (source instanceof TemplateSource) {
    const template = parts.template(source, path)
    const [only, ...others] = template.pieces
    const slot = only !== undefined && others.length === 0 && isSlot(only) ? only : undefined
    return values => (slot === undefined ? textOf(template, values) : (values[slot.value] ?? ''))
  }
  if (typeof source !== 'object' || source === null) return () => source
  if (Array.isArray(source)) {
    const items = source.map((item, index) => compiledBody(item, [...path, index], parts))
    return values => items.map(item => item(values))
  }
  const members = Object.entries(source).map(([name, item]) => [name, compiledBody(item, [...path, name], parts)] as const)
  return values => Object.fromEntries(members.map(([name, member]) => [name, member(values)]))
}

function textOf({ pieces }: Template, values: readonly QueryValue[]): string {
  return pieces.map(piece => (isSlot(piece) ? String(values[piece.value]) : piece.text)).join('')
}

interface HttpQueryParts {
  readonly lookup: HttpLookup
  readonly path: Template
  readonly parameters: ReadonlyArray<{ readonly name: string; readonly value: Template }>
  readonly body: Body | undefined
  readonly service: Service
  readonly parts: LookupParts
}

class HttpQuery implements PreparedQuery {
  readonly #parts: HttpQueryParts

  constructor(parts: HttpQueryParts) {
    this.#parts = parts
  }

  describe(values: readonly QueryValue[]): string {
    const question = this.#askable(values)
    if (question === undefined) return 'nothing is asked: one of the values is empty, or cannot stand in an address'
    const { method, path, body } = question
    const address = `${method} ${this.#parts.service.addressOf(path)}`
    return body === undefined ? address : `${address}\n${body}`
  }

  async run(values: readonly QueryValue[], signal: AbortSignal): Promise<readonly Row[]> {
    const question = this.#askable(values)
    if (question === undefined) return []
    signal.throwIfAborted()
    const document = await this.#parts.service.ask(question)
    return document === undefined
      ? []
      : this.#entriesOf(document)
          .slice(0, this.#parts.parts.atMost)
          .map(entry => this.#row(entry))
  }

  #askable(values: readonly QueryValue[]): HttpQuestion | undefined {
    return values.some(isNothing) ? undefined : this.#question(values)
  }

  #question(values: readonly QueryValue[]): HttpQuestion | undefined {
    const { lookup, path, parameters, body, parts } = this.#parts
    const filled = pathWith(path, values)
    if (filled === undefined) return undefined
    const search = new URLSearchParams(parameters.map(({ name, value }): [string, string] => [name, textOf(value, values)]))
    const query = parameters.length === 0 ? '' : `?${search}`
    const content = body === undefined ? undefined : JSON.stringify(body(values))
    return { method: lookup.method, path: filled + query, body: content, maxMilliseconds: parts.timeout * 1000 }
  }

  #entriesOf(document: JsonValue): readonly JsonValue[] {
    const { rows } = this.#parts.lookup
    const found = rows === undefined ? [document] : valueAt(document, rows)
    if (!Array.isArray(found)) throw unreadable(`"rows" is ${rows}, where the answer has no list`)
    if (!found.every(isJsonObject))
      throw unreadable(rows === undefined ? 'the answer is no object' : 'the list has something that is no object')
    return found
  }

  #row(entry: JsonValue): Row {
    const { lookup, parts } = this.#parts
    const read = parts.attributes.map(name => [name, valueAt(entry, lookup.pointers[name] ?? `/${escaped(name)}`)] as const)
    for (const [name, value] of read) if (hasLostDigits(value)) throw unreadable(`${name} has more digits than a number of JSON keeps`)
    return Object.fromEntries(read)
  }
}

// An empty text would leave a condition out, half a character become another one.
function isNothing(value: QueryValue): boolean {
  return value === '' || (typeof value === 'string' && (value.includes('\0') || /\p{Surrogate}/u.test(value)))
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

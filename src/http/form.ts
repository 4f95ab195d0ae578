import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { malformed, readText } from './body.ts'

/** How much a request may send. */
export interface FormLimits {
  readonly bytes: number
  readonly parameters: number
}

const none: ReadonlySet<string> = new Set()
const usualLimits: FormLimits = { bytes: 256 * 1024, parameters: 100 }

/** The only parameters that may be sent more than once (RFC 8693 §2.1). */
export type RepeatableParameter = 'resource' | 'audience'

/** The parameters of a request. One that was sent without a value counts as not sent (RFC 6749 §3.2). */
export class Form {
  readonly #values: ReadonlyMap<string, string>
  readonly #repeatable: ReadonlyMap<string, readonly string[]>

  constructor(values: ReadonlyMap<string, string>, repeatable: ReadonlyMap<string, readonly string[]>) {
    this.#values = values
    this.#repeatable = repeatable
  }

  /** The value of a parameter that is sent once. */
  get(name: string): string | undefined {
    return this.#values.get(name) || undefined
  }

  /** Every value of a parameter that may be repeated, in the order sent. */
  all(name: RepeatableParameter): readonly string[] {
    return this.#repeatable.get(name) ?? []
  }

  /** The names of all parameters that have a value, but these; the audit record names those that nothing reads. */
  names(besides: ReadonlySet<string> = none): string[] {
    const names: string[] = []
    for (const [name, value] of this.#values) if (value !== '' && !besides.has(name)) names.push(name)
    for (const name of this.#repeatable.keys()) if (!besides.has(name)) names.push(name)
    return names
  }
}

/** Reads the parameters of a POST request by hand: the body parsers cost as much as the rest of the request (RFC 6749 §3.2, Appendix B). */
export async function readForm(request: IncomingMessage, limits: FormLimits = usualLimits): Promise<Form> {
  const body = await readText(request, limits.bytes, () => {
    refuseQuery(request.url ?? '')
    refuseOtherMedia(request.headers)
  })
  return parseForm(body, limits.parameters)
}

/** Parses `application/x-www-form-urlencoded` text, strictly: what could be read in two ways is refused. */
export function parseForm(body: string, mostParameters: number = usualLimits.parameters): Form {
  const values = new Map<string, string>()
  const repeatable = new Map<string, string[]>()
  let count = 0
  for (let start = 0; start < body.length; ) {
    const ampersand = body.indexOf('&', start)
    const end = ampersand < 0 ? body.length : ampersand
    if (end > start) {
      if (++count > mostParameters) throw malformed('the request has too many parameters')
      addParameter(body.slice(start, end), values, repeatable)
    }
    start = end + 1
  }
  return new Form(values, repeatable)
}

/** Decodes one name or value (RFC 6749 Appendix B); undefined where the percent-encoding or its UTF-8 is malformed. */
export function decodeFormText(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

function addParameter(pair: string, values: Map<string, string>, repeatable: Map<string, string[]>): void {
  const equals = pair.indexOf('=')
  const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals))
  const value = equals < 0 ? '' : decodeFormText(pair.slice(equals + 1))
  if (name === undefined || value === undefined) throw malformed('a parameter is not percent-encoded UTF-8')
  if (name === 'resource' || name === 'audience') {
    if (value !== '') append(repeatable, name, value)
  } else if (values.has(name)) {
    // Also where the values are equal or empty: whoever stands before us may have looked at the other one.
    throw malformed(`the parameter ${showable(name)} is repeated`)
  } else values.set(name, value)
}

function append(lists: Map<string, string[]>, name: string, value: string): void {
  const list = lists.get(name)
  if (list === undefined) lists.set(name, [value])
  else list.push(value)
}

// Parameters in the address end up in logs and histories (RFC 6749 §2.3.1), and could contradict those of the body.
function refuseQuery(url: string): void {
  const query = url.indexOf('?')
  if (query >= 0 && query < url.length - 1) throw malformed('parameters must be sent in the body, not in the query string')
}

function refuseOtherMedia(headers: IncomingHttpHeaders): void {
  if (!isForm(headers['content-type'] ?? '')) throw malformed('the body must be application/x-www-form-urlencoded in UTF-8')
}

function isForm(contentType: string): boolean {
  if (contentType === 'application/x-www-form-urlencoded') return true
  const [mediaType = '', ...parameters] = contentType.toLowerCase().split(';')
  return mediaType.trim() === 'application/x-www-form-urlencoded' && parameters.every(isHarmless)
}

function isHarmless(mediaTypeParameter: string): boolean {
  const [name = '', value = ''] = mediaTypeParameter.split('=')
  return name.trim() !== 'charset' || /^\s*"?utf-?8"?\s*$/.test(value)
}

// RFC 6749 §5.2 allows a description neither quotes nor anything beyond ASCII; and a name may be a value that lost its name.
function showable(name: string): string {
  const characters = name.replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?')
  return characters.length > 40 ? `${characters.slice(0, 40)}...` : characters
}

import { isSlot, type QueryValue, type Template } from '../data-store.ts'

/** What is wrong with the literal part of a path, and where; undefined when nothing is. */
export function pathProblem({ source, pieces }: Template): { readonly message: string; readonly offset: number } | undefined {
  if (!source.startsWith('/')) return { message: 'expected a path that begins with "/"', offset: 0 }
  for (const piece of pieces) {
    if (isSlot(piece)) continue
    const at = piece.text.search(/[?#\\]|[^\x21-\x7e]/)
    const found = JSON.stringify(piece.text[at])
    if (at >= 0) return { message: `a path has no ${found}; what comes after "?" is "parameters"`, offset: piece.offset + at }
  }
  const segments = segmentsOf(pieces).map(segment => segment.map(piece => (isSlot(piece) ? '{' : piece.text)).join(''))
  if (segments.some(segment => isDots(segment))) return { message: 'a path has no "." and ".." here', offset: 0 }
  return undefined
}

/**
 * The path with these values in it; undefined where one of them would not stay within its segment, or make the segment another one. Some
 * servers and proxies take %2F for a slash, and decode %252F twice: what begins so is not sent at all.
 */
export function pathWith(template: Template, values: readonly QueryValue[]): string | undefined {
  const texts = segmentsOf(template.pieces).map(segment => segmentWith(segment, values))
  return texts.includes(undefined) ? undefined : texts.join('/')
}

type Piece = Template['pieces'][number]

function segmentsOf(pieces: readonly Piece[]): Piece[][] {
  const segments: Piece[][] = [[]]
  for (const piece of pieces) {
    const parts = isSlot(piece) ? [piece] : piece.text.split('/').map(text => ({ text, offset: piece.offset }))
    segments.at(-1)?.push(parts[0] as Piece)
    for (const part of parts.slice(1)) segments.push([part])
  }
  return segments
}

function segmentWith(segment: readonly Piece[], values: readonly QueryValue[]): string | undefined {
  if (!segment.some(isSlot)) return segment.map(piece => (isSlot(piece) ? '' : piece.text)).join('')
  const put = segment.filter(isSlot).map(({ value }) => String(values[value]))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  if (put.some(text => text === '' || /[/\\%\u0000-\u001f\u007f]/.test(text))) return undefined
  const plain = segment.map(piece => (isSlot(piece) ? String(values[piece.value]) : piece.text)).join('')
  return isDots(plain) ? undefined : segment.map(piece => (isSlot(piece) ? encoded(String(values[piece.value])) : piece.text)).join('')
}

function isDots(segment: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(segment)
}

// As RFC 3986 §2.2 has it, which is more than `encodeURIComponent` does.
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

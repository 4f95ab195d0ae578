/**
 * An http address in the one form in which `htu` is compared: without query and fragment (RFC 9449 §4.3 item 9), after syntax-based and
 * scheme-based normalization (RFC 3986 §6.2.2, §6.2.3). Undefined where it is no such address.
 */
export function comparableUri(text: string): string | undefined {
  // What readers of URLs disagree about: white space, backslashes, missing slashes, user information.
  if (!/^https?:\/\/[^/@?#\\\s]+([/?#][\x21-\x7e]*)?$/i.test(text) || text.includes('\\') || !URL.canParse(text)) return undefined
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname.replace(/%[0-9a-f]{2}/gi, unescapedIfUnreserved)}`
}

// RFC 3986 §6.2.2.2: an unreserved character means the same, escaped or not.
function unescapedIfUnreserved(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
  return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase()
}

import type { AttributeNode } from './nodes.ts'
import { malformed } from './well-formed.ts'

/** The namespaces that are in scope, by prefix; the default one has none. */
export type Scope = ReadonlyMap<string, string>

// With it each scope is small, too.
const mostPrefixes = 64
// A canonical form may repeat it in each element and attribute: there must not be much more to digest than was sent.
const longestName = 256
const xmlNamespace = 'http://www.w3.org/XML/1998/namespace'
// xmldom, which others read our tokens with, has rules of its own for HTML, which nobody needs here.
const forbidden = new Set(['http://www.w3.org/1999/xhtml', xmlNamespace, 'http://www.w3.org/2000/xmlns/'])
// RFC 3986, with nothing in it that libxml2 takes for no URI: a port that is none, a bare percent sign, a second fragment.
const absolute =
  /^[A-Za-z][A-Za-z0-9+.-]*:(?!#)(?!\/\/(?![A-Za-z0-9._~-]*(?::[0-9]{1,5})?(?:[/?#]|$)))(?:[!$'-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})+(?:#(?:[!$'-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})*)?$/
const outermost: Scope = new Map([['xml', xmlNamespace]])

/** The declarations of namespaces in a document (Namespaces in XML 1.0 §3), of which only those are taken that are read alike everywhere. */
export class Declarations {
  /** What each prefix of the document means. */
  readonly prefixes = new Map<string, string>()
  readonly #rebinding: boolean

  /** `rebinding`: whether a prefix may mean one thing here and another one there. */
  constructor(rebinding: boolean) {
    this.#rebinding = rebinding
  }

  /** What is in scope in an element with these attributes. */
  within(outer: Scope = outermost, attributes: readonly AttributeNode[]): Scope {
    let scope: Map<string, string> | undefined
    for (const attribute of attributes) {
      if (!isDeclaration(attribute)) continue
      const { prefix, localName, value } = attribute
      const declared = prefix === null ? '' : localName
      this.#declare(declared, value)
      scope ??= new Map(outer)
      scope.set(declared, value)
    }
    return scope ?? outer
  }

  // A relative or empty URI makes libxml2 give up canonicalisation, so that nothing is digested; a quote would be written out as it is.
  #declare(prefix: string, uri: string): void {
    if (/^xml/i.test(prefix)) throw malformed('it declares a reserved namespace prefix')
    if (!absolute.test(uri) || forbidden.has(uri)) throw malformed('a namespace is not an absolute URI, or is reserved')
    if (uri.length > longestName) throw malformed(`a namespace is longer than ${longestName} characters`)
    if (prefix === '') return
    if (!this.#rebinding && (this.prefixes.get(prefix) ?? uri) !== uri) throw malformed('a namespace prefix means two things')
    this.prefixes.set(prefix, uri)
    if (this.prefixes.size > mostPrefixes) throw malformed('it has too many namespaces')
  }
}

/** Whether it declares a namespace. */
export function isDeclaration({ name, prefix }: Pick<AttributeNode, 'name' | 'prefix'>): boolean {
  return prefix === 'xmlns' || name === 'xmlns'
}

import type { AttributeNode, ElementNode } from './nodes.ts'
import { malformed, type XmlLimits } from './well-formed.ts'
import type { XmlElement } from './xml-element.ts'

/** The elements of a parsed document, with what canonicalisation has to know of them. */
export interface Tree {
  readonly root: XmlElement
  readonly nodes: ReadonlyMap<XmlElement, ElementNode>
  /** What each prefix of the document means. */
  readonly prefixes: ReadonlyMap<string, string>
  /** The local names of all attributes that have a prefix. */
  readonly prefixedAttributes: ReadonlySet<string>
  readonly elements: number
  readonly attributes: number
}

const mostPrefixes = 64
const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'
// xmldom has rules of its own for HTML, which nobody needs here.
const forbiddenNamespaces = new Set(['http://www.w3.org/1999/xhtml', 'http://www.w3.org/XML/1998/namespace', xmlnsNamespace])
const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:[!#-%'-;=?-Z_a-z~]+$/
const identifier = /^[A-Za-z_][A-Za-z0-9._-]*$/
const reserved = /^xml/i
const identifying = new Set(['ID', 'Id', 'id', 'AssertionID', 'ResponseID', 'RequestID'])
const identifyingQualified = new Set(['ID', 'Id', 'id'])
const xmlAttributes = new Set(['xml:lang', 'xml:space', 'xml:base', 'xml:id'])

/** Turns a parsed document into elements, and refuses namespaces (SC-7) and identifiers (SC-8) that two readers could take differently. */
export function growTree(root: ElementNode, { rebinding }: Pick<XmlLimits, 'rebinding'> = {}): Tree {
  return new Grower(rebinding === true).grow(root)
}

class Grower {
  readonly #nodes = new Map<XmlElement, ElementNode>()
  readonly #prefixes = new Map<string, string>()
  readonly #prefixedAttributes = new Set<string>()
  readonly #identifiers = new Set<string>()
  readonly #rebinding: boolean
  #attributes = 0

  constructor(rebinding: boolean) {
    this.#rebinding = rebinding
  }

  grow(root: ElementNode): Tree {
    return {
      root: this.#element(root),
      nodes: this.#nodes,
      prefixes: this.#prefixes,
      prefixedAttributes: this.#prefixedAttributes,
      elements: this.#nodes.size,
      attributes: this.#attributes,
    }
  }

  #element(node: ElementNode): XmlElement {
    const { namespaceURI, localName } = node
    // Without a namespace nothing is meant here; xml-crypto has no right canonical form for elements that go back to none.
    if (!isPresent(namespaceURI)) throw malformed('an element has no namespace')
    if (reserved.test(node.tagName)) throw malformed('an element has a name that is reserved')
    const attributes = new Map<string, string>()
    for (const attribute of node.attributes) this.#attribute(attribute, attributes)
    const children: XmlElement[] = []
    let text = ''
    for (const child of node.childNodes) {
      if (child.nodeType === 1) children.push(this.#element(child))
      else text += child.data
    }
    const element = { namespace: namespaceURI, name: localName, attributes, children, text }
    this.#nodes.set(element, node)
    return element
  }

  #attribute({ name, prefix, localName, namespaceURI, value }: AttributeNode, attributes: Map<string, string>): void {
    this.#attributes++
    if (name === 'xmlns' || prefix === 'xmlns') return this.#declare(prefix === 'xmlns' ? localName : '', value)
    // xml-crypto takes whatever starts with xmlns for a declaration, and leaves it out of what is signed.
    if (reserved.test(name) && !xmlAttributes.has(name)) throw malformed('an attribute has a name that is reserved')
    if (prefix !== null && !isPresent(namespaceURI)) throw malformed('an attribute has an undeclared prefix')
    const key = prefix === null ? name : `{${namespaceURI}}${localName}`
    if (attributes.has(key)) throw malformed('an attribute is there twice')
    attributes.set(key, value)
    if (prefix !== null) this.#prefixedAttributes.add(localName)
    if ((prefix === null ? identifying : identifyingQualified).has(localName)) this.#identify(value)
  }

  // A relative or empty URI makes libxml2 give up canonicalisation, so that nothing is digested; a quote would be written out as it is.
  #declare(prefix: string, uri: string): void {
    if (reserved.test(prefix)) throw malformed('it declares a reserved namespace prefix')
    if (!absolute.test(uri) || forbiddenNamespaces.has(uri)) throw malformed('a namespace is not an absolute URI, or is reserved')
    if (prefix === '') return
    if (!this.#rebinding && (this.#prefixes.get(prefix) ?? uri) !== uri) throw malformed('a namespace prefix means two things')
    this.#prefixes.set(prefix, uri)
    if (this.#prefixes.size > mostPrefixes) throw malformed('it has too many namespaces')
  }

  /** Unique across all names, because implementations differ in which attributes they take for an ID. */
  #identify(value: string): void {
    if (!identifier.test(value)) throw malformed('an ID is empty or malformed')
    if (this.#identifiers.has(value)) throw malformed('an ID is there twice')
    this.#identifiers.add(value)
  }
}

// xmldom looks prefixes up in an object, which knows something of the name `constructor` also where nobody declared it.
function isPresent(namespace: string | undefined): namespace is string {
  return typeof namespace === 'string' && namespace !== ''
}

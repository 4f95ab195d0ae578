import { isUtf8 } from 'node:buffer'
import { TokenRejected } from '../oauth/errors.ts'
import { canonicalize, type InheritedNamespace } from './canonical.ts'
import type { ElementNode } from './nodes.ts'
import { parseXml } from './parse-xml.ts'
import type { Tree } from './tree.ts'
import { malformed, normalizedText, type XmlLimits } from './well-formed.ts'
import type { XmlElement } from './xml-element.ts'

/** The limits of a token; its size is limited before, where it is decoded (SC-2). */
export const tokenLimits: XmlLimits = { maxElements: 2_500, maxAttributes: 4_000, maxDepth: 64, comments: false }

/**
 * A document that was written by an outsider, parsed by the only module that does. It has been checked for form, and for nothing
 * else: what it says is worth nothing before `verify.ts` has found out who said it.
 */
export class XmlDocument {
  readonly root: XmlElement
  readonly #tree: Tree
  readonly #text: string
  readonly #rebinding: boolean

  constructor(tree: Tree, text: string, { rebinding }: Pick<XmlLimits, 'rebinding'> = {}) {
    this.root = tree.root
    this.#tree = tree
    this.#text = text
    this.#rebinding = rebinding === true
  }

  /**
   * The text of one of its elements, which is a document of its own then: with the namespaces that it takes from around it, and nothing
   * else of that (WT-19). Whoever reads it reads it from the beginning.
   */
  cutOut(element: XmlElement): string {
    const node = this.#nodeOf(element)
    const text = this.#text.slice(node.start, node.end)
    const name = /^<[^ \t\n/>]+/.exec(text)?.[0] ?? ''
    return `${name}${declarationsFor(node, text)}${text.slice(name.length)}`
  }

  /** The exclusive canonical form of one of its elements, without one of its children; `prefixes` as InclusiveNamespaces has them. */
  canonical(element: XmlElement, prefixes: readonly string[] = [], without?: XmlElement): string {
    if (this.#rebinding) throw new Error('nothing of it can be verified before it is cut out')
    const node = this.#nodeOf(element)
    // SC-14. A prefix of which nothing is known, or an attribute whose name xml-crypto takes for a prefix, would be canonicalised at random.
    const unclear = prefixes.some(prefix => !this.#tree.prefixes.has(prefix) || this.#tree.prefixedAttributes.has(prefix))
    if (unclear) throw new TokenRejected('the signature of the token names a namespace prefix that does not resolve')
    return canonicalize(node, prefixes, prefixes.length === 0 ? [] : inheritedBy(node), without && this.#nodeOf(without))
  }

  #nodeOf(element: XmlElement): ElementNode {
    const node = nodeIn(element, this.root, this.#tree.node)
    if (node === undefined) throw new Error('the element belongs to another document')
    return node
  }
}

/** The node of an element, looked for below another one whose node is known: each has its elements in the same order. */
function nodeIn(element: XmlElement, outer: XmlElement, node: ElementNode): ElementNode | undefined {
  if (element === outer) return node
  let place = 0
  for (const child of node.childNodes) {
    if (child.nodeType !== 1) continue
    const found = nodeIn(element, outer.children[place++] as XmlElement, child)
    if (found !== undefined) return found
  }
  return undefined
}

/** Parses bytes that an outsider wrote (SC-3 to SC-8). Throws `TokenRejected` for whatever is not plain, well-formed, unambiguous XML. */
export function readXml(bytes: Buffer, limits: XmlLimits = tokenLimits): XmlDocument {
  if (!isUtf8(bytes)) throw malformed('it is not UTF-8')
  return readXmlText(bytes.toString('utf8'), limits)
}

/** Parses a text that an outsider wrote; see `readXml`. */
export function readXmlText(text: string, limits: XmlLimits = tokenLimits): XmlDocument {
  const normalized = normalizedText(text)
  return new XmlDocument(parseXml(normalized, limits), normalized, limits)
}

// Namespaces have no character that would have to be escaped here (`tree.ts`).
function declarationsFor(node: ElementNode, text: string): string {
  // What it declares itself it does not take from elsewhere: a prefix has one meaning in what is verified. All names are picked out at
  // once: to look for each prefix takes as long as whoever makes the names up wants it to.
  const [declared, named] = [declaredIn(node), new Set(text.match(/[A-Za-z_][A-Za-z0-9._-]*/g))]
  const inherited = inheritedBy(node).filter(({ prefix }) => named.has(prefix) && !declared.has(prefix))
  const prefixed = inherited.map(({ prefix, namespaceURI }) => ` xmlns:${prefix}="${namespaceURI}"`).join('')
  for (let each: ElementNode | undefined = node; each !== undefined; each = each.parent) {
    const unprefixed = each.attributes.find(({ name }) => name === 'xmlns')
    if (unprefixed !== undefined) return each === node ? prefixed : `${prefixed} xmlns="${unprefixed.value}"`
  }
  return prefixed
}

/** The prefixes that an element and those in it declare. */
function declaredIn({ attributes, childNodes }: ElementNode, found = new Set<string>()): ReadonlySet<string> {
  for (const { prefix, localName } of attributes) if (prefix === 'xmlns') found.add(localName)
  for (const child of childNodes) if (child.nodeType === 1) declaredIn(child, found)
  return found
}

function inheritedBy(element: ElementNode): InheritedNamespace[] {
  const inherited = new Map<string, string>()
  for (let node = element.parent; node !== undefined; node = node.parent) {
    for (const { prefix, localName, value } of node.attributes) {
      if (prefix === 'xmlns' && !inherited.has(localName)) inherited.set(localName, value)
    }
  }
  return [...inherited].map(([prefix, namespaceURI]) => ({ prefix, namespaceURI }))
}

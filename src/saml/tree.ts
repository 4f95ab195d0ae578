import { Declarations, isDeclaration, type Scope } from './declarations.ts'
import { type AttributeNode, ElementNode } from './nodes.ts'
import { malformed, type XmlLimits } from './well-formed.ts'
import { noAttributes, withOneMore, type XmlElement } from './xml-element.ts'

/** The elements of a parsed document, with what canonicalisation has to know of them. */
export interface Tree {
  readonly root: XmlElement
  /** The node of the root; its elements have the places of the root's. */
  readonly node: ElementNode
  /** What each prefix of the document means. */
  readonly prefixes: ReadonlyMap<string, string>
  /** The local names of all attributes that have a prefix. */
  readonly prefixedAttributes: ReadonlySet<string>
}

/** A name as it stands in the text. */
export type WrittenName = Pick<AttributeNode, 'name' | 'prefix' | 'localName'>

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'
const identifier = /^[A-Za-z_][A-Za-z0-9._-]*$/
const identifying = new Set(['ID', 'Id', 'id', 'AssertionID', 'ResponseID', 'RequestID'])
const identifyingQualified = new Set(['ID', 'Id', 'id'])
const xmlAttributes = new Set(['xml:lang', 'xml:space', 'xml:base', 'xml:id'])

interface GrowingElement extends XmlElement {
  children: readonly XmlElement[]
  text: string
}

/** An element whose end has not come yet. */
interface Open {
  readonly element: GrowingElement
  readonly node: ElementNode
  readonly scope: Scope
}

/** Makes elements of what a parser finds, and refuses namespaces (SC-7) and identifiers (SC-8) that two readers could take differently. */
export class TreeBuilder {
  readonly #declarations: Declarations
  readonly #prefixedAttributes = new Set<string>()
  readonly #identifiers = new Set<string>()
  readonly #open: Open[] = []
  #root: Open | undefined

  constructor({ rebinding }: Pick<XmlLimits, 'rebinding'>) {
    this.#declarations = new Declarations(rebinding === true)
  }

  /** The start tag of an element. */
  open({ name: tagName, prefix, localName }: WrittenName, attributes: AttributeNode[], start: number): void {
    if (isReserved(tagName)) throw malformed('an element has a name that is reserved')
    const outer = this.#open.at(-1)
    const scope = this.#declarations.within(outer?.scope, attributes)
    const namespaceURI = scope.get(prefix ?? '')
    // Without a namespace nothing is meant here; xml-crypto has no right canonical form for elements that go back to none.
    if (namespaceURI === undefined) throw malformed('an element has no namespace')
    const values = this.#valuesOf(attributes, scope)
    const element: GrowingElement = { namespace: namespaceURI, name: localName, attributes: values, children: [], text: '' }
    const node = new ElementNode({ tagName, prefix, localName, namespaceURI, start }, attributes, [], outer?.node)
    if (outer !== undefined) {
      outer.element.children = withOneMore(outer.element.children, element)
      outer.node.childNodes = withOneMore(outer.node.childNodes, node)
    }
    const open = { element, node, scope }
    this.#root ??= open
    this.#open.push(open)
  }

  /** Text in the element that was opened last. */
  text(data: string): void {
    const open = this.#open.at(-1)
    if (open === undefined) return
    open.element.text += data
    open.node.childNodes = withOneMore(open.node.childNodes, { nodeType: 3, data })
  }

  /** The end of the element that was opened last. */
  close(end: number): void {
    const open = this.#open.pop()
    if (open !== undefined) open.node.end = end
  }

  tree(): Tree {
    if (this.#root === undefined) throw malformed('there is no element')
    const { element: root, node } = this.#root
    return { root, node, prefixes: this.#declarations.prefixes, prefixedAttributes: this.#prefixedAttributes }
  }

  /** The values by name, without declarations. Each attribute is told its namespace. */
  #valuesOf(attributes: readonly AttributeNode[], scope: Scope): ReadonlyMap<string, string> {
    let values: Map<string, string> | undefined
    for (const attribute of attributes) {
      const { name, prefix, localName, value } = attribute
      if (isDeclaration(attribute)) {
        attribute.namespaceURI = xmlnsNamespace
        continue
      }
      // xml-crypto takes whatever starts with xmlns for a declaration, and leaves it out of what is signed.
      if (isReserved(name) && !xmlAttributes.has(name)) throw malformed('an attribute has a name that is reserved')
      const namespaceURI = prefix === null ? null : scope.get(prefix)
      if (namespaceURI === undefined) throw malformed('an attribute has an undeclared prefix')
      attribute.namespaceURI = namespaceURI
      const key = prefix === null ? name : `{${namespaceURI}}${localName}`
      values ??= new Map()
      if (values.has(key)) throw malformed('an attribute is there twice')
      values.set(key, value)
      if (prefix !== null) this.#prefixedAttributes.add(localName)
      if ((prefix === null ? identifying : identifyingQualified).has(localName)) this.#identify(value)
    }
    return values ?? noAttributes
  }

  /** Unique across all names, because implementations differ in which attributes they take for an ID. */
  #identify(value: string): void {
    if (!identifier.test(value)) throw malformed('an ID is empty or malformed')
    if (this.#identifiers.has(value)) throw malformed('an ID is there twice')
    this.#identifiers.add(value)
  }
}

/** XML 1.0 §2.3: names that begin so, in whatever case, are kept for the standard itself. */
function isReserved(name: string): boolean {
  return /^xml/i.test(name)
}

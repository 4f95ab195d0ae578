/** An attribute, or the declaration of a namespace, with the names that xml-crypto knows it by. */
export interface AttributeNode {
  readonly name: string
  readonly prefix: string | null
  readonly localName: string
  /** Null where it has no prefix; resolved when all declarations of its element are known. */
  namespaceURI: string | null
  readonly value: string
}

/** Text as xml-crypto knows it. */
export interface TextNode {
  readonly nodeType: 3
  readonly data: string
}

/** What there is in an element. */
export type ChildNode = ElementNode | TextNode

/** An element as xml-crypto's canonicalisation looks at it: of a node of the DOM, what it asks for. */
export class ElementNode {
  readonly nodeType = 1
  readonly tagName: string
  readonly prefix: string | null
  readonly localName: string
  readonly namespaceURI: string
  readonly attributes: AttributeNode[]
  childNodes: readonly ChildNode[]
  /** Undefined for the root. */
  readonly parent: ElementNode | undefined
  /** Where it stands in the text. */
  readonly start: number
  end = 0

  constructor(
    { tagName, prefix, localName, namespaceURI, start }: Pick<ElementNode, 'tagName' | 'prefix' | 'localName' | 'namespaceURI' | 'start'>,
    attributes: AttributeNode[],
    childNodes: readonly ChildNode[],
    parent?: ElementNode,
  ) {
    this.tagName = tagName
    this.prefix = prefix
    this.localName = localName
    this.namespaceURI = namespaceURI
    this.attributes = attributes
    this.childNodes = childNodes
    this.parent = parent
    this.start = start
  }

  get nodeName(): string {
    return this.tagName
  }

  /** The same element without one of its children, standing alone; what is declared on it changes nothing in the document. */
  without(child?: ElementNode): ElementNode {
    const childNodes = child === undefined ? this.childNodes : this.childNodes.filter(each => each !== child)
    return new ElementNode(this, [...this.attributes], childNodes)
  }

  /** Declares a namespace that is taken from around the element. */
  setAttributeNS(namespaceURI: string, name: string, value: string): void {
    const [prefix = '', localName = ''] = name.split(':')
    const known = this.attributes.findIndex(attribute => attribute.name === name)
    this.attributes.splice(known === -1 ? this.attributes.length : known, 1, { name, prefix, localName, namespaceURI, value })
  }

  // By these two, which it never calls, xml-crypto tells a node from anything else.
  appendChild(): never {
    throw new Error('nothing is changed in a document')
  }

  removeChild(): never {
    throw new Error('nothing is changed in a document')
  }
}

/** An attribute, or the declaration of a namespace, with the names that xml-crypto knows it by. */
export interface AttributeNode {
  readonly name: string
  readonly prefix: string | null
  readonly localName: string
  readonly namespaceURI: string | undefined
  readonly value: string
}

/** Text as xml-crypto knows it. */
export interface TextNode {
  readonly nodeType: 3
  readonly data: string
}

export type ChildNode = ElementNode | TextNode

/**
 * An element as xml-crypto's canonicalisation looks at it: a DOM node without what nobody asks of it. xmldom's own nodes keep lists
 * that are counted anew with every change, and take as long to make as the text takes to read.
 */
export class ElementNode {
  readonly nodeType = 1
  readonly tagName: string
  readonly prefix: string | null
  readonly localName: string
  readonly namespaceURI: string | undefined
  readonly attributes: AttributeNode[]
  readonly childNodes: ChildNode[]
  /** Undefined for the root. */
  readonly parent: ElementNode | undefined

  constructor(
    tagName: string,
    namespaceURI: string | undefined,
    attributes: AttributeNode[],
    childNodes: ChildNode[],
    parent?: ElementNode,
  ) {
    const colon = tagName.indexOf(':')
    this.tagName = tagName
    this.prefix = colon === -1 ? null : tagName.slice(0, colon)
    this.localName = colon === -1 ? tagName : tagName.slice(colon + 1)
    this.namespaceURI = namespaceURI
    this.attributes = attributes
    this.childNodes = childNodes
    this.parent = parent
  }

  get nodeName(): string {
    return this.tagName
  }

  /** The same element without one of its children, standing alone; what is declared on it changes nothing in the document. */
  without(child?: ElementNode): ElementNode {
    const childNodes = child === undefined ? this.childNodes : this.childNodes.filter(each => each !== child)
    return new ElementNode(this.tagName, this.namespaceURI, [...this.attributes], childNodes)
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

/** What xmldom reports of an element's attributes. */
interface ReportedAttributes {
  readonly length: number
  readonly [index: number]: {
    readonly qName: string
    readonly prefix?: string | null
    readonly localName: string
    readonly uri?: string
    readonly value: string
  }
}

/** Makes nodes of what xmldom's reader reports; it has its own take for this (`domBuilder`). */
export class NodeBuilder {
  /** The root of the document. */
  doc: ElementNode | undefined
  /** What there is that is neither element nor text. */
  strangers = 0
  #open: ElementNode | undefined

  startDocument(): void {}
  endDocument(): void {}
  startPrefixMapping(): void {}
  endPrefixMapping(): void {}

  startElement(uri: string | undefined, _localName: string, name: string, reported: ReportedAttributes): void {
    const attributes: AttributeNode[] = []
    for (let index = 0; index < reported.length; index++) {
      const { qName, prefix, localName, uri: namespaceURI, value } = reported[index] as ReportedAttributes[number]
      attributes.push({ name: qName, prefix: prefix ?? null, localName, namespaceURI, value })
    }
    const element = new ElementNode(name, uri, attributes, [], this.#open)
    if (this.#open !== undefined) this.#open.childNodes.push(element)
    else if (this.doc === undefined) this.doc = element
    else this.strangers++
    this.#open = element
  }

  endElement(): void {
    this.#open = this.#open?.parent
  }

  characters(data: string): void {
    this.#open?.childNodes.push({ nodeType: 3, data })
  }

  startCDATA(): void {
    this.strangers++
  }

  startDTD(): void {
    this.strangers++
  }

  processingInstruction(): void {
    if (this.#open !== undefined) this.strangers++
  }

  comment(): void {}
  endCDATA(): void {}
  endDTD(): void {}
}

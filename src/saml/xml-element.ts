/** An element as the rest of the program sees it: no parser's object, nothing to change, no way up or sideways. */
export interface XmlElement {
  readonly namespace: string
  /** Its name without a prefix; prefixes mean nothing. */
  readonly name: string
  /** By name; one of a namespace as `{namespace}name`. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** All text that stands directly in it, in one piece. */
  readonly text: string
}

/** Whether an element is the one of this namespace and name. */
export function isElement(element: XmlElement | undefined, namespace: string, name: string): element is XmlElement {
  return element !== undefined && element.name === name && element.namespace === namespace
}

/** The children of this namespace and name. */
export function childrenOf(element: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  return element.children.filter(child => isElement(child, namespace, name))
}

/** The element and everything inside of it, in the order of the document. */
export function everyElement(element: XmlElement): readonly XmlElement[] {
  const found: XmlElement[] = []
  collect(element, found)
  return found
}

function collect(element: XmlElement, found: XmlElement[]): void {
  found.push(element)
  for (const child of element.children) collect(child, found)
}

/** Whether nothing but white space stands between the children of an element. */
export function hasNoText(element: XmlElement): boolean {
  return /^[ \t\r\n]*$/.test(element.text)
}

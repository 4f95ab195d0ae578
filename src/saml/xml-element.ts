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

/** Does something with the element and everything inside of it, in the order of the document. */
export function forEveryElement(element: XmlElement, look: (element: XmlElement) => void): void {
  look(element)
  for (const child of element.children) forEveryElement(child, look)
}

/** The attributes of an element without any. */
export const noAttributes: ReadonlyMap<string, string> = new Map()

/** A list with one more at its end. Most elements have one child at most, and the first push makes room for seventeen. */
export function withOneMore<Item>(list: readonly Item[], item: Item): readonly Item[] {
  if (list.length === 0) return [item]
  ;(list as Item[]).push(item)
  return list
}

/** Whether nothing but white space stands between the children of an element. */
export function hasNoText(element: XmlElement): boolean {
  return element.text === '' || /^[ \t\r\n]*$/.test(element.text)
}

import { DOMParser } from '@xmldom/xmldom'
import { TokenRejected } from '../../src/oauth/errors.ts'
import type { XmlElement } from '../../src/saml/xml-element.ts'

/** What xmldom sees in a text, turned into elements without anything of ours. */
export function seenByXmldom(text: string): XmlElement {
  return converted(parsedByXmldom(text))
}

/** The root of a text as xmldom parses it; what it would only complain of is refused. */
export function parsedByXmldom(text: string): Element {
  const refuse = (message: unknown) => {
    throw new TokenRejected('xmldom', { cause: message })
  }
  const errorHandler = { warning: refuse, error: refuse, fatalError: refuse }
  const parser = new DOMParser({ errorHandler, normalizeLineEndings: (same: string) => same } as ConstructorParameters<typeof DOMParser>[0])
  return parser.parseFromString(text, 'text/xml').documentElement
}

function converted(node: Element): XmlElement {
  const attributes = Array.from(node.attributes).filter(({ name, prefix }) => name !== 'xmlns' && prefix !== 'xmlns')
  const nodes = Array.from(node.childNodes)
  return {
    namespace: node.namespaceURI ?? '',
    name: node.localName,
    attributes: new Map(
      attributes.map(({ name, prefix, namespaceURI, localName, value }) => [prefix ? `{${namespaceURI}}${localName}` : name, value]),
    ),
    children: nodes.filter(({ nodeType }) => nodeType === 1).map(child => converted(child as Element)),
    text: nodes
      .filter(({ nodeType }) => nodeType === 3)
      .map(child => (child as Text).data)
      .join(''),
  }
}

/** What is read, or undefined where it is refused. */
export function orRefused<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof TokenRejected) return undefined
    throw error
  }
}

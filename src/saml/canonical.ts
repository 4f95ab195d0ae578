import { ExclusiveCanonicalization } from 'xml-crypto'
import type { AttributeNode, ChildNode, ElementNode } from './nodes.ts'

const xmlnsNamespace = 'http://www.w3.org/2000/xmlns/'

/** A namespace declaration that is in scope where canonicalisation starts. */
export interface InheritedNamespace {
  readonly prefix: string
  readonly namespaceURI: string
}

/**
 * xml-crypto's exclusive canonicalisation with the order of namespaces and attributes that Canonical XML §2.2 and §4.8 demand:
 * xml-crypto sorts prefixes as a dictionary does (`a` before `B`), and attributes by namespace and name written together.
 */
class OrderedCanonicalization extends ExclusiveCanonicalization {
  override nsCompare(left: { prefix: string }, right: { prefix: string }): number {
    return compare(left.prefix, right.prefix)
  }

  override attrCompare(left: AttributeNode, right: AttributeNode): 1 | 0 | -1 {
    return compare(left.namespaceURI ?? '', right.namespaceURI ?? '') || compare(left.localName, right.localName)
  }

  // The rest changes nothing of what comes out: it spares xml-crypto the lists in which it finds that there is nothing to write.

  override processInner(node: ChildNode, ...around: Around): string {
    return node.nodeType === 3 && node.data !== '' && !escapedInText.test(node.data) ? node.data : super.processInner(node, ...around)
  }

  override renderNs(node: ElementNode, ...around: Around): { rendered: string; newDefaultNs: unknown } {
    const [inScope, defaultNs, , prefixList] = around
    const { prefix, namespaceURI, attributes } = node
    const isPlain = prefix !== null && prefixList.length === 0 && attributes.every(attribute => attribute.prefix === null)
    const isKnown = isPlain && inScope.findLast(binding => binding.prefix === prefix)?.namespaceURI === namespaceURI
    return isKnown ? { rendered: '', newDefaultNs: defaultNs } : super.renderNs(node, ...around)
  }

  override renderAttrs(node: ElementNode): string {
    return node.attributes.length === 0 ? '' : super.renderAttrs(node)
  }
}

/** What xml-crypto hands on from an element to those in it: namespaces that were written, the default one, those of prefixes, the PrefixList. */
type Around = [inScope: InheritedNamespace[], defaultNs: unknown, defaultNsForPrefix: unknown, prefixList: string[]]

const escapedInText = /[&<>\r]/

function compare(left: string, right: string): 1 | 0 | -1 {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/**
 * The exclusive canonical form of an element (Exclusive XML Canonicalization §3) without one of its children; `prefixes` is its
 * InclusiveNamespaces PrefixList.
 */
export function canonicalize(
  element: ElementNode,
  prefixes: readonly string[],
  inherited: readonly InheritedNamespace[],
  without?: ElementNode,
): string {
  const alone = element.without(without)
  for (const { prefix, namespaceURI } of inherited)
    if (prefixes.includes(prefix)) alone.setAttributeNS(xmlnsNamespace, `xmlns:${prefix}`, namespaceURI)
  // Its `process` would take an empty PrefixList for none at all, and look for one in the element.
  return new OrderedCanonicalization().processInner(alone, [], '', {}, [...prefixes])
}

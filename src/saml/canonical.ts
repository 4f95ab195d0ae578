import { ExclusiveCanonicalization } from 'xml-crypto'
import type { AttributeNode, ElementNode } from './nodes.ts'

// What xml-crypto declares as an element of a browser; its own `Element` is not known where no browser is.
type CanonicalNode = Parameters<ExclusiveCanonicalization['process']>[0]

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
}

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
  return new OrderedCanonicalization().process(element.without(without) as unknown as CanonicalNode, {
    inclusiveNamespacesPrefixList: [...prefixes],
    ancestorNamespaces: inherited.map(namespace => ({ ...namespace })),
  })
}

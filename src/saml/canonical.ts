import { ExclusiveCanonicalization } from 'xml-crypto'

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

  override attrCompare(left: Attr, right: Attr): 1 | 0 | -1 {
    return compare(left.namespaceURI ?? '', right.namespaceURI ?? '') || compare(left.localName, right.localName)
  }
}

function compare(left: string, right: string): 1 | 0 | -1 {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** The exclusive canonical form of an element (Exclusive XML Canonicalization §3); `prefixes` is its InclusiveNamespaces PrefixList. */
export function canonicalize(element: Element, prefixes: readonly string[], inherited: readonly InheritedNamespace[]): string {
  return new OrderedCanonicalization().process(element, {
    inclusiveNamespacesPrefixList: [...prefixes],
    ancestorNamespaces: inherited.map(namespace => ({ ...namespace })),
  })
}

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

  // The rest changes nothing of what comes out: which namespaces an element has to declare, the order of attributes and all escaping are xml-crypto's.
  // It is spared to look closely at each node, to list and sort what is in order, and to put the text together anew on each level.

  override processInner(node: ChildNode, ...around: Around): string {
    if (node.nodeType === 3) return node.data !== '' && !escapedInText.test(node.data) ? node.data : super.processInner(node, ...around)
    const [outerScope, defaultNs, defaultNsForPrefix, prefixList] = around
    const declaresNothing = isInScope(node, outerScope, prefixList)
    // xml-crypto adds to the scope what it declares, which holds for this element and what is in it.
    const inScope = declaresNothing ? outerScope : [...outerScope]
    const ns = declaresNothing ? undefined : this.renderNs(node, inScope, defaultNs, defaultNsForPrefix, prefixList)
    const innerDefault = ns === undefined ? defaultNs : ns.newDefaultNs
    let text = `<${node.tagName}${ns?.rendered ?? ''}${this.renderAttrs(node)}>`
    for (const child of node.childNodes) text += this.processInner(child, inScope, innerDefault, defaultNsForPrefix, prefixList)
    return `${text}</${node.tagName}>`
  }

  override renderAttrs(node: ElementNode): string {
    let text = ''
    let last: AttributeNode | undefined
    for (const attribute of node.attributes) {
      const { name, value } = attribute
      const isOrdered = last === undefined || this.attrCompare(last, attribute) < 0
      if (!isOrdered || name.startsWith('xmlns') || escapedInValue.test(value)) return super.renderAttrs(node)
      text += ` ${name}="${value}"`
      last = attribute
    }
    return text
  }
}

/** Whether all that an element uses was declared around it. */
function isInScope(
  { prefix, namespaceURI, attributes }: ElementNode,
  inScope: readonly InheritedNamespace[],
  prefixList: string[],
): boolean {
  if (prefix === null || prefixList.length > 0 || attributes.some(attribute => attribute.prefix !== null)) return false
  return inScope.findLast(binding => binding.prefix === prefix)?.namespaceURI === namespaceURI
}

/** What xml-crypto hands on from an element to those in it: namespaces that were written, the default one, those of prefixes, the PrefixList. */
type Around = [inScope: InheritedNamespace[], defaultNs: unknown, defaultNsForPrefix: unknown, prefixList: string[]]

const escapedInText = /[&<>\r]/
const escapedInValue = /[&<"\t\n\r]/

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

import fc from 'fast-check'

const name = fc.constantFrom('a', 'b', 'Name', 'x-y', '_z', 'v1.0')
const prefix = fc.constantFrom('', '', 'p:', 'q:', 'B:')
const content = fc
  .array(
    fc.constantFrom(
      'x',
      ' ',
      '\n',
      '\t',
      '&#13;',
      '&#10;',
      '&#9;',
      '&amp;',
      '&lt;',
      '&gt;',
      '&quot;',
      '&apos;',
      "'",
      '>',
      '=',
      '/',
      ']]',
      '&#x41;',
      '\u00e9',
      '\u2028',
      '\u0085',
      '\ud83d\ude00',
    ),
  )
  .map(parts => parts.join(''))
const attributes = fc
  .uniqueArray(fc.tuple(fc.constantFrom('', '', 'p:', 'q:', 'xml:'), name, content), { selector: ([, local]) => local, maxLength: 4 })
  .map(list =>
    list
      .filter(([where, local]) => where !== 'xml:' || local === 'b')
      .map(([where, local, value]) => ` ${where}${where === 'xml:' ? 'lang' : local}="${value}"`)
      .join(''),
  )
const { tree } = fc.letrec<{ tree: string; inside: string }>(tie => ({
  inside: fc.array(fc.oneof({ depthSize: 'small' }, content, tie('tree')), { maxLength: 4 }).map(parts => parts.join('')),
  tree: fc
    .tuple(prefix, name, attributes, fc.constantFrom('', ' xmlns="urn:other"', ' xmlns:p="urn:p"'), tie('inside'))
    .map(([where, local, values, declared, inside]) => `<${where}${local}${values}${declared}>${inside}</${where}${local}>`),
}))
/** Small documents of everything that XML has for elements, attributes and text, in several namespaces. */
export const documents = fc
  .tuple(fc.constantFrom('', ' xmlns:unused="urn:unused"'), fc.array(tree, { maxLength: 5 }))
  .map(([unused, parts]) => `<r xmlns="urn:r" xmlns:p="urn:p" xmlns:q="urn:q" xmlns:B="urn:b"${unused}>${parts.join('')}</r>`)

/** What separates the parts of a document, one character each. */
export const separators = [' ', '\n', '\r', '\t', '<', '>', '/', '"', "'", '=', '&', ';', ':'] as const

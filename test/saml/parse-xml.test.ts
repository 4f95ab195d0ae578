import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { ExclusiveCanonicalization } from 'xml-crypto'
import { TokenRejected } from '../../src/oauth/errors.ts'
import { readXmlText, type XmlDocument } from '../../src/saml/read.ts'
import { documents, separators } from './documents.ts'
import { assertion20, attribute, attributeStatement, authnStatement, makeSigner, signed } from './forge.ts'
import { orRefused, parsedByXmldom, seenByXmldom } from './seen-by-xmldom.ts'

/** The same document in other words: what XML leaves to the writer. */
const spellings = fc.constantFrom<((xml: string) => string)[]>(
  xml => xml,
  xml => xml.replace(/="([^"'<]*)"/g, "='$1'"),
  xml => xml.replace(/ (?=[^<>]*>)/g, '\n\t '),
  xml => xml.replace(/>/g, ' >'),
  xml => xml.replace(/="/g, ' \t= "'),
  xml => xml.replace(/<([^\s<>/]+)([^<>]*)><\/\1>/g, '<$1$2/>'),
  xml => xml.replace(/\n/g, '\r\n'),
  xml => `<?xml version="1.0" encoding='utf-8' ?>\n${xml}\n`,
)

/** What stands in nobody's well-meant token. */
const snippets = fc.constantFrom(
  ...separators,
  ...['x', '\0', '\ufffe', '\ud800', '\u00e9', '\u00a0', '\u2028', ']]>'],
  ...['&amp;', '&#xD;', '&#0;', '&#x110000;', '&#1;', '&nbsp;', '&quot', '&#x41;', '&#65;', '&#xd800;', '&apos;', '&#38;lt;'],
  ...[
    '<!-- -->',
    '<?p?>',
    '<![CDATA[x]]>',
    '<!DOCTYPE r>',
    '<!ENTITY x "y">',
    '<?xml version="1.0"?>',
    '</r>',
    '<x/>',
    '<x>',
    '</x>',
    '< x>',
    '</ r>',
  ],
  ...[
    ' x="y"',
    " x='y'",
    ' x=y',
    ' x',
    ' x="a" x="b"',
    ' p:x="y" q:x="y"',
    ' id="i"',
    ' ID="i"',
    ' xml:id="i"',
    ' xml:lang="e"',
    ' xmlnsx="y"',
  ],
  ...[
    ' xmlns="urn:x"',
    ' xmlns=""',
    ' xmlns:p=""',
    ' xmlns:p="urn:x"',
    ' xmlns:z="urn:p"',
    ' xmlns:xml="urn:x"',
    ' xmlns:xmlns="urn:x"',
    ' z:x="y"',
  ],
  ...[
    '<constructor:x/>',
    '<__proto__:x/>',
    ' toString:x="y"',
    ' __proto__="y"',
    ' hasOwnProperty="y"',
    '<xml:x/>',
    '<xmlns:x/>',
    '<a:b:c/>',
    '<:a/>',
    '<a:/>',
  ],
)

function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  return fc.tuple(texts, place, place, snippets, fc.nat(6)).map(([text, one, other, snippet, kind]) => {
    const at = Math.floor(one * text.length)
    const tags = text.split(/(?=<)/)
    const [from, to] = [Math.floor(one * tags.length), Math.floor(other * tags.length)]
    if (kind === 0) return text.slice(0, at) + text.slice(at + 1 + Math.floor(other * 8))
    if (kind === 1) return tags.toSpliced(to, 0, tags[from] ?? '').join('')
    if (kind === 2) return tags.with(Math.min(to, tags.length - 1), tags[from] ?? '').join('')
    if (kind === 3) return tags.with(Math.min(to, tags.length - 1), (tags[to] ?? '').replace(/\/?>/, `${snippet}$&`)).join('')
    return text.slice(0, at) + snippet + text.slice(at)
  })
}

/** What xml-crypto makes of the document when xmldom has parsed it. */
function canonicalByOthers(text: string): string {
  return new ExclusiveCanonicalization().process(parsedByXmldom(text), {})
}

/**
 * Whether the document is one that xmldom fails on by a fault of its own. It keeps the attributes so far in an object, and asks that one
 * by `hasOwnProperty` for the next; which it cannot any more behind an attribute of that name. And it takes an element for one that is
 * not closed when the last end tag of its name without white space stands before it, whatever comes behind.
 */
function isBeyondXmldom(text: string): boolean {
  return /\shasOwnProperty\s*=[^<]*=/.test(text) || /<\/[^<>]*\s>/.test(text)
}

function expectSameAsXmldom(text: string, document: XmlDocument): void {
  const normal = text.replace(/\r\n?/g, '\n')
  expect(document.root).to.deep.equal(seenByXmldom(normal))
  // xml-crypto sorts two attributes with prefixes, or two declarations, in an order of its own (`read.test.ts`).
  const inOneOrder = (canonical: string) =>
    canonical.replace(/<[^/][^>]*>/g, tag =>
      tag.replace(/( [^ =]+="[^"]*")+/, list =>
        list
          .split(/ (?=[^ =]+=")/)
          .sort()
          .join(' '),
      ),
    )
  expect(inOneOrder(document.canonical(document.root))).to.equal(inOneOrder(canonicalByOthers(normal)))
}

describe('parsing XML', () => {
  it('takes what XML leaves to the writer, and sees in it what xmldom sees (property)', () => {
    let compared = 0
    fc.assert(
      fc.property(documents, spellings, (plain, spelling) => {
        const accepted = orRefused(() => readXmlText(plain))
        const text = spelling(plain)
        const document = orRefused(() => readXmlText(text))
        if (accepted !== undefined) expect(document, text).not.to.equal(undefined)
        if (document === undefined) return
        expectSameAsXmldom(text.replace(/^<\?xml[^>]*>/, ''), document)
        compared++
      }),
      { numRuns: 1_000 },
    )
    expect(compared).to.be.above(250)
  })

  it('sees in whatever it accepts of hostile documents what xmldom sees (property)', () => {
    const idp = makeSigner()
    const assertion = signed(assertion20({ rest: authnStatement() + attributeStatement(attribute('a', 'x &amp; y', '&#xD;')) }), idp)
    const texts = fc.oneof(documents, fc.constant(assertion))
    let compared = 0
    fc.assert(
      fc.property(fc.oneof(mutated(texts), mutated(mutated(texts))), text => {
        const document = orRefused(() => readXmlText(text))
        if (document === undefined || isBeyondXmldom(text)) return
        expectSameAsXmldom(text, document)
        compared++
      }),
      { numRuns: 4_000 },
    )
    // About 470 of them, give or take 20: far fewer are no chance.
    expect(compared).to.be.above(250)
  })

  it('accepts nothing that libxml2 does not take for well-formed, with its namespaces (property)', () => {
    const accepted: string[] = []
    fc.assert(
      fc.property(fc.oneof(mutated(documents), mutated(mutated(documents))), text => {
        if (orRefused(() => readXmlText(text)) !== undefined) accepted.push(text)
      }),
      { numRuns: 4_000 },
    )
    // About 430 of them, give or take 20: far fewer are no chance.
    expect(accepted.length).to.be.above(250)
    const folder = mkdtempSync(join(tmpdir(), 'parse-'))
    try {
      const files = [...new Set(accepted)].map((text, index) => {
        const file = join(folder, `${index}.xml`)
        writeFileSync(file, text)
        return file
      })
      const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', ...files], { encoding: 'utf8' })
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('has the canonical form that libxml2 has, namespaces and attributes in its order (property)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'canonical-'))
    try {
      let compared = 0
      fc.assert(
        fc.property(fc.oneof(documents, mutated(documents)), text => {
          const document = orRefused(() => readXmlText(text))
          if (document === undefined) return
          const file = join(folder, 'document.xml')
          writeFileSync(file, text)
          const { stdout } = spawnSync('xmllint', ['--exc-c14n', '--nonet', file], { encoding: 'utf8' })
          expect(document.canonical(document.root)).to.equal(stdout)
          compared++
        }),
        { numRuns: 250 },
      )
      expect(compared).to.be.above(50)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('takes an XML declaration only if its quotes fit, as libxml2 does', () => {
    const declared = (declaration: string) => () => readXmlText(`${declaration}<a xmlns="urn:a"/>`)
    for (const good of [`<?xml version='1.0' encoding="utf-8"?>`, `<?xml version="1.0" standalone='yes' ?>`])
      expect(declared(good)).not.to.throw()
    for (const bad of [
      `<?xml version="1.0'?>`,
      `<?xml version="1.0" encoding='utf-8"?>`,
      `<?xml version="1.0" encoding='utf-8" standalone="yes'?>`,
      `<?xml version="1.0" standalone='no"?>`,
    ])
      expect(declared(bad)).to.throw(TokenRejected, 'XML declaration')
  })

  it('takes for a namespace what libxml2 takes for an absolute URI, or less', () => {
    const declaring = (uri: string) => () => readXmlText(`<a xmlns="${uri}"/>`)
    for (const good of [
      'urn:x',
      'urn:x:y/%7Ez?a=b#c',
      'http://x.example:8080/a-b_c~d',
      'https://x/y#',
      'tag:me@x.example,2005:y',
      'http://www.w3.org/2000/09/xmldsig#',
    ])
      expect(declaring(good), good).not.to.throw()
    for (const bad of [
      'urn:',
      'urn:%',
      'urn:%zz',
      'urn:x#y#z',
      'http://a:b',
      'http://x:-1/',
      'http://x:99999999999',
      'http://a@b@c',
      '1:2',
      'x',
      '//x',
      '#x',
      'urn:x y',
    ])
      expect(declaring(bad), bad).to.throw(TokenRejected, 'not an absolute URI')
  })

  it('knows no prefix that nobody has declared, whatever objects know', () => {
    for (const prefix of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(() => readXmlText(`<a xmlns="urn:a"><${prefix}:b/></a>`)).to.throw(TokenRejected, 'no namespace')
      expect(() => readXmlText(`<a xmlns="urn:a" ${prefix}:b="c"/>`)).to.throw(TokenRejected, 'undeclared prefix')
    }
  })

  it('takes attributes that are called as what objects know, wherever they stand', () => {
    const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty']
    for (const order of [names, names.toReversed()]) {
      const { root } = readXmlText(`<a xmlns="urn:a" ${order.map(name => `${name}="of ${name}"`).join(' ')}/>`)
      expect([...root.attributes]).to.deep.equal(order.map(name => [name, `of ${name}`]))
      expect(() => readXmlText(`<a xmlns="urn:a" ${[...order, order[0]].map(name => `${name}=""`).join(' ')}/>`)).to.throw(
        TokenRejected,
        'twice',
      )
    }
  })
})

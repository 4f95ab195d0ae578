import { expect } from 'chai'
import fc from 'fast-check'
import { TokenRejected } from '../../src/oauth/errors.ts'
import { parseXml } from '../../src/saml/parse-xml.ts'
import { readXmlText, XmlDocument } from '../../src/saml/read.ts'
import { readSigned, type SignedText } from '../../src/saml/read-signed.ts'
import { verificationKey } from '../../src/saml/verification-key.ts'
import { verifyEnveloped } from '../../src/saml/verify.ts'
import { saml2Version } from '../../src/saml/versions.ts'
import type { XmlElement } from '../../src/saml/xml-element.ts'
import { documents, separators } from './documents.ts'
import {
  assertion11,
  assertion20,
  attribute,
  attributeStatement,
  authnStatement,
  keyInfoOf,
  makeSigner,
  response20,
  signed,
  unsigned,
} from './forge.ts'
import { orRefused, seenByXmldom } from './seen-by-xmldom.ts'
import { badSignatures, brokenTexts, confusions, pieces, wrappings } from './vectors.ts'

const idp = makeSigner()

/** The canonical forms of everything in a document: those of the whole, and of each element as if it had been signed. */
function canonicalForms(xml: string): readonly string[] {
  const document = orRefused(() => readXmlText(xml))
  if (document === undefined) return []
  const every = (element: XmlElement): readonly XmlElement[] => [element, ...element.children.flatMap(every)]
  return every(document.root).map(element => document.canonical(element))
}

function expectAlike(canonical: string): void {
  const root = readSigned(canonical as SignedText)
  expect(root).to.deep.equal(seenByXmldom(canonical))
  expect(root).to.deep.equal(readXmlText(canonical).root)
}

describe('reading what was signed', () => {
  it('sees in every vector what xmldom sees', () => {
    const evilSigner = makeSigner()
    const texts = [
      ...Object.values(pieces(idp)).map(piece => (typeof piece === 'string' ? piece : unsigned(piece))),
      ...Object.values(wrappings(idp)),
      ...Object.values({ ...brokenTexts(idp), ...confusions(idp), ...badSignatures(idp, evilSigner) }).map(([text]) => String(text)),
      signed(assertion11(), idp),
      signed(assertion20({ rest: authnStatement() + attributeStatement(attribute('a', 'x &amp; &lt;y&gt; "z"', '&#xD;')) }), idp, {
        keyInfo: keyInfoOf(idp),
      }),
      unsigned(response20(signed(assertion20(), idp))),
    ]
    const forms = texts.flatMap(canonicalForms)
    for (const form of forms) expectAlike(form)
    // A comparison of what is readable says nothing when little is.
    expect(forms.length).to.be.above(500)
  })

  it('sees in every document what xmldom sees in its canonical form (property)', () => {
    let compared = 0
    fc.assert(
      fc.property(documents, xml => {
        for (const form of canonicalForms(xml)) {
          expectAlike(form)
          compared++
        }
      }),
      { numRuns: 600 },
    )
    expect(compared).to.be.above(1_000)
  })

  it('sees, after mutations of a canonical form, the same as xmldom or nothing (property)', () => {
    const document = readXmlText(
      signed(assertion20({ rest: authnStatement() + attributeStatement(attribute('a', 'x &amp; y', 'z')) }), idp),
    )
    const good = document.canonical(document.root)
    const tokens = good.split(/(?=<)/)
    const place = fc.nat(good.length - 1)
    const tag = fc.nat(tokens.length - 1)
    const snippets = fc.constantFrom(
      ...separators,
      ...['x', '&amp;', '&#xD;', '&#x41;', '&quot;', '<!-- -->', '<?p?>', '<![CDATA[x]]>'],
      ...[
        ' x="y"',
        " x='y'",
        ' p:x="y"',
        ' xmlns="urn:x"',
        ' xmlns=""',
        ' xmlns:p="urn:p"',
        ' xmlns:saml="urn:x"',
        '<saml:x></saml:x>',
        '<saml:x/>',
        '<x></x>',
      ],
    )
    const mutations = fc.oneof(
      fc.tuple(place, snippets).map(([at, snippet]) => good.slice(0, at) + snippet + good.slice(at)),
      fc.tuple(place, fc.integer({ min: 1, max: 8 })).map(([at, length]) => good.slice(0, at) + good.slice(at + length)),
      fc.tuple(tag, tag).map(([from, to]) => tokens.toSpliced(to, 0, tokens[from] ?? '').join('')),
      fc.tuple(tag, tag).map(([from, to]) => tokens.with(to, tokens[from] ?? '').join('')),
      fc.tuple(tag, snippets).map(([at, snippet]) => tokens.with(at, (tokens[at] ?? '').replace('>', `${snippet}>`)).join('')),
      fc.tuple(tag, snippets).map(([at, snippet]) => tokens.with(at, (tokens[at] ?? '').replace('>', `>${snippet}`)).join('')),
    )
    let read = 0
    fc.assert(
      fc.property(mutations, text => {
        const root = orRefused(() => readSigned(text as SignedText))
        if (root === undefined) return
        read++
        expect(root).to.deep.equal(seenByXmldom(text))
      }),
      { numRuns: 3_000 },
    )
    expect(read).to.be.above(100)
  })

  describe('refuses what no canonical form has', () => {
    const refused: Record<string, string> = {
      nothing: '',
      'text alone': 'x',
      'text in front': 'x<a xmlns="urn:a"></a>',
      'a space in front': ' <a xmlns="urn:a"></a>',
      'something behind': '<a xmlns="urn:a"></a>\n',
      'a second root': '<a xmlns="urn:a"></a><a xmlns="urn:a"></a>',
      'an XML declaration': '<?xml version="1.0"?><a xmlns="urn:a"></a>',
      'a document type': '<!DOCTYPE a><a xmlns="urn:a"></a>',
      'a comment': '<a xmlns="urn:a"><!-- --></a>',
      'a processing instruction': '<a xmlns="urn:a"><?p?></a>',
      CDATA: '<a xmlns="urn:a"><![CDATA[x]]></a>',
      'an empty-element tag': '<a xmlns="urn:a"/>',
      'single quotes': "<a xmlns='urn:a'></a>",
      'two spaces between attributes': '<a xmlns="urn:a"  b="c"></a>',
      'a line feed between attributes': '<a xmlns="urn:a"\nb="c"></a>',
      'a space at the end of a tag': '<a xmlns="urn:a" ></a>',
      'a space at the end of an end tag': '<a xmlns="urn:a"></a >',
      'a space around the equals sign': '<a xmlns ="urn:a"></a>',
      'attributes without a space between': '<a xmlns="urn:a"b="c"></a>',
      'a prefix that is declared twice': '<p:a xmlns:p="urn:p" xmlns:p="urn:p"></p:a>',
      'declarations in another order': '<p:a xmlns:q="urn:q" xmlns:p="urn:p"></p:a>',
      'a declaration behind an attribute': '<p:a xmlns:p="urn:p" b="c" xmlns:q="urn:q"></p:a>',
      'a default namespace behind an attribute': '<p:a xmlns:p="urn:p" b="c" xmlns=""></p:a>',
      'an empty namespace': '<a xmlns=""></a>',
      'another meaning of xml': '<a xmlns="urn:a" xmlns:xml="urn:x"></a>',
      'a meaning of xmlns': '<a xmlns="urn:a" xmlns:xmlns="urn:x"></a>',
      'attributes in another order': '<a xmlns="urn:a" c="1" b="2"></a>',
      'an attribute of a namespace in front of one of none': '<a xmlns="urn:a" xmlns:p="urn:p" p:b="1" c="2"></a>',
      'an attribute twice': '<a xmlns="urn:a" b="c" b="c"></a>',
      'an attribute twice, by two prefixes': '<a xmlns="urn:a" xmlns:p="urn:p" xmlns:q="urn:p" p:b="c" q:b="c"></a>',
      'an element without a namespace': '<a></a>',
      'an element of an undeclared prefix': '<p:a></p:a>',
      'an element of the prefix of a sibling': '<a xmlns="urn:a"><p:b xmlns:p="urn:p"></p:b><p:b></p:b></a>',
      'an attribute of an undeclared prefix': '<a xmlns="urn:a" p:b="c"></a>',
      'the prefix xmlns for an element': '<xmlns:a xmlns="urn:a"></xmlns:a>',
      'a tabulator in a value': '<a xmlns="urn:a" b="\t"></a>',
      'a less-than sign in a value': '<a xmlns="urn:a" b="<"></a>',
      'a greater-than sign in text': '<a xmlns="urn:a">></a>',
      'a carriage return in text': '<a xmlns="urn:a">\r</a>',
      'an ampersand': '<a xmlns="urn:a">&</a>',
      'an unknown entity': '<a xmlns="urn:a">&x;</a>',
      'an entity that is written as itself': '<a xmlns="urn:a">&quot;</a>',
      'an entity of objects': '<a xmlns="urn:a">&constructor;</a>',
      'a reference without its end': '<a xmlns="urn:a">&amp</a>',
      'a reference to a character that stands for itself': '<a xmlns="urn:a">&#x41;</a>',
      'a reference in another spelling': '<a xmlns="urn:a">&#13;</a>',
      'an end tag that does not fit': '<a xmlns="urn:a"></b>',
      'an end tag of another prefix': '<a xmlns="urn:a" xmlns:p="urn:a"></p:a>',
      'no end tag': '<a xmlns="urn:a">',
      'an end too early': '<a xmlns="urn:a"><b></a></b>',
    }
    for (const [what, text] of Object.entries(refused)) {
      it(what, () => {
        expect(() => readSigned(text as SignedText)).to.throw(TokenRejected, 'canonical')
      })
    }
  })

  it('is held against what was seen in the document: where they differ, nothing is verified', () => {
    const xml = signed(assertion20(), idp)
    const trust = {
      keys: [keyOf()],
      algorithms: new Set(['RS256'] as const),
      limits: { maxElements: 100, maxAttributes: 100, maxDepth: 9, comments: false },
    }
    const tree = parseXml(xml, trust.limits)
    const { root } = tree
    const verified = (seen: XmlElement) =>
      verifyEnveloped(new XmlDocument({ ...tree, root: seen }, xml), seen, saml2Version.assertion, trust).root
    const [, signature, subject] = root.children
    expect(verified(root)).to.deep.equal({ ...root, children: root.children.filter(child => child !== signature) })
    const [nameId, ...others] = subject?.children ?? []
    const changedSubject = { ...subject, children: [{ ...nameId, text: 'admin' }, ...others] } as XmlElement
    for (const seen of [
      { ...root, children: root.children.map(child => (child === subject ? changedSubject : child)) },
      { ...root, children: root.children.slice(0, -1) },
      { ...root, attributes: new Map([...root.attributes, ['x', 'y']]) },
      { ...root, attributes: new Map([...root.attributes, ['Version', '2.1']]) },
      { ...root, namespace: 'urn:other' },
      { ...root, name: 'Other' },
      { ...root, text: ' ' },
    ]) {
      expect(() => verified(seen)).to.throw(TokenRejected, 'not valid')
    }
  })
})

function keyOf() {
  const key = verificationKey(idp.privateKey)
  if (typeof key === 'string') throw new Error(key)
  return key
}

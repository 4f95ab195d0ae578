import { expect } from 'chai'
import { TokenRejected } from '../../src/oauth/errors.ts'
import { readXmlText, tokenLimits } from '../../src/saml/read.ts'
import type { XmlElement } from '../../src/saml/xml-element.ts'

const size = 65_536
const fill = (start: string, part: (index: number) => string, end: string) => {
  const parts = [start]
  for (let length = start.length, index = 0; length < size - end.length - 40; index++) {
    const next = part(index)
    parts.push(next)
    length += next.length
  }
  return parts.join('') + end
}

/** Documents of 64 KB that cost a parser the most. */
const worst: Record<string, string> = {
  'elements in each other': '<a>'.repeat(size / 3),
  'elements in each other, as deep as is allowed': fill('<a xmlns="urn:a">', () => `${'<b>'.repeat(60)}${'</b>'.repeat(60)}`, '</a>'),
  'as many elements as are allowed': `<a xmlns="urn:a">${'<b c="d"/>'.repeat(2_490)}${' '.repeat(40_000)}</a>`,
  'as many attributes as are allowed': `<a xmlns="urn:a">${`<b ${Array.from({ length: 62 }, (_, index) => `a${index}="1"`).join(' ')}/>`.repeat(63)}</a>`,
  'more attributes': fill('<a xmlns="urn:a" ', index => ` a${index}="1"`, '/>'),
  'elements of many names': fill('<a xmlns="urn:a">', index => `<e${index}/>`, '</a>'),
  'many names, as many as are allowed': `<a xmlns="urn:a">${Array.from({ length: 120 }, (_, index) => `<e${index}></e${index}>`).join('')}${' '.repeat(62_000)}</a>`,
  'many namespaces': fill('<a xmlns="urn:a">', index => `<b xmlns:p${index}="urn:${index}"/>`, '</a>'),
  'namespaces in each other': `<a xmlns="urn:a">${Array.from({ length: 60 }, (_, index) => `<b xmlns:p${index}="urn:${index}">`).join('')}${'<c a="b"/>'.repeat(2_400)}${'</b>'.repeat(60)}</a>`,
  references: fill('<a xmlns="urn:a">', () => '&lt;', '</a>'),
  'references in an attribute': fill('<a xmlns="urn:a" b="', () => '&#x41;', '"/>'),
  'spaces in a tag': `<a xmlns="urn:a"${' '.repeat(size - 40)}x/>`,
  'a name without an end': `<a xmlns="urn:a" ${'b'.repeat(size - 40)}`,
  'less-than signs': '<'.repeat(size),
  ampersands: fill('<a xmlns="urn:a">', () => '&', '</a>'),
  hyphens: fill('<a xmlns="urn:a"><!--', () => '-', '</a>'),
  'an end tag of spaces': `<a xmlns="urn:a"></a${' '.repeat(size - 40)}x>`,
}

function read(xml: string): void {
  try {
    const document = readXmlText(xml)
    document.canonical(document.root)
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
  }
}

/** What is done with a document. */
type Work = readonly [work: (xml: string) => unknown, xml: string]

/** CPU time in microseconds, for on a busy machine only what is short is not interrupted. */
function fastest([work, xml]: Work): number {
  const times = Array.from({ length: 4 }, () => {
    const start = process.cpuUsage()
    work(xml)
    const { user, system } = process.cpuUsage(start)
    return user + system
  })
  return Math.min(...times)
}

/** An assertion's worth of ordinary values, many times. */
const ordinary = (count: number) => `<a xmlns="urn:a">${'<b c="d">some text of a value, and &amp; more</b>'.repeat(count)}</a>`

/**
 * Fails where the second takes so many times as long as the first. In turn, for other programs take a core now and then; and in more turns
 * where they did: the least of many times is what the work itself takes.
 */
function expectRatioBelow(limit: number, first: Work, second: Work): void {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  const ratio = () => (least[1] ?? 0) / (least[0] ?? 0)
  for (let turn = 0; turn < 3 || (turn < 20 && ratio() >= limit); turn++) {
    for (const [at, work] of [first, second].entries()) least[at] = Math.min(least[at] ?? 0, fastest(work))
  }
  expect(ratio()).to.be.below(limit)
}

describe('reading XML of outsiders', () => {
  for (const [name, xml] of Object.entries(worst)) {
    it(`64 KB of ${name} cost little more than 64 KB of anything`, () => {
      expectRatioBelow(4, [read, ordinary(1_300)], [read, xml])
    })
  }

  it('costs no more than linearly with the size', () => {
    // Four times the size: six times the time leaves room for the garbage collector.
    expectRatioBelow(6, [read, ordinary(250)], [read, ordinary(1_000)])
  })

  it('sees text in one piece, attributes by name and namespace, and no prefixes', () => {
    const { root } = readXmlText('<p:a xmlns:p="urn:a" xmlns:q="urn:q" x="1" q:x="2&#10;3">t&amp;<p:b/>u\r\n</p:a>')
    expect(root.namespace).to.equal('urn:a')
    expect(root.text).to.equal('t&u\n')
    expect([...root.attributes]).to.deep.equal([
      ['x', '1'],
      ['{urn:q}x', '2\n3'],
    ])
    expect(root.children.map(({ name }) => name)).to.deep.equal(['b'])
  })

  it('does not take U+0085 and U+2028 for line ends, as XML 1.1 and xmldom do', () => {
    expect(readXmlText('<a xmlns="urn:a">x\u0085\u2028\u007f\u{1f600}</a>').root.text).to.equal('x\u0085\u2028\u007f\u{1f600}')
  })

  it('canonicalises prefixes and attributes in the order of Canonical XML, not of a dictionary', () => {
    const document = readXmlText('<a:r xmlns:a="urn:1" xmlns:B="urn:2" xmlns:b="urn:10" b:x="1" B:y="2" a:z="3" Z="4" m="5"/>')
    expect(document.canonical(document.root)).to.equal(
      '<a:r xmlns:B="urn:2" xmlns:a="urn:1" xmlns:b="urn:10" Z="4" m="5" a:z="3" b:x="1" B:y="2"></a:r>',
    )
  })

  it('looks for no PrefixList in what it canonicalises, where none was given', () => {
    const xml =
      '<a xmlns="urn:a"><CanonicalizationMethod><InclusiveNamespaces PrefixList="p"></InclusiveNamespaces></CanonicalizationMethod></a>'
    const document = readXmlText(xml)
    expect(document.canonical(document.root)).to.equal(xml)
  })

  it('takes no namespace whose name is so long that a canonical form could be many times as large as the document', () => {
    const declaring = (length: number) => `<a xmlns="urn:a" xmlns:b="urn:${'x'.repeat(length - 4)}"><b:c/></a>`
    expect(readXmlText(declaring(256)).root.children[0]?.namespace.length).to.equal(256)
    expect(() => readXmlText(declaring(257))).to.throw(TokenRejected, 'a namespace is longer than 256 characters')
  })

  describe('cutting a token out of a message', () => {
    const cutOut = (xml: string) => {
      const document = readXmlText(xml, { ...tokenLimits, rebinding: true })
      return document.cutOut(document.root.children[0] as XmlElement)
    }
    it('takes the namespaces along that it names, in whatever way, and does not declare itself', () => {
      const around = ' xmlns="urn:d" xmlns:p="urn:p" xmlns:q="urn:q" xmlns:pq="urn:pq" xmlns:r="urn:r" xmlns:s="urn:s"'
      const token = '<p:t a="q:x"><u xmlns:r = "urn:r2" b="xmlns:s=" r:c="s:y">pqr</u></p:t>'
      expect(cutOut(`<e${around}>${token}</e>`)).to.equal(
        `<p:t xmlns:p="urn:p" xmlns:q="urn:q" xmlns:s="urn:s" xmlns="urn:d"${token.slice('<p:t'.length)}`,
      )
    })
    it('costs no more for names that look like its text', () => {
      const names = (name: (index: number) => string) => {
        const declared = Array.from({ length: 60 }, (_, index) => ` xmlns:${name(index)}="urn:x"`).join('')
        return `<e xmlns="urn:e"${declared}><t>${'a'.repeat(200_000)}</t></e>`
      }
      const [usual, alike] = [names(index => `p${'x'.repeat(300)}${index}`), names(index => `ab${'a'.repeat(300 + index)}`)]
      // It was more than a hundred times.
      expectRatioBelow(20, [cutOut, usual], [cutOut, alike])
    })
  })
})

import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { DOMParser } from '@xmldom/xmldom'
import { expect } from 'chai'
import fc from 'fast-check'
import { SignedXml } from 'xml-crypto'
import type { DecryptionKey } from '../../src/keys/decryption-key.ts'
import { TokenRejected } from '../../src/oauth/errors.ts'
import type { Proof, TokenProcessor } from '../../src/processors/processor.ts'
import { namespaces } from '../../src/saml/names.ts'
import { type Desk, makeDesk, requireXmlTools, type Version } from '../interop/saml-tools.ts'
import {
  assertion11,
  assertion20,
  attribute,
  attributeStatement,
  audience,
  authnStatement,
  confirmation,
  keyInfoOf,
  makeSigner,
  named,
  partner,
  recipient,
  signed,
  type Unsigned,
  unsigned,
} from './forge.ts'
import { prove, saml2Processor, saml11Processor } from './judging.ts'

const idp = makeSigner()
const run = promisify(execFile)
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'

/** The Signature without values that xmlsec1 fills in. */
const template = (id: string, prefixes = '') =>
  `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>${named('CanonicalizationMethod', exclusive)}${named('SignatureMethod', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512')}<ds:Reference URI="#${id}"><ds:Transforms>${named('Transform', 'http://www.w3.org/2000/09/xmldsig#enveloped-signature')}${named('Transform', exclusive, prefixes)}</ds:Transforms>${named('DigestMethod', 'http://www.w3.org/2001/04/xmldsig-more#sha384')}<ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>`

async function signedByXmlsec1(desk: Desk, { id, before, after }: Unsigned, prefixes = ''): Promise<string> {
  const file = await desk.put('t.xml', before + template(id, prefixes) + after)
  const key = `${await desk.put('key.pem', idp.keyPem)},${await desk.put('c.pem', idp.certificate)}`
  const id20 = ['--id-attr:ID', 'urn:oasis:names:tc:SAML:2.0:assertion:Assertion']
  return (await run('xmlsec1', ['--sign', '--privkey-pem', key, ...id20, file])).stdout
}

/** The EncryptedData that xmlsec1 makes of an element. */
async function encryptedByXmlsec1(desk: Desk, xml: string, certificate: string): Promise<string> {
  const { encryption, encryption11, signature } = namespaces
  const data = '<xenc:CipherData><xenc:CipherValue/></xenc:CipherData>'
  const encryptedKey = `<xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="${encryption}rsa-oaep-mgf1p"/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>${data}</xenc:EncryptedKey>`
  const empty = `<xenc:EncryptedData xmlns:xenc="${encryption}" Type="${encryption}Element"><xenc:EncryptionMethod Algorithm="${encryption11}aes256-gcm"/><ds:KeyInfo xmlns:ds="${signature}">${encryptedKey}</ds:KeyInfo>${data}</xenc:EncryptedData>`
  const [content, pem, file] = [desk.put('x.xml', xml), desk.put('c.pem', certificate), desk.put('t.xml', empty)]
  const how = ['--encrypt', '--pubkey-cert-pem', await pem, '--session-key', 'aes-256', '--xml-data', await content, await file]
  const { stdout } = await run('xmlsec1', how)
  return stdout.replace(/^<\?xml[^>]*>\s*/, '').trim()
}

/** xml-crypto's own judgement; it says no by throwing as well. */
function xmlCryptoAccepts(xml: string, version: Version): boolean {
  try {
    const { documentElement } = new DOMParser().parseFromString(xml, 'text/xml')
    const signature = Array.from(documentElement.childNodes).find(node => (node as Element).localName === 'Signature')
    const verifier = new SignedXml({ publicCert: idp.certificate, ...(version === '1.1' && { idAttribute: 'AssertionID' }) })
    verifier.loadSignature(signature as Node)
    return verifier.checkSignature(xml)
  } catch {
    return false
  }
}

async function proofOrRefusal(processor: TokenProcessor, xml: string): Promise<Proof | undefined> {
  try {
    return await prove(processor, xml)
  } catch (error) {
    if (error instanceof TokenRejected) return undefined
    throw error
  }
}

describe('inbound assertions and other software', function () {
  this.timeout(120_000)
  let desk: Desk
  let processor: TokenProcessor
  let processor11: TokenProcessor
  before(async function () {
    requireXmlTools(this)
    desk = await makeDesk()
    processor = await saml2Processor(idp)
    processor11 = await saml11Processor(idp)
  })
  after(() => desk?.clear())

  async function expectAgreement(xml: string, version: Version = '2.0'): Promise<void> {
    expect((await prove(version === '2.0' ? processor : processor11, xml)).subject).to.equal('alice')
    expect(await desk.xmlsec1(xml, idp.certificate, version), 'xmlsec1').to.equal(true)
    expect(xmlCryptoAccepts(xml, version), 'xml-crypto').to.equal(true)
  }

  it('what the tests forge, xmlsec1 and xml-crypto verify too', async () => {
    await expectAgreement(signed(assertion20({ rest: authnStatement() }), idp, { keyInfo: keyInfoOf(idp) }))
    await expectAgreement(signed(assertion11(), idp), '1.1')
  })

  it('assertions that OpenSAML signed are taken, 2.0 and 1.1', async () => {
    for (const [document, version] of [
      [assertion20(), '2.0'],
      [assertion11(), '1.1'],
    ] as const) {
      const files = await Promise.all([
        desk.put('key.pem', idp.keyPem),
        desk.put('c.pem', idp.certificate),
        desk.put('a.xml', unsigned(document)),
      ])
      const [key, certificate, file] = files
      const sha256 = ['-alg', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', '-dig', 'http://www.w3.org/2001/04/xmlenc#sha256']
      const { stdout } = await run('samlsign', ['-s', '-k', key, '-c', certificate, ...sha256, '-f', file])
      await expectAgreement(stdout, version)
    }
  })

  it('assertions that xmlsec1 signed are taken, also with a prefix list', async () => {
    const list = `<ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="xs saml"/>`
    const typed =
      '<saml:Attribute Name="a"><saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">x</saml:AttributeValue></saml:Attribute>'
    for (const prefixes of ['', list]) {
      const xml = await signedByXmlsec1(desk, assertion20({ rest: attributeStatement(typed) }), prefixes)
      expect((await prove(processor, xml)).subject).to.equal('alice')
      expect(await desk.xmlsec1(xml, idp.certificate, '2.0')).to.equal(true)
      expect((await prove(processor, xml)).attributes.attributes).to.deep.equal({ a: ['x'] })
    }
  })

  it('what xmlsec1 encrypted is taken: an assertion, its NameID, an attribute', async () => {
    const ours = makeSigner()
    const key: DecryptionKey = { id: 'decryption', kid: 'k', algorithm: 'RSA-OAEP-256', privateKey: ours.privateKey }
    const decrypting = await saml2Processor(idp, { decryptionKeys: ['decryption'] }, { decryptionKeys: [key] })
    const encrypt = (xml: string) => encryptedByXmlsec1(desk, xml, ours.certificate)
    const declared = (xml: string) => xml.replace(/^<saml:\w+/, start => `${start} xmlns:saml="${namespaces.saml2}"`)
    const inside = async (name: string, xml: string) => `<saml:${name}>${await encrypt(declared(xml))}</saml:${name}>`

    const parts = assertion20({
      subject: `<saml:Subject>${await inside('EncryptedID', '<saml:NameID>alice</saml:NameID>')}${confirmation()}</saml:Subject>`,
      rest: attributeStatement(await inside('EncryptedAttribute', attribute('groups', 'a', 'b'))),
    })
    const signedByOther = await signedByXmlsec1(desk, parts)
    const whole = `<saml:EncryptedAssertion xmlns:saml="${namespaces.saml2}">${await encrypt(signedByOther)}</saml:EncryptedAssertion>`
    for (const xml of [signedByOther, whole]) {
      const { subject, attributes } = await prove(decrypting, xml)
      expect([subject, attributes.attributes]).to.deep.equal(['alice', { groups: ['a', 'b'] }])
    }
  })

  it('assertions that npm saml made are taken, 2.0 and 1.1', async () => {
    const { Saml20, Saml11 } = createRequire(import.meta.url)('saml')
    const options = {
      ...{ cert: idp.certificate, key: idp.keyPem, issuer: partner, audiences: audience, recipient, lifetimeInSeconds: 300 },
      ...{ nameIdentifier: 'alice', attributes: { 'urn:x/email': 'a@partner.example', 'urn:x/groups': ['a', 'b'] }, sessionIndex: '_s' },
      ...{ signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256' },
    }
    const seconds = () => Date.now() / 1000 + 1
    const text = (xml: string) => Buffer.from(xml).toString('base64')
    const of20 = await processor.process(text(Saml20.create(options)), { now: seconds() })
    expect(of20.attributes.attributes).to.deep.equal({ 'urn:x/email': ['a@partner.example'], 'urn:x/groups': ['a', 'b'] })
    const of11 = await processor11.process(text(Saml11.create(options)), { now: seconds() })
    expect(of11.attributes.attributes).to.deep.equal({ email: ['a@partner.example'], groups: ['a', 'b'] })
    expect([of20.subject, of11.subject]).to.deep.equal(['alice', 'alice'])
  })

  it('assertions that xml-crypto signed are taken', async () => {
    const document = assertion20()
    const signer = new SignedXml({
      privateKey: idp.keyPem,
      signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      canonicalizationAlgorithm: exclusive,
    })
    signer.addReference({
      xpath: '/*',
      transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive],
      digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    })
    signer.computeSignature(unsigned(document), { location: { reference: '/*/*[1]', action: 'after' } })
    await expectAgreement(signer.getSignedXml())
  })

  it('written otherwise, with the same meaning, an assertion is judged alike by all', async () => {
    const good = signed(assertion20({ rest: attributeStatement(attribute('a', 'x &amp; y', 'z')) }), idp)
    for (const xml of [
      good.replaceAll('"', "'"),
      good.replace('alice', '&#97;lice'),
      good.replaceAll('></saml:SubjectConfirmationData>', '/>'),
      good.replaceAll('<ds:Transform ', '<ds:Transform\n\t'),
      good.replace('xmlns:ds=', 'xmlns:unused="urn:unused" xmlns:ds='),
      `<?xml version="1.0" encoding="UTF-8"?>\n${good}\n`,
      good.replace(/<ds:SignatureValue>.{64}/, '$&&#13;\n'),
      good.replace(/ID="[^"]*" IssueInstant="[^"]*"/, attributes => attributes.split(' ').reverse().join(' ')),
    ]) {
      await expectAgreement(xml)
    }
  })

  it('whatever is accepted after mutations, xmlsec1 accepts too, and it says what was signed (property)', async () => {
    const parts = { id: '_fixed', rest: authnStatement() + attributeStatement(attribute('groups', 'one', 'two &lt;three&gt;')) }
    const good = signed(assertion20(parts), idp, { keyInfo: keyInfoOf(idp) })
    const original = await prove(processor, good)
    const tokens = good.split(/(?=<)/)
    const place = fc.nat(good.length - 1)
    const tag = fc.nat(tokens.length - 1)
    const snippets = fc.constantFrom(
      ...[
        ' ',
        '\n',
        '\r',
        '\t',
        '<!-- -->',
        '<?p?>',
        '<![CDATA[x]]>',
        '&amp;',
        '&#13;',
        '&#10;',
        '\u0085',
        '\u2028',
        '"',
        "'",
        '<',
        '>',
        'x',
      ],
      ...[
        ' x="y"',
        ' xmlns="urn:x"',
        ' xmlns:saml="urn:x"',
        ' xmlns:x="urn:x"',
        ' xmlnsx="y"',
        ' ID="_fixed"',
        ' xml:lang="en"',
        '</saml:Assertion>',
        '<saml:x/>',
      ],
    )
    const mutations = fc.oneof(
      fc.tuple(place, snippets).map(([at, snippet]) => good.slice(0, at) + snippet + good.slice(at)),
      fc.tuple(place, fc.integer({ min: 1, max: 8 })).map(([at, length]) => good.slice(0, at) + good.slice(at + length)),
      fc
        .tuple(place, fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, character]) => good.slice(0, at) + character + good.slice(at + 1)),
      fc.tuple(tag, tag).map(([from, to]) => tokens.toSpliced(to, 0, tokens[from] ?? '').join('')),
      fc.tuple(tag, tag).map(([from, to]) => tokens.with(to, tokens[from] ?? '').join('')),
      fc.tuple(tag, snippets).map(([at, snippet]) => tokens.with(at, (tokens[at] ?? '').replace(/(?=\/?>)/, snippet)).join('')),
      fc.tuple(tag, snippets).map(([at, snippet]) => tokens.with(at, (tokens[at] ?? '').replace('>', `>${snippet}`)).join('')),
    )
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(mutations, async xml => {
        const proof = await proofOrRefusal(processor, xml)
        if (proof === undefined) return
        accepted++
        expect(proof).to.deep.equal(original)
        if (xml !== good) expect(await desk.xmlsec1(xml, idp.certificate, '2.0'), xml).to.equal(true)
      }),
      { numRuns: 1_000 },
    )
    // A property about accepted documents says nothing when none is.
    expect(accepted).to.be.above(10)
  })
})

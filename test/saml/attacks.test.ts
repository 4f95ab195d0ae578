import { expect } from 'chai'
import type { TokenProcessor } from '../../src/processors/processor.ts'
import { assertion20, keyInfoOf, makeSigner, named, response20, signed, unsigned } from './forge.ts'
import { prove, refusal, refusalOfToken, saml2Processor } from './judging.ts'
import { badSignatures, brokenTexts, confusions, pieces, wrappings } from './vectors.ts'

const idp = makeSigner()
const evilSigner = makeSigner()

describe('attacks on what is signed', () => {
  let bare: TokenProcessor
  let wrapped: TokenProcessor
  before(async () => {
    bare = await saml2Processor(idp)
    wrapped = await saml2Processor(idp, { acceptResponse: true })
  })
  const refusedByBoth = async (xml: string) => {
    await refusal(bare, xml)
    return await refusal(wrapped, xml)
  }

  it('the good ones are taken', async () => {
    expect((await prove(bare, pieces(idp).good)).subject).to.equal('alice')
    expect((await prove(wrapped, unsigned(response20(pieces(idp).good)))).subject).to.equal('alice')
  })

  describe('signature wrapping (Appendix A 13, SC-24)', () => {
    for (const [name, xml] of Object.entries(wrappings(idp))) {
      it(name, () => refusedByBoth(xml))
    }
  })

  describe('the text of the document (Appendix A 14, section 8.3)', () => {
    const vectors = brokenTexts(idp)
    const { good } = pieces(idp)
    for (const [name, [document, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refusalOfToken(bare, Buffer.from(document).toString('base64url'))).to.match(message)
      })
    }
    it('while an XML declaration of UTF-8 and a line end behind it are taken', async () => {
      expect((await prove(bare, `<?xml version="1.0" encoding="utf-8"?>\r\n${good}\r\n`)).subject).to.equal('alice')
    })
  })

  describe('namespaces and identifiers (SC-7, SC-8, The Fragile Lock)', () => {
    const vectors = confusions(idp)
    for (const [name, [xml, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refusal(bare, xml)).to.match(message)
      })
    }
  })

  describe('the signature (Appendix A 15, SC-9 to SC-18)', () => {
    const { original, good } = pieces(idp)
    const changed = (changes: Parameters<typeof signed>[2]) => signed(original, idp, changes)
    const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
    const transform = (algorithm: string, inside = '') => named('Transform', algorithm, inside)
    const enveloped = transform('http://www.w3.org/2000/09/xmldsig#enveloped-signature')
    const prefixList = (list: string) => `<ec:InclusiveNamespaces xmlns:ec="${exclusive}" PrefixList="${list}"></ec:InclusiveNamespaces>`
    const vectors = badSignatures(idp, evilSigner)
    for (const [name, [xml, message]] of Object.entries(vectors)) {
      it(name, async () => {
        expect(await refusal(bare, xml)).to.match(message)
      })
    }
    it('of ECDSA in DER is refused, and as r and s is taken (SC-16)', async () => {
      for (const [curve, algorithm] of [
        ['P-256', 'ES256'],
        ['P-384', 'ES384'],
        ['P-521', 'ES512'],
        ['P-384', 'ES256'],
      ] as const) {
        const ec = makeSigner(curve)
        const processor = await saml2Processor(ec)
        expect((await prove(processor, signed(assertion20(), ec, { algorithm }))).subject).to.equal('alice')
        expect(await refusal(processor, signed(assertion20(), ec, { algorithm, dsaEncoding: 'der' }))).to.match(/not valid/)
        // CVE-2022-21449: zeros fit every key.
        const zeros = Buffer.alloc({ 'P-256': 64, 'P-384': 96, 'P-521': 132 }[curve]).toString('base64')
        const psychic = signed(assertion20(), ec, { algorithm }).replace(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${zeros}`)
        expect(await refusal(processor, psychic)).to.match(/not valid/)
      }
    })
    it('of RSA with every hash, and RSA-PSS, is taken; of an algorithm that the file does not list it is not', async () => {
      const only = await saml2Processor(idp, { algorithms: ['RS256'] })
      for (const algorithm of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const) {
        expect((await prove(bare, signed(assertion20(), idp, { algorithm }))).subject).to.equal('alice')
        expect(await refusal(only, signed(assertion20(), idp, { algorithm }))).to.match(/not accepted/)
      }
    })
    it('says nothing about a key of another type', async () => {
      const ec = await saml2Processor(makeSigner('P-256'))
      expect(await refusal(ec, good)).to.match(/not valid/)
    })
    it('may name an empty prefix list, of what is signed and of SignedInfo', async () => {
      for (const list of ['', ' ']) {
        const transforms = enveloped + transform(exclusive, prefixList(list))
        const canonicalization = named('CanonicalizationMethod', exclusive, prefixList(list))
        expect((await prove(bare, changed({ transforms, canonicalization }))).subject).to.equal('alice')
      }
    })
    it('may name a prefix list that resolves, and a KeyInfo of whatever key', async () => {
      const transforms = enveloped + transform(exclusive, prefixList('saml'))
      expect((await prove(bare, changed({ transforms, keyInfo: keyInfoOf(evilSigner) }))).subject).to.equal('alice')
    })
  })
})

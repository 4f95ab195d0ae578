import { expect } from 'chai'
import { SignedXml } from 'xml-crypto'
import { rsaSha1, signingProblem, xmlSigner } from '../../src/saml/sign.ts'
import { closeTag, element, join, openTag, text } from '../../src/saml/write.ts'
import { certifiedKey, configuredKey } from '../support/certificates.ts'

describe('signing XML', () => {
  const rsa = certifiedKey('RS256')
  const unsigned = {
    id: '_1',
    before: join(openTag('t:root', { 'xmlns:t': 'urn:test', ID: '_1' }), element('t:first', {}, text('a\r\n<b>'))),
    after: join(element('t:last', {}), closeTag('t:root')),
  }

  it('puts the signature between the halves and leaves them as they are', async () => {
    const signed = await xmlSigner(await configuredKey('k', rsa), 'RS256', 'none')(unsigned)
    expect(signed.startsWith(`${unsigned.before}<ds:Signature`)).to.equal(true)
    expect(signed.endsWith(`</ds:Signature>${unsigned.after}`)).to.equal(true)
    expect(signed).not.to.include('ds:KeyInfo')
  })

  for (const algorithm of ['RS256', 'RS512', rsaSha1] as const) {
    it(`is verified by xml-crypto (${algorithm}), and not after a change`, async () => {
      const signed = await xmlSigner(await configuredKey('k', rsa), algorithm, 'certificate')(unsigned)
      expect(verifies(signed)).to.equal(true)
      expect(verifies(signed.replace('&lt;b>', '&lt;c>').replace('&lt;b&gt;', '&lt;c&gt;'))).to.equal(false)
    })
  }

  function verifies(xml: string): boolean {
    const verifier = new SignedXml({ publicCert: rsa.certificatePem })
    verifier.loadSignature(/<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? '')
    try {
      return verifier.checkSignature(xml)
    } catch {
      return false
    }
  }

  it('signs with another hash by the same RSA key, and with no other curve', async () => {
    const key = await configuredKey('k', rsa)
    expect(signingProblem('RS512', key)).to.equal(undefined)
    expect(signingProblem('ES256', key)).to.equal('the key "k" is one of RS256, which does not sign by ES256')
    const p256 = await configuredKey('k', certifiedKey('ES256'))
    expect(signingProblem('ES384', p256)).to.equal('the key "k" is one of ES256, which does not sign by ES384')
    expect(signingProblem('RS256', p256)).to.include('does not sign by RS256')
  })

  it('does not sign with a key that is kept for PSS', async () => {
    const key = await configuredKey('k', certifiedKey('PS256'))
    expect(signingProblem('RS256', key)).to.include('a key of PS256 does not sign XML')
  })

  it('shows the bare key with a length-true point', async () => {
    const xml = await xmlSigner(await configuredKey('k', certifiedKey('ES512')), 'ES512', 'key')(unsigned)
    const point = Buffer.from(/<dsig11:PublicKey>(.*)<\/dsig11:PublicKey>/.exec(xml)?.[1] ?? '', 'base64')
    expect(point).to.have.length(133)
    expect(xml).to.include('URI="urn:oid:1.3.132.0.35"')
  })
})

import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { generateKey } from '../../src/keys/generate-key.ts'
import { selfSignedCertificate } from '../../src/keys/self-signed-certificate.ts'

describe('self-signed certificates', () => {
  for (const algorithm of ['ES256', 'ES384', 'ES512', 'RS256'] as const) {
    it(`of a key for ${algorithm}, as OpenSSL reads them`, async () => {
      const privateKey = createPrivateKey((await generateKey(algorithm)).privateKeyPem)
      const notBefore = new Date('2026-01-01T00:00:00Z')
      const pem = selfSignedCertificate(privateKey, { commonName: 'höhe & tiefe', notBefore, days: 365 })
      const certificate = new X509Certificate(pem)
      expect(certificate.checkPrivateKey(privateKey)).to.equal(true)
      expect(certificate.verify(certificate.publicKey)).to.equal(true)
      expect(certificate.subject).to.equal('CN=höhe & tiefe')
      expect(new Date(certificate.validTo).toISOString()).to.equal('2027-01-01T00:00:00.000Z')
      expect(execFileSync('openssl', ['x509', '-noout', '-subject', '-nameopt', 'utf8'], { input: pem }).toString()).to.include(
        'höhe & tiefe',
      )
    })
  }

  it('end after 2049', async () => {
    const privateKey = createPrivateKey((await generateKey('ES256')).privateKeyPem)
    const pem = selfSignedCertificate(privateKey, { commonName: 'x', notBefore: new Date('2049-12-31T00:00:00Z'), days: 2 })
    expect(new Date(new X509Certificate(pem).validTo).toISOString()).to.equal('2050-01-02T00:00:00.000Z')
  })

  it('are refused for a key that has no place in one', async () => {
    const privateKey = createPrivateKey((await generateKey('EdDSA')).privateKeyPem)
    expect(() => selfSignedCertificate(privateKey, { commonName: 'x', notBefore: new Date(), days: 2 })).to.throw('RSA, P-256')
  })
})

import { verify } from 'node:crypto'
import { expect } from 'chai'
import { certifiedKey, configuredKey } from '../support/certificates.ts'

describe('signing bytes', () => {
  const bytes = Buffer.from('<ds:SignedInfo/>')

  for (const hash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    it(`RSA signs by PKCS #1 1.5 with ${hash}, whatever hash the key is configured for`, async () => {
      const certified = certifiedKey('RS256')
      const signature = await (await configuredKey('k', certified)).signBytes?.(bytes, hash)
      expect(verify(hash, bytes, certified.certificate.publicKey, signature ?? Buffer.alloc(0))).to.equal(true)
    })
  }

  it('ECDSA signs as raw r and s, each as long as the curve', async () => {
    for (const [algorithm, length] of [
      ['ES256', 64],
      ['ES384', 96],
      ['ES512', 132],
    ] as const) {
      const signature = await (await configuredKey('k', certifiedKey(algorithm))).signBytes?.(bytes, 'sha256')
      expect(signature).to.have.length(length)
    }
  })

  it('a key of another scheme signs no bytes', async () => {
    expect((await configuredKey('k', certifiedKey('PS256'))).signBytes).to.equal(undefined)
  })
})

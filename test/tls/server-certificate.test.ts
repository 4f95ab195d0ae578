import { expect } from 'chai'
import { type CertificateTexts, checkServerCertificate } from '../../src/tls/server-certificate.ts'
import { type Certified, certify } from '../support/certificate-authority.ts'
import { serverAuthority, serverCertificate } from './tls-world.ts'

const day = 86_400

/** What an administrator reads about the certificate, with the member that it is about. */
function said(texts: CertificateTexts, { host = 'sts.example.com', later = 0 } = {}): string[] {
  const lines: string[] = []
  const complaints = {
    outside: { now: () => Date.now() / 1000 + later },
    problem: (path: readonly PropertyKey[], message: string) => void lines.push(`${String(path.at(-1))}: ${message}`),
    warn: (code: string, path: readonly PropertyKey[], message: string) => void lines.push(`${String(path.at(-1))}: ${message} [${code}]`),
  }
  checkServerCertificate(texts, host, complaints, ['listen', 'tls'])
  return lines
}

describe('the certificate of this server', () => {
  const good = serverCertificate()
  const whole = (certified: Certified): CertificateTexts => ({
    certificate: certified.certificate + serverAuthority.certificate,
    privateKey: certified.privateKey,
  })

  it('is fine with its chain, or self-signed', () => {
    expect(said(whole(good))).to.deep.equal([])
    expect(said(certify({ subject: '/CN=sts.example.com', extensions: ['subjectAltName=DNS:sts.example.com'], days: 300 }))).to.deep.equal(
      [],
    )
  })

  it('is named for an address as for a host', () => {
    expect(said(whole(good), { host: '127.0.0.1' })).to.deep.equal([])
    expect(said(whole(good), { host: '[::1]' })).to.have.length(1)
  })

  const other = serverCertificate()
  const encrypted = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMA==\n-----END ENCRYPTED PRIVATE KEY-----\n'
  const mistakes: Array<[string, CertificateTexts, RegExp, object?]> = [
    ['no certificate', { ...good, certificate: good.privateKey }, /^certificate: has no certificate as PEM/],
    ['no key', { ...good, privateKey: good.certificate }, /^privateKey: is not a private key as PEM/],
    ['an encrypted key', { ...good, privateKey: encrypted }, /^privateKey: is encrypted/],
    ['the key of another certificate', { ...whole(good), privateKey: other.privateKey }, /^privateKey: is the key of another certificate/],
    [
      'the certificates in the wrong order',
      { certificate: serverAuthority.certificate + good.certificate, privateKey: good.privateKey },
      /^privateKey: is the key of certificate 2 of the file/,
    ],
    ['no chain', good, /no certificate of its authority, CN=Servers,O=Acme: .* \[incomplete-chain\]$/],
    [
      'the chain of somebody else',
      { certificate: good.certificate + other.certificate, privateKey: good.privateKey },
      /certificate 2 of the file is not that of the authority .* \[incomplete-chain\]$/,
    ],
    ['another host', whole(serverCertificate('other.example')), /does not name sts\.example\.com.* \[certificate-of-another-host\]$/],
    ['the end of its time', whole(good), /expired on .*clients refuse to connect \[certificate-expired\]$/, { later: 366 * day }],
    ['an end that is near', whole(good), /expires on .* \[certificate-expires\]$/, { later: 350 * day }],
    ['a time that is to come', whole(good), /not valid yet.* \[certificate-not-yet-valid\]$/, { later: -day }],
    [
      'a key that is too weak',
      certify({ subject: '/CN=sts.example.com', extensions: ['subjectAltName=DNS:sts.example.com'], key: 'weak' }),
      /^certificate: /,
    ],
  ]
  for (const [what, texts, why, when] of mistakes) {
    it(`is found out with ${what}`, () => {
      const lines = said(texts, when)
      expect(
        lines.filter(line => why.test(line)),
        lines.join('\n'),
      ).to.have.length(1)
    })
  }
})

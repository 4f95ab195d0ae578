import { expect } from 'chai'
import fc from 'fast-check'
import { parseName } from '../../src/certificates/distinguished-name.ts'
import { readCertificates } from '../../src/certificates/pem.ts'
import { certify } from '../support/certificate-authority.ts'

function subjectOf(subject: string) {
  const certificates = readCertificates(certify({ subject }).certificate)
  return certificates?.[0].subject ?? expect.fail('unreadable')
}

describe('a distinguished name', () => {
  const equal: Array<[certificate: string, written: string]> = [
    ['/C=CH/O=Acme/CN=orders', 'CN=orders,O=Acme,C=CH'],
    ['/C=CH/O=Acme/CN=orders', 'cn = orders , o=Acme , 2.5.4.6=CH'],
    ['/O=Acme, Inc./CN=a=b', 'CN=a\\=b,O=Acme\\, Inc.'],
    ['/O=Zürich/CN=é', 'CN=\\C3\\A9,O=Zürich'],
    ['/O=Acme/CN=orders+UID=7', 'UID=7+CN=orders,O=Acme'],
    ['/DC=example/DC=acme/CN=orders', 'CN=orders,DC=acme,DC=example'],
    ['/emailAddress=a@acme.example/CN=x', 'CN=x,E=a@acme.example'],
    ['/CN= x ', 'CN=\\ x\\ '],
  ]
  for (const [certificate, written] of equal) {
    it(`${certificate} is ${written}`, () => {
      const subject = subjectOf(certificate)
      expect(parseName(written).canonical).to.equal(subject.canonical)
      expect(parseName(subject.toString()).canonical, subject.toString()).to.equal(subject.canonical)
    })
  }

  const different: Array<[certificate: string, written: string]> = [
    ['/CN=orders,O=Acme', 'CN=orders,O=Acme'],
    ['/CN=orders\\/O=Acme', 'CN=orders,O=Acme'],
    ['/O=Acme/CN=orders', 'O=Acme,CN=orders'],
    ['/O=Acme/CN=Orders', 'CN=orders,O=Acme'],
    ['/O=Acme/CN=orders ', 'CN=orders,O=Acme'],
    ['/O=Acme/CN=orders/CN=x', 'CN=orders,O=Acme'],
    ['/O=Acme/CN=orders+OU=x', 'CN=orders,OU=x,O=Acme'],
    ['/O=Acme/OU=orders', 'CN=orders,O=Acme'],
    ['/O=Acme/CN=оrders', 'CN=orders,O=Acme'],
    ['/CN=#0500', 'CN=#0500'],
  ]
  for (const [certificate, written] of different) {
    it(`${certificate} is not ${written}`, () => expect(parseName(written).canonical).not.to.equal(subjectOf(certificate).canonical))
  }

  for (const [one, other] of [
    ['CN=#0c01ff', 'CN=#0c01fe'],
    ['CN=#1e02d800', 'CN=#1e02d801'],
  ] as const) {
    it(`${one} is no text, and not ${other}`, () => expect(parseName(one).canonical).not.to.equal(parseName(other).canonical))
  }

  const mistakes: Array<[string, RegExp]> = [
    ['/C=CH/CN=x', /old OpenSSL/],
    ['', /empty/],
    ['orders', /without "="/],
    ['CN=Acme, Inc.', /without "=".*" *Inc\."|without "="/],
    ['CNN=x', /"CNN" that is not known/],
    ['CN="x"', /in quotes/],
    ['CN=a;b', /no backslash/],
    ['CN=#zz', /no DER/],
  ]
  for (const [written, why] of mistakes) it(`${JSON.stringify(written)} is a mistake`, () => expect(() => parseName(written)).to.throw(why))

  it('reads as it was written, whatever stands in it', () => {
    const value = fc.string({ minLength: 1 }).filter(text => !text.startsWith('#'))
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), values => {
        const text = values.map(each => `CN=${[...Buffer.from(each)].map(octet => `\\${octet.toString(16).padStart(2, '0')}`).join('')}`)
        const name = parseName(text.join(','))
        expect(parseName(name.toString()).canonical).to.equal(name.canonical)
      }),
    )
  })
})

import { expect } from 'chai'
import { readCertificates } from '../../src/certificates/pem.ts'
import { TrustAnchors } from '../../src/certificates/trust-anchors.ts'
import { authority, type Certified, certify, forClients } from '../support/certificate-authority.ts'

const read = (...all: Certified[]) => readCertificates(all.map(({ certificate }) => certificate).join('')) ?? expect.fail('unreadable')
const now = () => Date.now() / 1000

describe('trust anchors', () => {
  const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
  const between = certify({ subject: '/O=Acme/CN=Clients', extensions: authority, by: root })
  const anchors = new TrustAnchors(read(root))

  function problem(leaf: Certified, others: readonly Certified[] = [], at = now(), trusted = anchors): string | undefined {
    const [first, ...rest] = read(leaf, ...others)
    return trusted.problemOf({ leaf: first, others: rest }, at)
  }

  it('take what they have issued', () => {
    expect(problem(certify({ subject: '/CN=orders', by: root }))).to.equal(undefined)
    expect(problem(certify({ subject: '/CN=orders', by: root, key: 'rsa' }))).to.equal(undefined)
  })

  it('take what an authority below them has issued, with whatever else stands in the chain', () => {
    const leaf = certify({ subject: '/CN=orders', by: between })
    const stranger = certify({ subject: '/O=Acme/CN=Clients', extensions: authority })
    expect(problem(leaf, [stranger, root, between])).to.equal(undefined)
    expect(problem(leaf, [])).to.match(/does not lead to a trusted authority/)
    expect(problem(leaf, [], now(), new TrustAnchors(read(between))), 'one that is below another').to.equal(undefined)
  })

  it('take a certificate without extended key usage, which is for every purpose', () => {
    expect(problem(certify({ subject: '/CN=orders', by: root, extensions: ['basicConstraints=CA:FALSE'] }))).to.equal(undefined)
  })

  const refused: Array<[string, () => Certified, RegExp, (() => Certified[])?]> = [
    ['one that has signed itself', () => certify({ subject: '/CN=orders' }), /does not lead/],
    [
      'one of an authority of the same name',
      () => certify({ subject: '/CN=orders', by: certify({ subject: '/O=Acme/CN=Root', extensions: authority }) }),
      /does not lead/,
    ],
    [
      'one for servers',
      () => certify({ subject: '/CN=orders', by: root, extensions: ['basicConstraints=CA:FALSE', 'extendedKeyUsage=serverAuth'] }),
      /no clientAuth/,
    ],
    [
      'one that may only encrypt',
      () => certify({ subject: '/CN=orders', by: root, extensions: ['keyUsage=critical,keyEncipherment'] }),
      /no digitalSignature/,
    ],
    ['an authority itself', () => between, /of an authority/],
    ['the anchor itself', () => root, /of an authority/],
    ['a weak key', () => certify({ subject: '/CN=orders', by: root, key: 'weak' }), /1024 bits/],
    ['a broken digest', () => certify({ subject: '/CN=orders', by: root, digest: 'sha1' }), /algorithm that is broken/],
    [
      'an extension that is critical and unknown',
      () => certify({ subject: '/CN=orders', by: root, extensions: ['1.2.3.4=critical,ASN1:NULL'] }),
      /critical extension 1\.2\.3\.4/,
    ],
  ]
  for (const [what, leaf, why] of refused) it(`refuse ${what}`, () => expect(problem(leaf())).to.match(why))

  const badBetween: Array<[string, readonly string[]]> = [
    ['that is none', ['basicConstraints=critical,CA:FALSE']],
    ['that may not sign certificates', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature']],
    ['for servers only', [...authority, 'extendedKeyUsage=serverAuth']],
    ['for certain names only', [...authority, 'nameConstraints=permitted;DNS:acme.example']],
  ]
  for (const [what, extensions] of badBetween) {
    it(`refuse what was issued by an authority ${what}`, () => {
      const bad = certify({ subject: '/CN=between', extensions, by: root })
      expect(problem(certify({ subject: '/CN=orders', by: bad }), [bad])).to.match(/does not lead/)
    })
  }

  it('refuse what was issued by the certificate of a client', () => {
    const client = certify({ subject: '/CN=orders', by: root })
    expect(problem(certify({ subject: '/CN=payments', by: client }), [client])).to.match(/does not lead/)
  })

  it('count the authorities where one bounds them', () => {
    const bounded = certify({ subject: '/CN=bounded', extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0'], by: root })
    const below = certify({ subject: '/CN=below', extensions: authority, by: bounded })
    expect(problem(certify({ subject: '/CN=orders', by: bounded }), [bounded])).to.equal(undefined)
    expect(problem(certify({ subject: '/CN=orders', by: below }), [below, bounded])).to.match(/does not lead/)
  })

  it('look at the dates of all of the chain each time', () => {
    const leaf = certify({ subject: '/CN=orders', by: root, days: 2 })
    const [first, ...rest] = read(leaf)
    const presented = { leaf: first, others: rest }
    expect(anchors.problemOf(presented, now())).to.equal(undefined)
    expect(anchors.problemOf(presented, now() + 3 * 86_400)).to.equal('the certificate has expired')
    expect(anchors.problemOf(presented, now() - 86_400)).to.equal('the certificate is not valid yet')
    const longer = certify({ subject: '/CN=orders', by: root, days: 300 })
    expect(problem(longer, [], now() + 40 * 86_400)).to.match(/one of its authorities has expired/)
  })

  it('do not search for ever in a chain in which all fit to each other', () => {
    const loops = Array.from({ length: 30 }, () => certify({ subject: '/CN=loop', extensions: authority }))
    expect(problem(certify({ subject: '/CN=orders', by: loops[0] as Certified, extensions: forClients }), loops)).to.match(/does not lead/)
  })
})

import { expect } from 'chai'
import { AssumptionMistake } from '../../src/processors/assumed.ts'
import { x509 } from '../../src/processors/x509.ts'
import { authority, certify } from '../support/certificate-authority.ts'
import { build } from './building.ts'

const texts = { root: certify({ subject: '/O=Acme/CN=Root', extensions: authority, days: 90 }).certificate }

/** What a policy test is told of a certificate that says this. */
async function assumed(says: object, subject: string) {
  const { processor, problems, warnings } = await build(
    x509,
    { issuer: 'urn:devices', trustAnchors: [{ env: 'root' }], subject },
    { texts },
  )
  expect([problems, warnings]).to.deep.equal([[], []])
  try {
    return processor?.assume({ says: { ...says }, audience: 'https://sts.example.com', id: 'assumed', now: 1_800_000_000 }).subject
  } catch (error) {
    if (!(error instanceof AssumptionMistake)) throw error
    return `${error.path.join('.')}: ${error.message}`
  }
}

describe('what a policy test says of a certificate', () => {
  it('has the name that is the subject', async () => {
    expect(await assumed({ subjectDn: 'CN=device 7, O=Acme' }, 'subjectDn')).to.equal('CN=device 7,O=Acme')
    expect(await assumed({ san: { uri: ['urn:acme:device:7'], dns: ['a.example', 'b.example'] } }, 'sanUri')).to.equal('urn:acme:device:7')
    expect(await assumed({ subjectDn: 'CN=device 7', san: { ip: ['10.0.0.7'] } }, 'sanIp')).to.equal('10.0.0.7')
  })

  it('is a mistake without it, or where there are two', async () => {
    expect(await assumed({}, 'subjectDn')).to.equal('subjectDn: a certificate has a subject')
    expect(await assumed({ subjectDn: '' }, 'subjectDn')).to.match(/^subjectDn: /)
    for (const san of [undefined, { dns: ['a.example'] }, { uri: [''] }, { uri: ['urn:a', 'urn:b'] }])
      expect(await assumed({ subjectDn: 'CN=device 7', san }, 'sanUri')).to.equal(
        `san: the subject is the certificate's only name of this kind: { "uri": ["…"] }`,
      )
  })
})

import { expect } from 'chai'
import { trustNamespaces } from '../../src/sts/names.ts'
import { assertion20, audience, conditions, makeSigner, restriction, signed, subject } from '../saml/forge.ts'
import { answered, assertionFor, assertionIn, binary, europe, faulted, ledger, member, saml2Type, trustServerFor, wsa } from './asking.ts'

const idp = makeSigner()
const other = makeSigner()
const status = `${trustNamespaces['1.3']}/RSTR/Status`
const old = '<saml:Issuer>https://old.partner.example</saml:Issuer>'

describe('Validate', () => {
  const at = trustServerFor(idp)
  const validity = async (asked: Parameters<typeof answered>[1]) => {
    const text = await answered(at, { operation: 'Validate', ...asked })
    const found = /<wst:Status><wst:Code>([^<]*)<\/wst:Code><wst:Reason>[^<]*<\/wst:Reason><\/wst:Status>/.exec(text)
    return { code: found?.[1]?.split('/').slice(-2).join('/'), text }
  }

  it('WT-24: says that a token is valid, in a bare response', async () => {
    for (const tokenType of [undefined, status]) {
      const { code, text } = await validity({ subject: assertionFor(idp), tokenType })
      expect(code).to.equal('status/valid')
      expect(text).to.match(new RegExp(`<soap:Body><wst:RequestSecurityTokenResponse><wst:TokenType>${status}</wst:TokenType><wst:Status>`))
      expect(text).to.not.include('RequestedSecurityToken')
    }
    expect(at.lastRecord()).to.deep.include({ outcome: 'validated', connection: 'partner', client: 'gateway' })
    expect(at.lastRecord()).to.not.have.any.keys('issuedToken', 'generator', 'scope')
  })

  it('in the words of 2005/02, and of SOAP 1.2', async () => {
    const { text } = await validity({ subject: assertionFor(idp), trust: '2005/02', soap: '1.2' })
    expect(text).to.include(`${trustNamespaces['2005/02']}/status/valid`)
  })

  it('WT-26: with the action of its answer', async () => {
    const headers = `<a:Action xmlns:a="${wsa}">${trustNamespaces['1.3']}/RST/Validate</a:Action>`
    expect((await validity({ subject: assertionFor(idp), headers })).text).to.include('/RSTR/ValidateFinal</wsa:Action>')
  })

  const invalid: Record<string, () => string> = {
    'Appendix A 28: a token that was tampered with': () => assertionFor(idp).replace('alice', 'alicE'),
    'one that somebody else signed': () => assertionFor(other),
    'one that is not signed': () => {
      const { before, after } = assertion20()
      return before + after
    },
    'one of an unknown issuer': () => signed(assertion20({ issuer: '<saml:Issuer>https://evil.example</saml:Issuer>' }), idp),
    'one for another virtual server': () => assertionFor(idp, europe),
    'one that has expired': () =>
      signed(
        assertion20({
          conditions: conditions(restriction(audience)).replace(/NotOnOrAfter="[^"]*"/, 'NotOnOrAfter="2020-01-01T00:00:00Z"'),
        }),
        idp,
      ),
    'one that the criteria of the connection refuse': () => assertionFor(idp, audience, assertion20({ subject: subject('mallory') })),
  }
  for (const [what, make] of Object.entries(invalid)) {
    it(`${what}: invalid, with 200 and no fault`, async () => {
      const { code, text } = await validity({ subject: make() })
      expect(code).to.equal('status/invalid')
      expect(text).to.not.include('Fault')
      expect(at.lastRecord()).to.deep.include({ outcome: 'refused', client: 'gateway' })
      expect((at.lastRecord().refusal as { reason: string }).reason).to.be.oneOf(['subject-token-rejected', 'criterion-failed'])
    })
  }

  it('WT-25: makes a token of ours with it, where one is asked for', async () => {
    const { code, text } = await validity({ subject: assertionFor(idp), tokenType: saml2Type })
    expect(code).to.equal('status/valid')
    expect(assertionIn(text)).to.include('alice')
    expect(at.lastRecord()).to.deep.include({ outcome: 'issued', generator: 'ledger-saml' })
    const refused = await validity({ subject: assertionFor(other), tokenType: saml2Type })
    expect(refused.code).to.equal('status/invalid')
    expect(refused.text).to.not.include('RequestedSecurityToken')
  })

  it('but a token that cannot be made is a fault: it says nothing of the one that was sent', async () => {
    await faulted(
      at,
      { operation: 'Validate', subject: assertionFor(idp), tokenType: saml2Type, appliesTo: 'urn:unknown' },
      'wst:InvalidScope',
    )
  })

  it('of a token from nobody but the partner of the connection, also where its processor takes others', async () => {
    const path = '/sts/partner11'
    expect((await validity({ path, subject: signed(assertion20({ issuer: old }), idp) })).code).to.equal('status/valid')
    expect((await validity({ path, subject: assertionFor(idp) })).code).to.equal('status/invalid')
  })

  it('uses up a token that is for one use', async () => {
    const asked = { path: '/sts/partner11', subject: signed(assertion20({ issuer: old }), idp) }
    expect((await validity(asked)).code).to.equal('status/valid')
    expect((await validity(asked)).code).to.equal('status/invalid')
  })

  it('a connection that only validates issues nothing', async () => {
    const asked = { path: '/sts/partner11', subject: signed(assertion20({ issuer: old }), idp) }
    await faulted(at, asked, 'wst:RequestFailed')
    await faulted(at, { ...asked, operation: 'Validate', tokenType: saml2Type }, 'wst:RequestFailed')
  })

  it('of a JWT, and of a token in the security header', async () => {
    expect((await validity({ path: '/sts/people', subject: binary(await at.person()) })).code).to.equal('status/valid')
    expect((await validity({ path: '/sts/people', subject: binary(await at.person({ exp: 1 })) })).code).to.equal('status/invalid')
    expect((await validity({ holder: 'none', security: assertionFor(idp) })).code).to.equal('status/valid')
  })

  it('is a fault where the message is at fault, not the token', async () => {
    await faulted(at, { operation: 'Validate' }, 'wst:InvalidRequest')
    await faulted(at, { operation: 'Validate', subject: assertionFor(idp), holder: 'OnBehalfOf' }, 'wst:InvalidRequest')
    await faulted(at, { operation: 'Validate', subject: '<x xmlns="urn:x"/>' }, 'wsse:UnsupportedSecurityToken')
    await faulted(
      at,
      { operation: 'Validate', subject: assertionFor(idp), members: member('KeyType', 'urn:x'), appliesTo: ledger },
      'wst:RequestFailed',
    )
    await faulted(at, { operation: 'Validate', client: 'stranger', subject: assertionFor(idp) }, 'wst:RequestFailed')
  })
})

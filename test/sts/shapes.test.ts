import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { assertion20, conditions, at as instant, makeSigner, restriction, signed } from '../saml/forge.ts'
import { patched, secretOf } from '../support/configuration.ts'
import { answered, ask, assertionFor, assertionIn, faulted, trustServerFor } from './asking.ts'

const idp = makeSigner()
const shown = (name: string) => readFileSync(new URL(`shapes/${name}.xml`, import.meta.url), 'utf8')

/** What a client sends, as it was captured, with our names and the time of these tests in it. */
function captured(name: string, token: string): string {
  return shown(name)
    .replaceAll('USER', 'gateway')
    .replaceAll('PASSWORD', secretOf('gateway'))
    .replaceAll('CREATED', instant(-5))
    .replaceAll('EXPIRES', instant(295))
    .replaceAll('<TOKEN/>', token)
}

describe('messages as clients send them', () => {
  const at = trustServerFor(idp, files =>
    patched(files, {
      'policies/idp-connections/partner.json': {
        generators: [
          {
            tokenGenerator: 'ledger-saml',
            default: true,
            appliesTo: ['https://sp.example.com/svc'],
            attributes: { SAML_SUBJECT: 'policy.TOKEN_SUBJECT', email: "'alice@partner.example'", groups: '[]' },
          },
        ],
      },
    }),
  )

  it('CXF: SOAP 1.1, a timestamp before the UsernameToken, Renewing', async () => {
    const answer = await answered(at, { client: undefined, message: captured('cxf-issue-soap11', assertionFor(idp)) })
    expect(assertionIn(answer)).to.include('alice')
    expect(answer).to.include('<wsu:Timestamp ').and.include('urn:uuid:8f0a4b9e-6a0c-4f5b-9a3a-0c6b1a2d3e4f</wsa:RelatesTo>')
  })

  it('WCF: SOAP 1.2, three headers that must be understood, KeyType before RequestType', async () => {
    const answer = await answered(at, { soap: '1.2', client: undefined, message: captured('wcf-issue-soap12', assertionFor(idp)) })
    expect(assertionIn(answer)).to.include('alice')
    expect(answer).to.include('RSTRC/IssueFinal</wsa:Action>').and.include('<wsu:Timestamp ')
  })

  it('WCF as of February 2005: the addressing of 2004, a bare response', async () => {
    const answer = await answered(at, { soap: '1.2', client: undefined, message: captured('wcf-issue-200502', assertionFor(idp)) })
    expect(assertionIn(answer)).to.include('alice')
    expect(answer).to.include('http://schemas.xmlsoap.org/ws/2005/02/trust/RSTR/Issue</wsa:Action>').and.not.include('Collection')
  })

  it('CXF: Validate, and its refusal of a token that is not for us', async () => {
    const message = captured('cxf-validate-soap11', assertionFor(idp))
    expect(await answered(at, { message })).to.include('/status/valid</wst:Code>')
    const other = signed(assertion20({ conditions: conditions(restriction('https://sp.example.com')) }), idp)
    expect(await answered(at, { message: captured('cxf-validate-soap11', other) })).to.include('/status/invalid</wst:Code>')
  })

  it('the fault has the shape that they read, in both versions', async () => {
    const wrong = (name: string) => captured(name, assertionFor(idp)).replace(secretOf('gateway'), 'wrong')
    const soap11 = await faulted(at, { client: undefined, message: wrong('cxf-issue-soap11') }, 'wsse:FailedAuthentication')
    expect(soap11.text).to.match(
      /<soap:Fault><faultcode xmlns:wsse="[^"]+">wsse:FailedAuthentication<\/faultcode><faultstring>[^<]+<\/faultstring><\/soap:Fault>/,
    )
    const soap12 = await ask(at, { soap: '1.2', client: undefined, message: wrong('wcf-issue-soap12') })
    expect(soap12.status).to.equal(400)
    expect(soap12.text).to.match(
      /<soap:Code><soap:Value>soap:Sender<\/soap:Value><soap:Subcode><soap:Value xmlns:wsse="[^"]+">wsse:FailedAuthentication<\/soap:Value><\/soap:Subcode><\/soap:Code><soap:Reason><soap:Text xml:lang="en">/,
    )
    expect(soap12.text).to.include('http://www.w3.org/2005/08/addressing/soap/fault</wsa:Action>')
  })
})

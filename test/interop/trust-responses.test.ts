import { expect } from 'chai'
import { makeSigner } from '../saml/forge.ts'
import { answered, assertionFor, assertionIn, europe, faulted, saml11Type, timestamp, trustServerFor } from '../sts/asking.ts'
import { type Desk, makeDesk, requireXmlTools } from './saml-tools.ts'
import { requireProgram, run } from './tools.ts'

const idp = makeSigner()
const envelopeSchema = '/usr/share/xml/xmltooling/soap-envelope.xsd'

describe('answers of WS-Trust, by the tools of others', function () {
  this.timeout(60_000)
  let desk: Desk
  before(async function () {
    requireXmlTools(this)
    requireProgram(this, 'cat', [envelopeSchema], 'CAMBIST_REQUIRE_XML_TOOLS')
    desk = await makeDesk()
  })
  after(() => desk?.clear())
  let certificate = ''
  const at = trustServerFor(idp, files => {
    certificate = String(files['secrets/saml.crt'])
    return files
  })
  const path = `/sts/partner/${Buffer.from(europe).toString('base64url')}`

  for (const [version, tokenType] of [
    ['2.0', undefined],
    ['1.1', saml11Type],
  ] as const) {
    for (const soap of ['1.1', '1.2'] as const) {
      it(`the assertion of SAML ${version} in SOAP ${soap} is valid when it is cut out, for xmlsec1, OpenSAML and its schema`, async () => {
        const xml = assertionIn(await answered(at, { soap, path, subject: assertionFor(idp, europe), tokenType }))
        expect(await desk.xmlsec1(xml, certificate, version)).to.equal(true)
        expect(await desk.xmlsec1(xml.replace('alice', 'alicE'), certificate, version)).to.equal(false)
        if (version === '2.0') expect(await desk.samlsign(xml, certificate)).to.equal(true)
        expect(await desk.schemaProblems([xml], version)).to.equal('')
      })
    }

    it(`the assertion of SAML ${version} is valid where it stands, for xmlsec1`, async () => {
      const answer = await answered(at, { path, subject: assertionFor(idp, europe), tokenType })
      expect(await desk.xmlsec1(answer, certificate, version)).to.equal(true)
    })
  }

  it('envelopes and faults of SOAP 1.1 are valid by its schema', async () => {
    const issued = await answered(at, { subject: assertionFor(idp), security: timestamp(-5) })
    const validated = await answered(at, { operation: 'Validate', subject: assertionFor(idp) })
    const { text: fault } = await faulted(at, { subject: assertionFor(idp), appliesTo: 'urn:unknown' }, 'wst:InvalidScope')
    const files = await Promise.all([issued, validated, fault].map(each => desk.put('envelope.xml', each)))
    const { code, complaints } = await run('xmllint', ['--nonet', '--noout', '--schema', envelopeSchema, ...files])
    expect(code, complaints).to.equal(0)
  })

  it('answers are valid by the schema in the WSDL', async () => {
    const { text } = await at.server.request('GET', '/sts/partner?wsdl')
    const [schema = ''] = /<xs:schema .*<\/xs:schema>/.exec(text) ?? []
    const declared = schema.replace(
      '<xs:schema ',
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:wst="http://docs.oasis-open.org/ws-sx/ws-trust/200512" ',
    )
    const file = await desk.put('trust.xsd', declared)
    const answers = [
      await answered(at, { subject: assertionFor(idp) }),
      await answered(at, { operation: 'Validate', subject: assertionFor(idp) }),
    ]
    const bodies = answers.map(answer =>
      (/<soap:Body>(.*)<\/soap:Body>/.exec(answer)?.[1] ?? '').replace(
        '>',
        ' xmlns:wst="http://docs.oasis-open.org/ws-sx/ws-trust/200512">',
      ),
    )
    const files = await Promise.all(bodies.map(body => desk.put('answer.xml', body)))
    const { code, complaints } = await run('xmllint', ['--nonet', '--noout', '--schema', file, ...files])
    expect(code, complaints).to.equal(0)
  })
})

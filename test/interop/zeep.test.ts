import { join } from 'node:path'
import { expect } from 'chai'
import { makeSigner } from '../saml/forge.ts'
import { assertionFor, ledger, saml2Type, trustServerFor } from '../sts/asking.ts'
import { secretOf } from '../support/configuration.ts'
import { requireProgram, run } from './tools.ts'

const python = '/usr/bin/python3'
const idp = makeSigner()

interface Spoken {
  readonly responses?: number
  readonly status?: string
  readonly envelope?: string
  readonly fault?: { readonly code: string; readonly subcodes: readonly string[]; readonly message: string }
}

describe('zeep', function () {
  this.timeout(60_000)
  before(function () {
    requireProgram(this, python, ['-c', 'import zeep'], 'CAMBIST_REQUIRE_PYTHON')
  })
  const at = trustServerFor(idp)

  async function speak(order: Record<string, unknown>): Promise<Spoken> {
    const address = `${at.server.url}/sts/partner`
    const usual = { wsdl: `${address}?wsdl`, address, client: 'gateway', secret: secretOf('gateway'), by: 'basic', binding: 'STS_Binding' }
    // A message of a program that this test does not send itself.
    at.server.countExchange()
    const { code, out, complaints } = await run(
      python,
      [join(import.meta.dirname, 'zeep_client.py')],
      JSON.stringify({ ...usual, ...order }),
    )
    expect(code, complaints).to.equal(0)
    return JSON.parse(out)
  }

  for (const binding of ['STS_Binding', 'STS_Binding12']) {
    for (const by of ['basic', 'username']) {
      it(`reads the WSDL and completes Issue by ${binding}, as a client by ${by}`, async () => {
        const order = { binding, by, operation: 'Issue', token: assertionFor(idp), appliesTo: ledger, tokenType: saml2Type }
        const { responses, envelope, fault } = await speak(order)
        expect(fault).to.equal(undefined)
        expect(responses).to.equal(1)
        expect(envelope).to.include('<saml:NameID>alice</saml:NameID>')
      })
    }

    it(`completes Validate by ${binding}: valid and invalid`, async () => {
      const genuine = assertionFor(idp)
      const order = { binding, operation: 'Validate' }
      expect((await speak({ ...order, token: genuine })).status).to.match(/status\/valid$/)
      expect((await speak({ ...order, token: genuine.replace('alice', 'alicE') })).status).to.match(/status\/invalid$/)
    })

    it(`understands our faults by ${binding}`, async () => {
      const { fault } = await speak({ binding, operation: 'Issue', token: assertionFor(idp), appliesTo: 'urn:unknown' })
      expect([fault?.code, ...(fault?.subcodes ?? [])].join()).to.include('InvalidScope')
      expect(fault?.message).to.include('AppliesTo is unknown here')
      const by = { by: 'username', secret: 'wrong' }
      const refused = await speak({ binding, ...by, operation: 'Issue', token: assertionFor(idp) })
      expect([refused.fault?.code, ...(refused.fault?.subcodes ?? [])].join()).to.include('FailedAuthentication')
    })
  }

  it('with WS-Addressing, which our WSDL has it use', async () => {
    const { envelope, fault } = await speak({ operation: 'Issue', token: assertionFor(idp) })
    expect(fault).to.equal(undefined)
    expect(envelope).to.match(/RSTRC\/IssueFinal<\/wsa:Action><wsa:RelatesTo [^>]*>urn:uuid:/)
  })
})

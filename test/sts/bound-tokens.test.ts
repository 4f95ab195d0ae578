import { X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { makeSigner } from '../saml/forge.ts'
import { authority, type Certified, certify } from '../support/certificate-authority.ts'
import { type Files, patched } from '../support/configuration.ts'
import { answered, ask, assertionFor, assertionIn, faulted, trustServerFor } from './asking.ts'

const root = certify({ subject: '/O=Acme/CN=Root', extensions: authority })
const caller = certify({ subject: '/O=Acme/CN=gateway', by: root })

/** As the proxy before the server under test hands it on. */
const as = ({ certificate }: Certified) => ({ 'client-cert': `:${certificate.replace(/-----[A-Z ]+-----|\s/g, '')}:` })

describe('by WS-Trust, a client whose tokens have to be bound to a key (tokenExchange.binding)', () => {
  const signer = makeSigner()
  const bound = (binding: string) => (files: Files) => {
    const server = files['server.json'] as { listen: object }
    const clientCertificate = { trustAnchors: [{ file: 'secrets/root.crt.pem' }] }
    const subject = { confirmation: 'holder-of-key', holder: 'requester' }
    return {
      ...patched(files, {
        'clients/gateway.json': { tokenExchange: { binding } },
        'policies/token-generators/delegating.json': { subject },
      }),
      'server.json': { ...server, listen: { ...server.listen, proxies: { addresses: ['127.0.0.1'], clientCertificate } } },
      'secrets/root.crt.pem': root.certificate,
    }
  }

  for (const binding of ['mtls', 'any']) {
    describe(`"${binding}"`, () => {
      const at = trustServerFor(signer, bound(binding))
      const setting = 'clients/gateway.json tokenExchange.binding'

      it('gets no token without a certificate', async () => {
        await faulted(at, { subject: assertionFor(signer) }, binding === 'mtls' ? 'wsse:FailedAuthentication' : 'wst:RequestFailed')
        expect(at.lastRecord().refusal).to.include({ setting })
      })

      it('gets none that cannot name its certificate', async () => {
        const { text } = await faulted(at, { subject: assertionFor(signer), http: as(caller) }, 'wst:RequestFailed')
        expect(text).to.include('could not be bound to the key')
        expect(at.lastRecord().refusal).to.include({ reason: 'binding-not-available' })
      })

      it('gets one that names it', async () => {
        const asked = { subject: assertionFor(signer), appliesTo: 'urn:delegating', http: as(caller) }
        const assertion = assertionIn(await answered(at, asked))
        expect(assertion).to.include(new X509Certificate(caller.certificate).raw.toString('base64'))
      })

      it('may have a token validated, since nothing is issued', async () => {
        expect(await answered(at, { operation: 'Validate', subject: assertionFor(signer) })).to.include('status/valid')
      })
    })
  }

  describe('"dpop"', () => {
    const at = trustServerFor(signer, bound('dpop'))

    it('gets no token at all, and is told that WS-Trust has no such proof', async () => {
      for (const appliesTo of [undefined, 'urn:delegating', 'urn:api']) {
        const { text } = await ask(at, { subject: assertionFor(signer), appliesTo, http: as(caller) })
        expect(text).to.include('WS-Trust has no such proofs')
        expect(at.lastRecord().refusal).to.include({
          reason: 'binding-not-available',
          setting: 'clients/gateway.json tokenExchange.binding',
        })
      }
    })
  })
})

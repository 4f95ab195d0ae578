import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { exchange } from '../../src/exchange/exchange.ts'
import type { ProvenCertificate } from '../../src/exchange/possession.ts'
import { Form } from '../../src/http/form.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { AuditEntry } from '../../src/observe/audit-entry.ts'
import type { Server } from '../../src/server.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import {
  assertion11,
  assertion20,
  authentication11,
  confirmation,
  at as instant,
  makeSigner,
  now,
  signed,
  subject,
  subject11,
  token,
} from '../saml/forge.ts'
import { certifiedKey } from '../support/certificates.ts'
import { type Files, makeIssuers, patched, secretOf, usualFiles, writeFiles } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { samlFiles } from '../support/saml.ts'
import { Holder } from './holder.ts'

const signer = makeSigner()
const holderOfKey = 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key'

/** A certificate as the connection of a client would prove it. */
function proven(name: string): ProvenCertificate {
  const x509 = new X509Certificate(certifiedKey('ES256', name).certificatePem)
  return { x509, thumbprint: createHash('sha256').update(x509.raw).digest('base64url') }
}

describe('a token that is bound to a client certificate', () => {
  const mine = proven('mine')
  const other = proven('other')
  let server: Server
  let remove: () => Promise<void>
  let issuers: Awaited<ReturnType<typeof makeIssuers>>
  let holder: Holder

  const configured = (files: Files) => {
    const saml = files['policies/token-generators/ledger-saml.json'] as object
    return patched(files, {
      'policies/access-token-managers/opaque.json': { binding: 'mtls' },
      'policies/access-token-managers/api.json': { binding: 'optional' },
      'policies/token-generators/ledger-saml.json': { ...saml, subject: { confirmation: 'holder-of-key', holder: 'requester' } },
    })
  }

  before(async () => {
    issuers = await makeIssuers()
    holder = await Holder.make()
    const written = await writeFiles(configured(samlFiles(await usualFiles(issuers), signer)))
    remove = written.remove
    const clock = () => now
    const outside = {
      fetch: guardedFetch(),
      effects: undefined,
      now: clock,
      store: memoryStore(clock),
      log: pino({ level: 'silent' }),
      random: randomBytes,
    }
    const parsed = await parseConfiguration(await readSources(written.folder), written.folder, {})
    server = (await buildConfiguration(parsed, outside)).server
  })
  after(() => remove())

  const person = (claims: object = {}) => issuers.people.sign({ iat: now, exp: now + 600, ...claims })
  const ask = async (parameters: Record<string, string>, certificate?: ProvenCertificate, dpopProofs: readonly string[] = []) => {
    const usual = { grant_type: tokenExchange, subject_token_type: types.jwt }
    const form = new Form(
      new Map(Object.entries({ ...usual, ...parameters })),
      new Map(parameters.audience ? [['audience', [parameters.audience]]] : []),
    )
    const credentials = { method: 'client_secret_basic', candidates: [{ clientId: 'gateway', secret: secretOf('gateway') }] } as const
    const entry = new AuditEntry()
    const answer = await exchange(server, { credentials, form, clientIp: '127.0.0.1', evidence: { dpopProofs, certificate } }, entry)
    return { answer, facts: entry.facts, token: answer.access_token }
  }
  const refusal = (asked: Promise<unknown>) =>
    asked.then(
      () => 'issued',
      error => `${error.reason}: ${error.message}`,
    )
  const cnf = { 'x5t#S256': mine.thumbprint }

  it('RFC 8705 section 3: comes from a manager that asks for it, is a Bearer token by name, and no other certificate uses it', async () => {
    const { answer, facts } = await ask({ subject_token: await person(), audience: 'billing' }, mine)
    expect(answer.token_type).to.equal('Bearer')
    expect(facts).to.deep.include({ cnf, provedKeys: cnf })
    const own = { subject_token: answer.access_token, subject_token_type: types.accessToken, audience: 'api' }
    expect(await refusal(ask(own))).to.match(/none of its kind \(x5t#S256\)/)
    expect(await refusal(ask(own, other))).to.match(/another one \(x5t#S256\)/)
    // Whoever brings a bound token gets another one that is bound, also where nothing asks for it.
    expect(decodeJwt((await ask(own, mine)).token).cnf).to.deep.equal(cnf)
  })

  it('is not made without one where it is asked for', async () => {
    expect(await refusal(ask({ subject_token: await person(), audience: 'billing' }))).to.match(/^certificate-missing/)
  })

  it('is not made where nothing asks for it: the certificate may be there to authenticate the client', async () => {
    const { token: made, facts } = await ask({ subject_token: await person(), audience: 'api' }, mine)
    expect(decodeJwt(made)).to.not.have.property('cnf')
    expect(facts).to.deep.include({ provedKeys: cnf }).and.not.have.property('cnf')
  })

  it('may be bound to a DPoP key as well, and then needs both', async () => {
    const proof = () => holder.proof(now)
    const { answer } = await ask({ subject_token: await person(), audience: 'billing' }, mine, [await proof()])
    expect(answer.token_type).to.equal('DPoP')
    const own = { subject_token: answer.access_token, subject_token_type: types.accessToken, audience: 'api' }
    expect(await refusal(ask(own, mine))).to.match(/\(jkt\)/)
    expect(await refusal(ask(own, undefined, [await proof()]))).to.match(/\(x5t#S256\)/)
    expect(decodeJwt((await ask(own, mine, [await proof()])).token).cnf).to.deep.equal({ jkt: holder.jkt, ...cnf })
  })

  it('becomes an assertion for the holder of that certificate, and the answer says so', async () => {
    const { answer, token: made } = await ask(
      { subject_token: await person(), audience: 'ledger', requested_token_type: types.saml2 },
      mine,
    )
    expect(answer.cnf).to.deep.equal(cnf)
    const xml = Buffer.from(made, 'base64url').toString()
    expect(xml).to.include(holderOfKey).and.include(mine.x509.raw.toString('base64')).and.not.include('cm:bearer')
    expect(await refusal(ask({ subject_token: await person(), audience: 'ledger', requested_token_type: types.saml2 }))).to.match(
      /^certificate-missing/,
    )
    const proofs = [await holder.proof(now)]
    const both = ask({ subject_token: await person(), audience: 'ledger', requested_token_type: types.saml2 }, mine, proofs)
    expect(await refusal(both), 'SAML cannot say a DPoP key').to.match(/^binding-not-available/)
    expect(
      await refusal(ask({ subject_token: await person({ cnf }), audience: 'ledger', requested_token_type: types.saml1 }, mine)),
    ).to.match(/^binding-not-available/)
  })

  const keyInfo = (...inside: string[]) =>
    `<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">${inside.map(each => `<ds:X509Data>${each}</ds:X509Data>`).join('')}</ds:KeyInfo>`
  const certificateOf = ({ x509 }: ProvenCertificate) => `<ds:X509Certificate>${x509.raw.toString('base64')}</ds:X509Certificate>`
  const data = (inside: string, attributes = '') => `<saml:SubjectConfirmationData${attributes}>${inside}</saml:SubjectConfirmationData>`
  const held = (inside: string, attributes = '') => confirmation(data(inside, attributes), holderOfKey)
  const assertion = (confirmations: string) => {
    const subject_token = token(signed(assertion20({ subject: subject('alice', confirmations) }), signer))
    return { subject_token, subject_token_type: types.saml2, audience: 'api' }
  }
  const mineAlone = keyInfo(certificateOf(mine))

  it('SC-36: an assertion for the holder of a key is taken with that certificate on the connection, and only with it', async () => {
    const bound = assertion(held(mineAlone))
    expect(decodeJwt((await ask(bound, mine)).token)).to.deep.include({ sub: 'alice', cnf })
    expect(await refusal(ask(bound))).to.match(/subject-token-rejected: .*bound to a key/)
    expect(await refusal(ask(bound, other))).to.match(/another one/)
    expect(await refusal(ask(bound, undefined, [await holder.proof(now)]))).to.match(/none of its kind/)
    const broken = keyInfo(certificateOf(mine).replace(/.{64}/g, '$&\n'))
    expect(decodeJwt((await ask(assertion(held(broken)), mine)).token).cnf).to.deep.equal(cnf)
  })

  it('and so is one of SAML 1.1, where every statement says so', async () => {
    const method = 'urn:oasis:names:tc:SAML:1.0:cm:holder-of-key'
    const withKey = subject11('alice', method).replace('</saml:ConfirmationMethod>', `</saml:ConfirmationMethod>${mineAlone}`)
    const of = (statements: string) => ({
      subject_token: token(signed(assertion11({ statements }), signer)),
      subject_token_type: types.saml1,
      audience: 'api',
    })
    expect(decodeJwt((await ask(of(authentication11(withKey)), mine)).token)).to.deep.include({ sub: 'alice', cnf })
    expect(await refusal(ask(of(authentication11(withKey)), other))).to.match(/another one/)
    expect(await refusal(ask(of(authentication11(withKey)), undefined))).to.match(/bound to a key/)
    expect(await refusal(ask(of(authentication11(withKey) + authentication11()), undefined))).to.match(/confirmed in different ways/)
  })

  const spoilt: Record<string, string> = {
    'no key': held(''),
    'two certificates': held(keyInfo(certificateOf(mine) + certificateOf(other))),
    'two times X509Data': held(keyInfo(certificateOf(mine), certificateOf(other))),
    'two times KeyInfo': held(mineAlone + mineAlone),
    'a certificate without KeyInfo': held(certificateOf(mine).replace('>', ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#">')),
    'a name beside the certificate': held(keyInfo(`${certificateOf(mine)}<ds:X509SubjectName>CN=mine</ds:X509SubjectName>`)),
    'a KeyInfo of another namespace': held(mineAlone.replaceAll('http://www.w3.org/2000/09/xmldsig#', 'urn:x')),
    'a certificate that is no base64': held(keyInfo('<ds:X509Certificate>!</ds:X509Certificate>')),
    'two holders': held(mineAlone) + held(keyInfo(certificateOf(other))),
    'another recipient': held(mineAlone, ' Recipient="https://other.example/"'),
    'an end that has passed': held(mineAlone, ` NotOnOrAfter="${instant(-60)}"`),
    'a request of somebody else': held(mineAlone, ' InResponseTo="_1"'),
  }
  for (const [what, confirmations] of Object.entries(spoilt)) {
    it(`an assertion for the holder of a key with ${what} is refused, whatever certificate there is`, async () => {
      expect(await refusal(ask(assertion(confirmations), mine))).to.match(/^subject-token-rejected/)
      expect(await refusal(ask(assertion(confirmations)))).to.match(/^subject-token-rejected/)
    })
  }
})

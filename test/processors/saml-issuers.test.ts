import { expect } from 'chai'
import type { GuardedFetch } from '../../src/keys/guarded-fetch.ts'
import { Outage } from '../../src/oauth/errors.ts'
import { saml2 } from '../../src/processors/saml2.ts'
import { assertion20, at, keyInfoOf, makeSigner, now, partner, type Signer, signed, token, type Unsigned, unsigned } from '../saml/forge.ts'
import { prove, refusal } from '../saml/judging.ts'
import { build, processorOf, type Surroundings } from './building.ts'

const idp = makeSigner()
const next = makeSigner()
const federation = makeSigner()
const address = 'https://idp.partner.example/metadata'
const md = 'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
const xmlnsDs = 'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'

const keyDescriptor = (signer: Signer, use = ' use="signing"') =>
  `<md:KeyDescriptor${use}>${keyInfoOf(signer).replace('<ds:KeyInfo>', `<ds:KeyInfo ${xmlnsDs}>`)}</md:KeyDescriptor>`
const role = (...keys: string[]) =>
  `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join('')}</md:IDPSSODescriptor>`
const entity = (roles: string, attributes = '', entityId = partner): Unsigned => ({
  id: '_m',
  before: `<md:EntityDescriptor ${md} ID="_m"${attributes} entityID="${entityId}">`,
  after: `${roles}</md:EntityDescriptor>`,
})

/** A server that hands out metadata; counts how often, and can be down. */
function metadataServer(document: string, headers: Record<string, string> = {}) {
  const server = { document, down: false, asked: 0, fetch: undefined as unknown as GuardedFetch }
  server.fetch = async () => {
    server.asked++
    if (server.down) throw new Error('down')
    return { status: 200, headers: { get: (name: string) => headers[name] ?? null }, text: async () => server.document }
  }
  return server
}

const file = (issuer: object) => ({ issuers: [{ entityId: partner, ...issuer }] })
const around = (more: Surroundings): Surroundings => ({ now: () => now, ...more })

describe('the issuers of a SAML processor', () => {
  describe('by certificate', () => {
    const problemsOf = async (issuers: object[], texts: Record<string, string> = {}, more: object = {}) =>
      await build(saml2, { issuers, ...more }, around({ texts: { 'c.pem': idp.certificate, ...texts } }))
    const pinned = { entityId: partner, certificates: [{ file: 'c.pem' }] }

    it('must be certificates, of keys that are strong enough', async () => {
      expect((await problemsOf([pinned], { 'c.pem': 'x' })).problems).to.deep.equal([
        'issuers.0.certificates.0: is not a certificate as PEM (-----BEGIN CERTIFICATE-----)',
      ])
      expect((await problemsOf([pinned], { 'c.pem': makeSigner('rsa:1024').certificate })).problems[0]).to.match(/1024 bits, fewer/)
      expect((await problemsOf([pinned], { 'c.pem': makeSigner('secp256k1').certificate })).problems[0]).to.match(
        /not taken for signatures in XML/,
      )
    })
    it('must be named once, with one source of keys', async () => {
      expect((await problemsOf([pinned, pinned])).problems).to.deep.equal(['issuers.1.entityId: this issuer is named twice'])
      for (const wrong of [{ entityId: partner }, { ...pinned, metadata: address }]) {
        expect((await problemsOf([wrong])).problems[0]).to.match(/exactly one of "certificates" and "metadata"/)
      }
      expect((await problemsOf([{ ...pinned, metadataSignedBy: [{ file: 'c.pem' }] }])).problems[0]).to.match(/no metadata to be signed/)
    })
    it('that end soon, or have ended, are warned about and trusted', async () => {
      for (const [time, warning] of [
        [now, []],
        [now + 3640 * 86_400, ['certificate-expires issuers.0.certificates.0']],
        [now + 4000 * 86_400, ['certificate-expired issuers.0.certificates.0']],
        [now - 400 * 86_400, ['certificate-not-yet-valid issuers.0.certificates.0']],
      ] as const) {
        // The certificate is as old as this run of the tests.
        const offset = Date.now() / 1000 - now
        const { problems, warnings } = await build(saml2, file({ certificates: [{ file: 'c.pem' }] }), {
          texts: { 'c.pem': idp.certificate },
          now: () => time + offset,
        })
        expect({ problems, warnings }).to.deep.equal({ problems: [], warnings: warning })
      }
    })
    it('may be several while a key is changed', async () => {
      const texts = { 'a.pem': idp.certificate, 'b.pem': next.certificate }
      const processor = await processorOf(saml2, file({ certificates: [{ file: 'a.pem' }, { file: 'b.pem' }] }), around({ texts }))
      for (const signer of [idp, next]) expect((await prove(processor, signed(assertion20(), signer))).subject).to.equal('alice')
    })
    it('sizes and algorithms are checked', async () => {
      expect((await problemsOf([pinned], {}, { maxSize: '64' })).problems[0]).to.match(/expected a size/)
      expect((await problemsOf([pinned], {}, { maxSize: '2MB' })).problems[0]).to.match(/at most "1MB"/)
      expect((await problemsOf([pinned], {}, { algorithms: ['HS256'] })).problems).to.have.length(1)
    })
  })

  describe('by metadata', () => {
    const fromFile = async (text: string, more: object = {}) =>
      await build(
        saml2,
        file({ metadata: { file: 'm.xml' }, ...more }),
        around({ texts: { 'm.xml': text, 'federation.pem': federation.certificate } }),
      )
    const good = entity(role(keyDescriptor(idp)))

    it('from a file, with a byte order mark, a declaration and comments', async () => {
      const { processor, problems } = await fromFile(
        `\uFEFF<?xml version="1.0"?><!-- ours -->${unsigned(good).replace('<md:IDP', '<!-- x --><md:IDP')}`,
      )
      expect(problems).to.deep.equal([])
      if (processor === undefined) return expect.fail()
      expect((await prove(processor, signed(assertion20(), idp))).subject).to.equal('alice')
      expect(await refusal(processor, signed(assertion20(), next))).to.match(/not valid/)
    })
    it('of a federation, of which only the one entity counts', async () => {
      const two = `<md:EntitiesDescriptor ${md}>${unsigned(entity(role(keyDescriptor(next)), '', 'https://other.example')).replace(' ID="_m"', '')}${unsigned(good)}</md:EntitiesDescriptor>`
      const { processor } = await fromFile(two)
      if (processor === undefined) return expect.fail()
      expect((await prove(processor, signed(assertion20(), idp))).subject).to.equal('alice')
      expect(await refusal(processor, signed(assertion20(), next))).to.match(/not valid/)
    })
    it('must describe the issuer, be valid, and have a key to sign with', async () => {
      for (const [text, message] of [
        ['', /cannot be taken as metadata/],
        ['<!DOCTYPE x><x/>', /cannot be taken as metadata/],
        [unsigned(entity(role(keyDescriptor(idp)), '', 'https://other.example')), /exactly once/],
        [`<md:EntitiesDescriptor ${md}>${unsigned(good)}${unsigned(good).replace(' ID="_m"', '')}</md:EntitiesDescriptor>`, /exactly once/],
        [unsigned(entity(role(keyDescriptor(idp)), ` validUntil="${at(-1)}"`)), /not valid any more/],
        [unsigned(entity(role(keyDescriptor(idp, ' use="encryption"')))), /no key that can be used/],
        [unsigned(entity(role(keyDescriptor(makeSigner('rsa:1024'))))), /1024 bits/],
        [unsigned(entity('')), /no key that can be used/],
      ] as const) {
        expect((await fromFile(text)).problems[0]).to.match(message)
      }
    })
    it('may have to be signed by a pinned key', async () => {
      const pinned = { metadataSignedBy: [{ file: 'federation.pem' }] }
      expect((await fromFile(signed(good, federation), pinned)).problems).to.deep.equal([])
      expect((await fromFile(unsigned(good), pinned)).problems[0]).to.match(/the document is not signed/)
      expect((await fromFile(signed(good, idp), pinned)).problems[0]).to.match(/not valid/)
    })
    it('are not used any more when their time is over', async () => {
      let time = now
      const texts = { 'm.xml': unsigned(entity(role(keyDescriptor(idp)), ` validUntil="${at(60)}"`)) }
      const processor = await processorOf(saml2, file({ metadata: { file: 'm.xml' } }), { texts, now: () => time })
      await prove(processor, signed(assertion20(), idp))
      time += 61
      await expectOutage(processor.process(token(signed(assertion20(), idp)), { now }))
    })
  })

  describe('by metadata from an address', () => {
    const setUp = async (document: string, issuer: object = {}) => {
      const server = metadataServer(document)
      const clock = { time: now }
      const processor = await processorOf(saml2, file({ metadata: address, ...issuer }), { fetch: server.fetch, now: () => clock.time })
      return { server, clock, take: (signer = idp) => processor.process(token(signed(assertion20(), signer)), { now }), processor }
    }

    it('are fetched once, and again in time', async () => {
      const { server, clock, take } = await setUp(unsigned(entity(role(keyDescriptor(idp)), ' cacheDuration="PT1H"')))
      expect(server.asked).to.equal(0)
      await Promise.all([take(), take()])
      expect(server.asked).to.equal(1)
      clock.time += 3000
      await take()
      expect(server.asked).to.equal(2)
    })
    it('are fetched when no key of them fits, once a minute', async () => {
      const { server, take, processor } = await setUp(unsigned(entity(role(keyDescriptor(idp)))))
      await take()
      server.document = unsigned(entity(role(keyDescriptor(idp), keyDescriptor(next))))
      expect((await take(next)).subject).to.equal('alice')
      expect(server.asked).to.equal(2)
      expect(await refusal(processor, signed(assertion20(), federation))).to.match(/not valid/)
      expect(server.asked).to.equal(2)
    })
    it('serve through an outage for maxStale, and then it is an outage', async () => {
      const { server, clock, take } = await setUp(unsigned(entity(role(keyDescriptor(idp)))), { maxStale: '1h' })
      await take()
      server.down = true
      clock.time += 3600
      await take()
      clock.time += 3600
      await expectOutage(take())
    })
    it('do not serve beyond their validUntil', async () => {
      const { server, clock, take } = await setUp(unsigned(entity(role(keyDescriptor(idp)), ` validUntil="${at(900)}"`)))
      await take()
      server.down = true
      clock.time += 901
      await expectOutage(take())
    })
    it('that cannot be had, or are of somebody else, are an outage and not the fault of the token', async () => {
      for (const document of ['<x/>', unsigned(entity(role(keyDescriptor(idp)), '', 'https://other.example'))]) {
        await expectOutage((await setUp(document)).take())
      }
    })
    it('must be https, and are not in a private network', async () => {
      for (const wrong of ['http://idp.partner.example/m', 'https://10.0.0.1/m']) {
        expect((await build(saml2, file({ metadata: wrong }))).problems).to.have.length(1)
      }
      expect((await build(saml2, file({ metadata: 'http://localhost/m', allowPrivateNetwork: true }))).warnings).to.deep.equal([
        'private-network issuers.0.allowPrivateNetwork',
      ])
    })
  })
})

async function expectOutage(taken: Promise<unknown>): Promise<void> {
  const error = await taken.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).to.be.instanceOf(Outage)
}

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml'
import { expect } from 'chai'
import { saml2 } from '../../src/generators/saml2.ts'
import type { TokenGenerator } from '../../src/generators/token-generator.ts'
import { samlMetadata } from '../../src/saml/metadata-out.ts'
import { generatorOf, make, now } from '../generators/making.ts'
import { type CertifiedKey, certifiedKey, configuredKey } from '../support/certificates.ts'
import { requirePython, requireXmlTools } from './saml-tools.ts'
import { run } from './tools.ts'

// What its types call its default export is all of it or a part, by whoever loads it.
const { default: boxyhq } = createRequire(import.meta.url)('@boxyhq/saml20') as typeof import('@boxyhq/saml20')

const text = { type: 'string' }
const service = 'https://sp.example.com/metadata'
const acs = 'https://sp.example.com/acs'
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
// No CR: pysaml2 and @boxyhq/saml20 drop it. xmlsec1 and OpenSAML see it in saml-verifiers.test.ts.
const groups = ['</saml:AttributeValue><saml:Attribute Name="admin">', 'a & b\n\t"c"', '\u{1f469}\u200d\u{1f680}']

/** What every reader has to find, however it calls it. */
const expected = { name: 'alice', format: persistent, groups, session: '_s1' }

/** Assertions by one key, as a service provider is sent them. */
class Sender {
  readonly key: CertifiedKey
  readonly generator: TokenGenerator
  readonly encrypting: TokenGenerator
  constructor(key: CertifiedKey, generator: TokenGenerator, encrypting: TokenGenerator) {
    this.key = key
    this.generator = generator
    this.encrypting = encrypting
  }

  get metadata(): string {
    if (this.generator.publication?.as !== 'saml-entity') throw new Error('no SAML entity')
    return samlMetadata(this.generator.publication.entity, 'https://sts.example.com/saml/sso')
  }

  async assertion(generator = this.generator): Promise<string> {
    const authentication = { instant: now - 60, methods: ['pwd'], sessionIndex: '_s1' }
    return (await make(generator, { SAML_SUBJECT: 'alice', groups }, { authentication })).xml
  }
}

async function senderWith(algorithm: 'RS256' | 'ES256', receiver: CertifiedKey): Promise<Sender> {
  const key = certifiedKey(algorithm)
  const file = {
    issuer: 'https://sts.example.com/saml',
    audience: service,
    signingKey: 'saml',
    lifetime: '5m',
    subject: { format: persistent, recipient: acs },
    contract: {
      SAML_SUBJECT: text,
      groups: { type: 'array', items: text, saml: { nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic' } },
    },
  }
  const around = { keys: { saml: await configuredKey('saml', key) }, texts: { 'receiver.pem': receiver.certificatePem } }
  const encryption = { certificate: { file: 'receiver.pem' } }
  return new Sender(key, await generatorOf(saml2, file, around), await generatorOf(saml2, { ...file, encryption }, around))
}

/** An unsigned Response around an assertion: these libraries take nothing else. */
function response(assertion: string): string {
  const time = new Date().toISOString()
  return Buffer.from(
    `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r${Math.random().toString(16).slice(2)}" Version="2.0" IssueInstant="${time}" Destination="${acs}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://sts.example.com/saml</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${assertion}</samlp:Response>`,
  ).toString('base64')
}

/** Changed copies, none of which may be taken. */
function changedCopies(assertion: string): string[] {
  return [
    assertion.replace('>alice<', '>admin<'),
    assertion.replace('<saml:AttributeValue>a &amp; b', '<saml:AttributeValue>a &amp; c'),
    assertion.replace(/<ds:Signature .*<\/ds:Signature>/s, ''),
    assertion.replace(`<saml:Audience>${service}`, '<saml:Audience>https://other.example'),
  ]
}

describe('SAML assertions, in the eyes of service providers', function () {
  this.timeout(60_000)
  const receiver = certifiedKey('RS256', 'receiver')

  for (const library of ['pysaml2', 'python3-saml'] as const) {
    describe(library, () => {
      before(function () {
        requireXmlTools(this)
        requirePython(this, library === 'pysaml2' ? 'saml2' : 'onelogin.saml2')
      })

      for (const algorithm of library === 'pysaml2' ? (['RS256', 'ES256'] as const) : (['RS256'] as const)) {
        it(`${algorithm}: takes our metadata, our assertion and an encrypted one, and no changed copy`, async () => {
          const sender = await senderWith(algorithm, receiver)
          const assertion = await sender.assertion()
          const assertions = [assertion, await sender.assertion(sender.encrypting), ...changedCopies(assertion)]
          const [plain, encrypted, ...changed] = await readAll(library, sender, assertions)
          expect(found(plain)).to.deep.equal(expected)
          expect(found(encrypted)).to.deep.equal(expected)
          expect(changed).to.have.length(4)
          for (const each of changed) expect(each).to.have.property('error')
        })
      }
    })
  }

  interface Read {
    readonly name?: string
    readonly format?: string
    readonly attributes?: { readonly groups: string[] }
    readonly session?: string
    readonly error?: string
  }
  const found = (read: Read | undefined) =>
    read?.error ?? { name: read?.name, format: read?.format, groups: read?.attributes?.groups, session: read?.session }

  async function readAll(library: string, sender: Sender, assertions: readonly string[]): Promise<Read[]> {
    const program = fileURLToPath(new URL('saml_readers.py', import.meta.url))
    const { privateKeyPem: privateKey, certificatePem: certificate } = receiver
    const input = { metadata: sender.metadata, spEntityId: service, acs, privateKey, certificate, responses: assertions.map(response) }
    const { out, complaints } = await run('/usr/bin/python3', [program, library], JSON.stringify(input))
    if (out === '') throw new Error(complaints)
    return JSON.parse(out) as Read[]
  }

  describe('@node-saml/node-saml', () => {
    const reader = (sender: Sender) =>
      new SAML({
        idpCert: sender.key.certificatePem,
        issuer: service,
        audience: service,
        callbackUrl: acs,
        entryPoint: 'https://sts.example.com/saml/sso',
        wantAuthnResponseSigned: false,
        wantAssertionsSigned: true,
        validateInResponseTo: ValidateInResponseTo.never,
        decryptionPvk: receiver.privateKeyPem,
      })

    it('takes our assertion and an encrypted one, and no changed copy', async () => {
      const sender = await senderWith('RS256', receiver)
      const assertion = await sender.assertion()
      for (const each of [assertion, await sender.assertion(sender.encrypting)]) {
        const { profile } = await reader(sender).validatePostResponseAsync({ SAMLResponse: response(each) })
        const { nameID: name, nameIDFormat: format, sessionIndex: session } = profile ?? {}
        expect({ name, format, session, groups: profile?.groups }).to.deep.equal(expected)
      }
      for (const each of changedCopies(assertion))
        expect(await refuses(reader(sender).validatePostResponseAsync({ SAMLResponse: response(each) }))).to.equal(true)
    })
  })

  describe('@boxyhq/saml20', () => {
    it('takes the bare assertion, and no changed copy', async () => {
      const sender = await senderWith('RS256', receiver)
      const options = { publicKey: sender.key.certificate.raw.toString('base64'), audience: service }
      const assertion = await sender.assertion()
      const profile = await boxyhq.validate(assertion, options)
      expect(profile.claims['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier']).to.equal('alice')
      expect(profile.claims.groups).to.deep.equal(groups)
      for (const each of changedCopies(assertion)) expect(await refuses(boxyhq.validate(each, options))).to.equal(true)
    })

    it('reads our metadata', async () => {
      const sender = await senderWith('RS256', receiver)
      const metadata = await boxyhq.parseMetadata(sender.metadata, {})
      expect(metadata).to.include({
        entityID: 'https://sts.example.com/saml',
        loginType: 'idp',
        publicKey: sender.key.certificate.raw.toString('base64'),
      })
      expect(metadata.sso).to.deep.equal({ redirectUrl: 'https://sts.example.com/saml/sso', postUrl: 'https://sts.example.com/saml/sso' })
    })
  })
})

async function refuses(reading: Promise<unknown>): Promise<boolean> {
  return reading.then(
    () => false,
    () => true,
  )
}

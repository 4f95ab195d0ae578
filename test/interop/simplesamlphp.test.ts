import { expect } from 'chai'
import { certifiedKey } from '../support/certificates.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { withMappings } from '../support/saml.ts'
import { World } from '../support/world.ts'
import { type Login, requireSimpleSamlPhp, type ServiceProvider, startServiceProvider } from './simplesamlphp.ts'

const saml = 'https://sts.example.com/saml'
const text = { type: 'string' }
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

const kinds = ['plain', 'sealed', 'other-audience', 'other-recipient'] as const
type Kind = (typeof kinds)[number]

/** The usual files, with a generator whose assertions are for the service provider, and others that encrypt them or are for somebody else. */
function filesFor(files: Files, { entityId, acs, key }: ServiceProvider): Files {
  const { privateKeyPem, certificatePem } = certifiedKey('RS256', 'sts.example.com')
  const generator = {
    ...{ type: 'saml2', issuer: saml, audience: entityId, signingKey: 'saml', lifetime: '5m', authnStatement: 'always' },
    subject: { format: persistent, recipient: acs },
    contract: {
      SAML_SUBJECT: text,
      mail: { ...text, saml: { name: 'urn:oid:0.9.2342.19200300.100.1.3' } },
      groups: { type: 'array', items: text },
    },
  }
  const mapped = { SAML_SUBJECT: 'policy.subject', mail: 'policy.email', groups: 'policy.groups' }
  const group = (id: Kind) => ({ audiences: [id], generators: { [types.saml2]: id }, default: types.saml2 })
  const withFiles = patched(files, {
    'policies/token-generators/plain.json': generator,
    'policies/token-generators/sealed.json': { ...generator, encryption: { certificate: { file: 'secrets/sp.crt' } } },
    'policies/token-generators/other-audience.json': { ...generator, audience: 'https://other.example.com' },
    'policies/token-generators/other-recipient.json': { ...generator, subject: { format: persistent, recipient: `${acs}/other` } },
    ...Object.fromEntries(kinds.map(kind => [`policies/generator-groups/${kind}.json`, group(kind)])),
    'keys/saml.json': {
      ...{ algorithm: 'RS256', status: 'active' },
      ...{ privateKey: { file: 'secrets/saml.pem' }, certificate: { file: 'secrets/saml.crt' } },
    },
    'secrets/saml.pem': privateKeyPem,
    'secrets/saml.crt': certificatePem,
    'secrets/sp.crt': key.certificatePem,
  })
  return withMappings(
    withFiles,
    [],
    kinds.map(tokenGenerator => ({ tokenGenerator, attributes: mapped })),
  )
}

describe('a live service provider of SimpleSAMLphp', function () {
  this.timeout(60_000)
  let provider: ServiceProvider | undefined
  let world: World | undefined
  const [sp, sts] = [() => provider as ServiceProvider, () => world as World]
  before(async function () {
    requireSimpleSamlPhp(this)
    provider = await startServiceProvider()
    world = new World()
    await world.start(files => filesFor(files, sp()), {})
    await provider.trust((await world.server.request('GET', '/saml/metadata')).text)
  })
  after(async () => {
    await world?.server.close()
    await provider?.stop()
  })

  async function exchanged(audience: Kind = 'plain'): Promise<string> {
    const { token } = await sts().issued({ audience, requested_token_type: types.saml2 })
    return Buffer.from(token, 'base64url').toString()
  }

  /** What an identity provider has a browser post: an unsolicited Response, not signed, around the assertion. */
  function respond(assertion: string): Promise<Login> {
    const time = new Date().toISOString()
    const id = `_r${Math.random().toString(16).slice(2)}`
    return sp().login(
      `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${id}" Version="2.0" IssueInstant="${time}" Destination="${sp().acs}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${saml}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${assertion}</samlp:Response>`,
    )
  }

  async function expectRefused(assertion: string, why: string): Promise<void> {
    const { name, answer } = await respond(assertion)
    expect(name).to.equal(null)
    expect(answer.status, 'a redirection to the application').to.not.equal(303)
    expect(answer.text).to.include(why)
  }

  for (const [kind, audience] of [
    ['', 'plain'],
    [' encrypted', 'sealed'],
  ] as const) {
    it(`logs in with an${kind} assertion of a token exchange, by our own metadata, and shows its attributes`, async () => {
      const assertion = await exchanged(audience)
      expect(assertion.includes('>alice<')).to.equal(audience === 'plain')
      const { answer, ...seen } = await respond(assertion)
      expect(answer.status, answer.text).to.equal(303)
      expect(seen).to.deep.include({ name: 'alice', format: persistent, issuer: saml })
      expect(seen.attributes).to.deep.equal({ 'urn:oid:0.9.2342.19200300.100.1.3': ['alice@example.com'], groups: ['app-orders'] })
    })
  }

  it('refuses a copy of it in which somebody else is named, and one without a signature', async () => {
    const assertion = await exchanged()
    await expectRefused(assertion.replace('>alice<', '>admin<'), 'Reference validation failed')
    await expectRefused(assertion.replace(/<ds:Signature .*<\/ds:Signature>/s, ''), 'Neither the assertion nor the response was signed')
    await expectRefused(assertion.replace('>alice@example.com<', '>admin@example.com<'), 'Reference validation failed')
  })

  it('refuses one that has expired, or is not valid yet', async () => {
    sts().server.advance(-3600)
    const expired = await exchanged()
    sts().server.advance(7200)
    const early = await exchanged()
    sts().server.advance(-3600)
    await expectRefused(expired, 'an assertion that has expired')
    await expectRefused(early, 'an assertion that is valid in the future')
  })

  it('refuses one for another audience or another recipient', async () => {
    await expectRefused(await exchanged('other-audience'), 'is not a valid audience for the assertion')
    await expectRefused(await exchanged('other-recipient'), 'Recipient in SubjectConfirmationData does not match')
  })
})

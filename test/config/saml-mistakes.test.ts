import { readdirSync } from 'node:fs'
import { expect } from 'chai'
import { certifiedKey } from '../support/certificates.ts'
import { problemsOf, replaced, warningsOf } from './configuration.ts'
import { readMistakes } from './read-mistakes.ts'
import { samlConfiguration } from './saml-configuration.ts'

const folder = new URL('saml-mistakes/', import.meta.url)

describe('mistakes about SAML', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await samlConfiguration()
  })
  const changed = (file: string, found: string, written: string) => ({ ...whole, [file]: replaced(whole[file] ?? '', found, written) })

  it('are none where there are none, and nothing is warned about', async () => {
    expect(await problemsOf(whole)).to.deep.equal([])
    expect(await warningsOf(whole)).to.deep.equal([])
  })

  for (const table of readdirSync(folder)) {
    describe(`in ${table.replace('.txt', '')}`, () => {
      for (const { file, removed, written, lines } of readMistakes(new URL(table, folder))) {
        it(`${file}: ${(written || `without ${removed}`).trim()}`, async () => {
          expect(lines, 'a mistake has a problem').to.not.deep.equal([])
          const files = removed === '' ? { ...whole, [file]: written } : changed(file, removed, written)
          expect(await problemsOf(files)).to.deep.equal(lines)
        })
      }
    })
  }

  it('in several files are reported all at once, each at its own', async () => {
    const files = {
      ...changed('policies/token-generators/ledger.json', '"type": "saml2"', '"type": "saml20"'),
      'policies/generator-groups/ledger.json': replaced(whole['policies/generator-groups/ledger.json'] ?? '', '"ledger11"', '"legder"'),
      'clients/saml.json': replaced(whole['clients/saml.json'] ?? '', '["ledger"]', '["legder"]'),
    }
    expect((await problemsOf(files)).map(line => line.split(' ')[0])).to.deep.equal([
      'clients/saml.json:6:25',
      'policies/generator-groups/ledger.json:6:5',
      'policies/token-generators/ledger.json:2:3',
    ])
  })

  it('two groups with one resource and audience are reported at both', async () => {
    const ledger = whole['policies/generator-groups/ledger.json'] ?? ''
    expect(await problemsOf({ ...whole, 'policies/generator-groups/twin.json': ledger })).to.deep.equal([
      'policies/generator-groups/ledger.json:2:17 resources[0]: "https://ledger.example.com/in/" leads to one target only, and policies/generator-groups/twin.json has it too',
      'policies/generator-groups/ledger.json:3:17 audiences[0]: "ledger" leads to one target only, and policies/generator-groups/twin.json has it too',
      'policies/generator-groups/twin.json:2:17 resources[0]: "https://ledger.example.com/in/" leads to one target only, and policies/generator-groups/ledger.json has it too',
      'policies/generator-groups/twin.json:3:17 audiences[0]: "ledger" leads to one target only, and policies/generator-groups/ledger.json has it too',
    ])
  })

  it('a signing key without a certificate is reported where the certificate is to be shown', async () => {
    const key = replaced(whole['keys/saml.json'] ?? '', ',\n  "certificate": { "file": "secrets/saml.crt" }', '')
    const files = { ...whole, 'keys/saml.json': key }
    const message = 'keyInfo: the key "saml" has no certificate; give it one, or say "key" or "none"'
    expect(await problemsOf(files)).to.deep.equal([
      `policies/token-generators/ledger.json:7:3 ${message}`,
      `policies/token-generators/ledger11.json:5:3 ${message.replace('keyInfo', 'signingKey')}`,
    ])
  })

  it('SHA-1 is had by its full name only, and warned about', async () => {
    const sha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'
    const files = changed('policies/token-generators/ledger.json', '"signatureAlgorithm": "RS256"', `"signatureAlgorithm": "${sha1}"`)
    const warnings = await warningsOf(files)
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.match(/^policies\/token-generators\/ledger\.json:6:3 signatureAlgorithm: .*SHA-1/)
  })

  it('a certificate that has ended is warned about, at a processor and at a generator', async () => {
    const inbound = changed('policies/token-processors/partner-saml.json', 'secrets/partner.crt', 'secrets/old.crt')
    expect((await warningsOf(inbound)).join()).to.match(/^policies\/token-processors\/partner-saml\.json:4:67 .*2\d\d\d-\d\d-\d\d/)
    const outbound = changed('policies/token-generators/ledger.json', 'secrets/saml.crt', 'secrets/old.crt')
    expect((await warningsOf(outbound)).join()).to.match(/^policies\/token-generators\/ledger\.json:13:19 .*expired on \d{4}-\d\d-\d\d;/)
  })

  it('a certificate of a key of our own that ends within 30 days is warned about, but not one of a retired key', async () => {
    const ending = certifiedKey('RS256', 'ending', 365 + 20)
    const day = new Date(ending.certificate.validTo).toISOString().slice(0, 10)
    const files = { ...whole, 'secrets/saml.pem': ending.privateKeyPem, 'secrets/saml.crt': ending.certificatePem }
    const encryption = {
      'policies/token-generators/ledger.json': replaced(
        whole['policies/token-generators/ledger.json'] ?? '',
        'secrets/saml.crt',
        'secrets/partner.crt',
      ),
    }
    const message = `the certificate expires on ${day}; partners need the certificate of the next key before [certificate-expires]`
    expect(await warningsOf({ ...files, ...encryption })).to.deep.equal([`keys/saml.json:5:3 certificate: ${message}`])
    const lived = certifiedKey('RS256', 'lived', 365 + 100)
    const longer = { 'secrets/saml.pem': lived.privateKeyPem, 'secrets/saml.crt': lived.certificatePem }
    expect(await warningsOf({ ...files, ...encryption, ...longer })).to.deep.equal([])
    const retired = {
      'keys/older.json':
        '{ "algorithm": "RS256", "status": "retired", "privateKey": { "file": "secrets/older.pem" }, "certificate": { "file": "secrets/older.crt" } }',
      'keys/saml.json': replaced(whole['keys/saml.json'] ?? '', '"active"', '"active", "replaces": "older"'),
      'secrets/older.pem': ending.privateKeyPem,
      'secrets/older.crt': ending.certificatePem,
    }
    expect(await warningsOf({ ...files, ...encryption, ...longer, ...retired })).to.deep.equal([])
  })

  it('a processor that takes what a generator of this server makes is warned about', async () => {
    const takes = (issuer: string) => changed('policies/token-processors/partner-saml.json', 'https://idp.partner.example', issuer)
    expect(await warningsOf(takes('https://sts.example.com/saml'))).to.deep.equal([
      'policies/token-processors/partner-saml.json:4:5 issuers[0]: takes the tokens of "ledger" of this server, which cannot be revoked and carry no scope [own-generator-trusted]',
    ])
    const jwt = (issuer: string) =>
      changed('policies/token-processors/agents.json', '"issuer": "https://agents.example"', `"issuer": "${issuer}"`)
    expect(await warningsOf(jwt('https://sts.example.com/issuers/foreign'))).to.deep.equal([
      'policies/token-processors/agents.json:3:15 issuers[0]: takes the tokens of "foreign" of this server, which cannot be revoked and carry no scope [own-generator-trusted]',
    ])
    expect(await warningsOf(jwt('https://sts.example.com/issuers/other'))).to.deep.equal([])
  })

  it('what a generator inherits is reported once, at the file that says it', async () => {
    const child = '{ "type": "saml2", "extends": "ledger", "audience": "https://other.example" }'
    const group =
      '{ "audiences": ["child"], "generators": { "urn:ietf:params:oauth:token-type:saml2": "child" }, "default": "urn:ietf:params:oauth:token-type:saml2" }'
    const files = { 'policies/token-generators/child.json': child, 'policies/generator-groups/child.json': group }
    expect(await problemsOf({ ...whole, ...files })).to.deep.equal([])
    const broken = changed('policies/token-generators/ledger.json', '"lifetime": "5m"', '"lifetime": "5 min"')
    expect(await problemsOf({ ...broken, ...files })).to.deep.equal([
      'policies/token-generators/ledger.json:9:3 lifetime: expected a duration such as "30s", "5m" or "1h"',
    ])
  })

  it('a group that serves a whole host, and one with a token type that is not quite one, are warned about', async () => {
    const group = 'policies/generator-groups/ledger.json'
    const wide = changed(group, '"https://ledger.example.com/in/"', '"https://ledger.example.com/"')
    expect(await warningsOf(wide)).to.deep.equal([`${group}:2:17 resources[0]: serves everything on this host [wide-resource]`])
    const near = changed(group, 'urn:ietf:params:oauth:token-type:saml1"', 'urn:ietf:params:oauth:token-type:saml11"')
    expect(await warningsOf(near)).to.deep.equal([
      `${group}:6:5 generators["urn:ietf:params:oauth:token-type:saml11"]: is nearly, but not exactly, "urn:ietf:params:oauth:token-type:saml1" [token-type-near-miss]`,
    ])
  })
})

import { expect } from 'chai'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError, describe as describeProblem } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { withStandIns } from '../../src/config/stand-ins.ts'
import { pooledRandom } from '../../src/pooled-random.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { replaced, type Texts, writeFolder } from './configuration.ts'
import { samlConfiguration } from './saml-configuration.ts'

/** The problems of a configuration with stand-ins, and the names of what was stood in for. */
async function load(files: Texts) {
  const { folder, remove } = writeFolder(files)
  try {
    const stoodIn = await withStandIns(await parseConfiguration(await readSources(folder), folder, {}))
    const now = () => Date.now() / 1000
    const fetch = () => Promise.reject(new Error('nobody is asked here'))
    const outside = { fetch, effects: undefined, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: pooledRandom() }
    const names = [...new Set(stoodIn.replaced.map(({ external }) => external.name))].sort()
    try {
      await buildConfiguration(stoodIn.parsed, outside)
      return { names, lines: [] }
    } catch (error) {
      if (error instanceof ConfigError) return { names, lines: error.problems.map(describeProblem) }
      throw error
    }
  } finally {
    remove()
  }
}

describe('stand-ins', () => {
  let checkout: Record<string, string>
  let secret: string[]
  before(async () => {
    const whole = await samlConfiguration()
    secret = Object.keys(whole).filter(file => !file.endsWith('.json'))
    checkout = Object.fromEntries(Object.entries(whole).filter(([file]) => !secret.includes(file)))
  })

  it('take the place of every key, certificate and secret of a checkout', async () => {
    const { names, lines } = await load(checkout)
    expect(lines).to.deep.equal([])
    expect(names).to.include.members(['POST_SECRET', 'secrets/api.pem', 'secrets/api-next.pem', 'secrets/mail.pem', 'secrets/basic'])
    expect(names.length).to.be.greaterThan(8)
  })

  it('leave every other mistake where it is', async () => {
    const processor = 'policies/token-processors/people.json'
    const { lines } = await load({ ...checkout, [processor]: replaced(checkout[processor] ?? '', '"clockSkew"', '"clockSkow"') })
    expect(lines).to.deep.equal([`${processor}:8:3 clockSkow: unknown member "clockSkow"; did you mean "clockSkew"?`])
  })

  it('fit the algorithms that are accepted: of a preset, of a client, of a key set', async () => {
    const jwks = (more: object) => JSON.stringify({ type: 'jwt', ...more })
    const { lines } = await load({
      ...checkout,
      'policies/token-processors/one.json': jwks({
        issuers: [{ issuer: 'https://a.example', jwks: { file: 'a.jwks' } }],
        algorithms: ['Ed25519'],
      }),
      'policies/token-processors/two.json': jwks({
        preset: 'github-actions',
        claims: { type: 'object' },
        issuers: [{ issuer: 'https://token.actions.githubusercontent.com', jwks: { file: 'a.jwks' } }],
      }),
      'clients/three.json': JSON.stringify({ authentication: { method: 'private_key_jwt', algorithms: ['PS256'], jwks: { env: 'JWKS' } } }),
    })
    expect(lines).to.deep.equal([])
  })

  it('fit the way in which tokens are encrypted for somebody', async () => {
    const api = 'policies/access-token-managers/api.json'
    for (const [source, keyEncryption] of [
      ['publicKey', 'ECDH-ES'],
      ['publicKey', 'RSA-OAEP-256'],
      ['certificate', 'ECDH-ES+A256KW'],
      ['jwks', 'ECDH-ES+A128KW'],
    ] as const) {
      const encryption = { [source]: { file: 'secrets/reader' }, keyEncryption, kid: 'theirs' }
      const manager = replaced(checkout[api] ?? '', '"signingKey"', `"encryption": ${JSON.stringify(encryption)},\n  "signingKey"`)
      const { names, lines } = await load({ ...checkout, [api]: manager })
      expect(lines).to.deep.equal([])
      expect(names).to.include('secrets/reader')
    }
  })

  it('replace a certificate that belongs to a key which is not here', async () => {
    const whole = await samlConfiguration()
    const certificates = Object.fromEntries(Object.entries(whole).filter(([file]) => /\.crt(\.pem)?$/.test(file)))
    expect((await load({ ...checkout, ...certificates })).lines).to.deep.equal([])
  })

  it('are not made of metadata of others, of empty files, and of what cannot be read', async () => {
    const processor = 'policies/token-processors/partner-saml11.json'
    const metadata = replaced(checkout[processor] ?? '', '"https://idp.partner.example/metadata"', '{ "file": "partner.xml" }')
    const { lines } = await load({ ...checkout, [processor]: metadata, 'secrets/basic': '\n' })
    expect(lines).to.deep.equal([
      'clients/basic.json:2:70 authentication.secrets[0].file: the file secrets/basic is empty',
      'clients/saml.json:2:70 authentication.secrets[0].file: the file secrets/basic is empty',
      `${processor}:3:60 issuers[0].metadata: there is no file partner.xml in the configuration folder`,
    ])
  })
})

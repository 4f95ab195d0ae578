import { expect } from 'chai'
import { conformanceChecks } from '../../src/conformance.ts'
import {
  accessTokenClaims,
  accessTokenManagerSettings,
  accessTokenOf,
  externalText,
  pluginKind,
  tokenGeneratorSettings,
  tokenProcessorSettings,
} from '../../src/index.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { makeIssuer } from '../support/issuer.ts'

const text = { type: 'string' }
const issuer = 'https://sts.example.com'
const people = await makeIssuer('https://people.example', issuer)
const strangers = await makeIssuer('https://people.example', issuer)

const claims = (now: number, more: object = {}) => ({ iat: Math.floor(now), exp: Math.floor(now) + 300, ...more })

const managed = { sub: text, level: { type: 'number' } }
const manager = { lifetime: '5m', audience: ['https://api.example.com'], contract: managed }
const ownChecks = await conformanceChecks(undefined, {
  files: {
    'keys/api.json': { algorithm: 'ES256', status: 'active', privateKey: { env: 'KEY' } },
    'policies/token-processors/people.json': {
      type: 'jwt',
      issuers: [{ issuer: people.issuer, jwks: people.jwks as never }],
      algorithms: ['ES256'],
    },
    'policies/token-generators/others.json': { type: 'jwt', audience: 'urn:others', signingKey: 'api', lifetime: '5m', contract: managed },
    'policies/access-token-managers/signed.json': { type: 'jwt', signingKey: 'api', ...manager },
    'policies/access-token-managers/kept.json': { type: 'reference', ...manager },
  },
  texts: { 'env:KEY': (await generateKey('ES256')).privateKeyPem },
  tokenProcessors: {
    people: {
      genuine: [{ token: now => people.sign(claims(now)), proves: { issuer: people.issuer } }],
      refused: {
        'of another key': now => strangers.sign(claims(now)),
        'without an end': now => people.sign(claims(now, { exp: undefined })),
      },
      assumed: { says: { sub: 'ada' }, proves: { subject: 'ada' } },
    },
  },
  tokenGenerators: { others: { attributes: { sub: 'ada', level: 3 } } },
  accessTokenManagers: { signed: { attributes: { sub: 'ada', level: 3 } }, kept: { attributes: { sub: 'ada', level: 3 } } },
})

const proof = (subject: string) => ({ issuer: 'urn:a', subject, audiences: [], expiresAt: 4e9, attributes: {} })
const module = {
  apiVersion: 1,
  tokenProcessors: [
    // Takes whatever comes.
    pluginKind('open', tokenProcessorSettings, () => ({
      issuers: ['urn:a'],
      process: async (token: string) => proof(token),
      assume: () => proof('x'),
    })),
    // Is confused by what it did not expect.
    pluginKind('fragile', tokenProcessorSettings, () => ({
      issuers: ['urn:a'],
      process: async (token: string) => proof(JSON.parse(token).user),
      assume: () => proof('y'),
    })),
  ],
  tokenGenerators: [
    pluginKind('same', { ...tokenGeneratorSettings, key: externalText.optional() }, () => ({
      ...{ tokenType: 'urn:a:b', expressesActor: true },
      generate: async ({ expiresBy }: { expiresBy: number }) => ({
        token: 'x',
        id: 'x',
        tokenType: 'N_A',
        expiresAt: expiresBy,
        content: { claims: {} },
      }),
    })),
  ],
  accessTokenManagers: [
    // Forgets where its tokens come from, and reads what others have made.
    pluginKind('forgetful', accessTokenManagerSettings, (_settings, parts) => ({
      generate: async (grant: never) => {
        const id = parts.outside.random(8).toString('hex')
        const made = accessTokenClaims(grant, { issuer: parts.issuer, id })
        const { anc: _forgotten, ...claims } = made
        return {
          token: Buffer.from(JSON.stringify(claims)).toString('hex'),
          id,
          tokenType: 'Bearer',
          expiresAt: made.exp,
          content: { claims },
        }
      },
      read: async (token: string) => accessTokenOf(parts.id, JSON.parse(Buffer.from(token, 'hex').toString('utf8'))),
      assume: (said: never) => accessTokenOf(parts.id, said),
    })),
  ],
}
const contract = { sub: text }
const badChecks = await conformanceChecks(module, {
  files: {
    'policies/token-processors/open.json': { type: 'open' },
    'policies/token-processors/fragile.json': { type: 'fragile' },
    'policies/token-generators/same.json': { type: 'same', lifetime: '5m', contract },
    'policies/access-token-managers/forgetful.json': { type: 'forgetful', lifetime: '5m', audience: ['a'], contract },
  },
  tokenProcessors: {
    open: {
      genuine: [{ token: 'ada', proves: { subject: 'ada' } }],
      refused: { 'of nobody': 'nobody' },
      assumed: { says: {}, proves: { subject: 'ada' } },
    },
    fragile: { genuine: [{ token: '{"user":"ada"}', proves: { subject: 'ada' } }], refused: {} },
  },
  tokenGenerators: { same: { attributes: { sub: 'ada' } } },
  accessTokenManagers: { forgetful: { attributes: { sub: 'ada' } } },
})

describe('the conformance checks', () => {
  // These are our own kinds: what is asked of plug-ins holds for them.
  for (const { name, run } of ownChecks) it(`hold: ${name}`, run)

  it('are there for everything that the samples name', () => expect(ownChecks).to.have.length(7 + 4 + 2 * 7))
})

describe('a plug-in that does not conform', () => {
  const failing = [
    'open refuses genuine[0] with any character changed',
    'open refuses a token of nobody',
    'open refuses what is no token',
    'open assumes what a policy test says',
    'fragile refuses genuine[0] with any character changed',
    'fragile refuses what is no token',
    'same makes another token with another id each time',
    'same names the actor of a delegation',
    'forgetful reads its own tokens',
    'forgetful reads no token with any character changed',
    'forgetful reads nothing that is no token',
  ]
  for (const { name, run } of badChecks) {
    it(`${failing.includes(name) ? 'is found out' : 'passes'}: ${name}`, async () => {
      const failed = await run().then(
        () => false,
        () => true,
      )
      expect(failed).to.equal(failing.includes(name))
    })
  }

  it('is judged by all of these checks', () => expect(badChecks.map(({ name }) => name)).to.include.members(failing))
})

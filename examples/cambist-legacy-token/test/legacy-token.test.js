import { test } from 'node:test'
import { conformanceChecks } from 'cambist/conformance'
import * as plugin from '../src/index.js'
import { writeLegacyToken } from '../src/legacy-token.js'

const secret = 'the-secret-of-the-old-portal-0123456789'
const text = { type: 'string' }
const session = (now, more) => ({
  app: 'portal',
  user: 'ada',
  roles: ['clerk'],
  iat: Math.floor(now),
  exp: Math.floor(now) + 600,
  sid: 's1',
  ...more,
})
const token =
  (more, key = secret) =>
  now =>
    writeLegacyToken(session(now, more), key)

const checks = await conformanceChecks(plugin, {
  files: {
    'policies/token-processors/portal.json': { type: 'legacy-token', issuer: 'urn:acme:portal', secrets: [{ env: 'SECRET' }] },
    'policies/token-generators/portal.json': {
      ...{ type: 'legacy-token', app: 'portal', secret: { env: 'SECRET' }, lifetime: '10m' },
      contract: { sub: text, roles: { type: 'array', items: text } },
    },
  },
  texts: { 'env:SECRET': secret },
  tokenProcessors: {
    portal: {
      genuine: [{ token: token(), proves: { issuer: 'urn:acme:portal', subject: 'ada', audiences: ['portal'], id: 's1' } }],
      refused: {
        'that another secret has signed': token({}, 'another-secret-of-somebody-0123456789'),
        'without a user': token({ user: undefined }),
        'without an end': token({ exp: undefined }),
        'that says more than sessions do': token({ admin: true }),
      },
      assumed: { says: { user: 'ada', roles: ['clerk'] }, proves: { subject: 'ada', attributes: { user: 'ada', roles: ['clerk'] } } },
    },
  },
  tokenGenerators: { portal: { attributes: { sub: 'ada', roles: ['clerk'] } } },
})

for (const { name, run } of checks) test(name, run)

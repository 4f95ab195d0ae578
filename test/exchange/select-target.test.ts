import { expect } from 'chai'
import { ConfigError } from '../../src/config/problems.ts'
import { type Files, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { serverFor, type World, withServer } from '../support/world.ts'

/** The manager that an exchange selects, by the audit record. */
async function targetOf(at: World, parameters: Parameters, client?: string): Promise<unknown> {
  return (await at.issued(parameters, client)).record.target
}

describe('selecting the target', () => {
  describe('by resource', () => {
    const at = serverFor(withExactResources)

    for (const [resource, target] of [
      ['https://api.example.com/', 'api'],
      ['https://api.example.com/orders', 'api'],
      ['https://api.example.com/orders/1/lines', 'api'],
      ['https://api.example.com/orders?page=2', 'api'],
      ['https://api.example.com/?next=../../x', 'api'],
      ['https://api.example.com/?next=%2Fx', 'api'],
      ['https://api.example.com/.../x', 'api'],
      ['https://api.example.com/.hidden/x', 'api'],
      ['https://api.example.com/a%20b', 'api'],
      ['https://api.example.com/caf%C3%A9', 'api'],
      ['https://api.example.com/wide', 'api'],
      ['https://api.example.com/widest', 'api'],
      ['https://api.example.com/WIDE/x', 'api'],
      ['https://api.example.com/x/wide/', 'api'],
      ['https://api.example.com/wide/', 'wide'],
      ['https://api.example.com/wide/x', 'wide'],
      ['https://api.example.com/wide/x?y=z', 'wide'],
      ['https://api.example.com/v2/special', 'api'],
      ['https://billing.example.com/', 'opaque'],
      ['https://billing.example.com/invoices/7', 'opaque'],
      ['https://exact.example.com/only', 'exact'],
      ['https://exact.example.com/with?query=1', 'exact'],
      ['https://api.example.com/wide/exact', 'exact'],
      ['urn:example:service', 'exact'],
      ['https://exact.example.com:8443/below/x', 'exact'],
    ] as const) {
      it(`takes ${resource} for ${target}`, async () => {
        expect(await targetOf(at, { resource })).to.equal(target)
      })
    }

    for (const [resource, why] of [
      ['https://api.example.com', 'a prefix matches with its slash only'],
      ['http://api.example.com/', 'another scheme'],
      ['HTTPS://api.example.com/', 'another case of the scheme'],
      ['https://API.example.com/', 'another case of the host'],
      ['https://api.example.com:443/', 'another port, even if it is the usual one'],
      ['https://api.example.com:8443/', 'another port'],
      ['https://api.example.com./', 'another spelling of the host'],
      ['https://api.example.com.evil.example/', 'a host that begins with ours'],
      ['https://evil.example/https://api.example.com/', 'our resource inside another'],
      ['https://evil.example/?https://api.example.com/', 'our resource in a query'],
      ['https://nobody.example/', 'nobody has it'],
      ['https://exact.example.com/only/', 'a resource without a slash at its end matches only itself'],
      ['https://exact.example.com/only/x', 'a resource without a slash at its end matches only itself'],
      ['https://exact.example.com/only?x=1', 'a resource without a slash at its end matches only itself'],
      ['https://exact.example.com/with?query=2', 'another query'],
      ['https://exact.example.com/with', 'without its query'],
      ['https://exact.example.com:8443/belowx', 'half a segment'],
      ['urn:example:service:x', 'a name that begins with ours'],
      ['URN:example:service', 'another case'],
      ['api', 'a logical name is no resource'],
      ['https://api.example.com/v2/special#', 'with a fragment'],
    ] as const) {
      it(`does not know ${resource}: ${why}`, async () => {
        await at.refused({ resource }, 'invalid_target', /target-unknown/)
      })
    }

    // Whatever another reader would take for a different path could get past the prefix.
    for (const [resource, why] of [
      ['https://api.example.com/wide/../orders', /path segment/],
      ['https://api.example.com/wide/..', /path segment/],
      ['https://api.example.com/..', /path segment/],
      ['https://api.example.com/./wide/', /path segment/],
      ['https://api.example.com/wide/.', /path segment/],
      ['https://api.example.com/wide/..?x', /path segment/],
      ['https://api.example.com/%2e%2e/wide/', /encoded/],
      ['https://api.example.com/.%2E/wide/', /encoded/],
      ['https://api.example.com/wide%2Fx', /encoded/],
      ['https://api.example.com/wide%2fx', /encoded/],
      ['https://api.example.com/wide%5Cx', /encoded/],
      ['https://api.example.com/x%00', /encoded/],
      ['https://api.example.com/%77ide/x', /encoded/],
      ['https://api.example.com/wide/..;/x', /path segment/],
      ['https://api.example.com//wide/x', /path segment/],
      ['https://api.example.com/wide//x', /path segment/],
      ['https://[::1/', /host or port/],
      ['https://api.example.com:x/', /host or port/],
      ['https://api.example.com/x%', /percent encoding/],
      ['https://api.example.com/x%zz', /percent encoding/],
      ['https://api.example.com/wide\\..\\x', /characters/],
      ['https://api.example.com\\@evil.example/', /characters/],
      ['https://api.example.com/<x>', /characters/],
      ['https://user@api.example.com/', /user information/],
      ['https://user:password@api.example.com/', /user information/],
      ['https://@api.example.com/', /user information/],
      ['https://api.example.com@evil.example/', /user information/],
      ['https://api.example.com/ x', /absolute URI/],
      [' https://api.example.com/', /absolute URI/],
      ['https://api.example.com/\n', /absolute URI/],
      ['https://api.example.com/\u0000', /absolute URI/],
      ['https://api.example.com/café', /absolute URI/],
      ['https://\u0430pi.example.com/', /absolute URI/],
      ['//api.example.com/', /absolute URI/],
      ['/wide/', /absolute URI/],
      ['api.example.com', /absolute URI/],
      ['https:', /absolute URI/],
      ['https:///wide/', /host/],
      ['https://', /host/],
      ['https://api.example.com/#', /fragment/],
      ['https://api.example.com/wide/#/..', /fragment/],
    ] as const) {
      it(`refuses ${JSON.stringify(resource)}`, async () => {
        await at.refused({ resource }, 'invalid_target', why)
      })
    }
  })

  describe('by audience', () => {
    const at = serverFor()

    it('compares the logical name exactly', async () => {
      expect(await targetOf(at, { audience: 'api' })).to.equal('api')
      expect(await targetOf(at, { audience: 'billing' })).to.equal('opaque')
      for (const audience of ['API', 'api ', ' api', 'ap', 'apis', 'api/', 'billing\u0000']) {
        await at.refused({ audience }, 'invalid_target', /the audience is unknown/)
      }
    })

    it('knows neither ids of clients nor managers, nor the aud of tokens, nor resources', async () => {
      for (const audience of ['gateway', 'stranger', 'opaque', 'wide', 'https://api.example.com', 'https://api.example.com/']) {
        await at.refused({ audience }, 'invalid_target', /the audience is unknown/)
      }
    })

    it('is not fooled by names that objects have', async () => {
      for (const audience of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
        await at.refused({ audience }, 'invalid_target', /the audience is unknown/)
      }
    })
  })

  describe('by several values', () => {
    const at = serverFor()

    for (const [what, parameters, target] of [
      ['a resource and an audience of it', { resource: 'https://api.example.com/x', audience: 'api' }, 'api'],
      ['two resources of it', { resource: ['https://api.example.com/x', 'https://api.example.com/y'] }, 'api'],
      ['one resource twice', { resource: ['https://billing.example.com/', 'https://billing.example.com/'] }, 'opaque'],
      ['an audience twice', { audience: ['billing', 'billing'] }, 'opaque'],
      ['a resource and values that are empty', { resource: ['', 'https://billing.example.com/', ''], audience: ['', ''] }, 'opaque'],
    ] as const) {
      it(`takes ${what}`, async () => {
        expect(await targetOf(at, parameters)).to.equal(target)
      })
    }

    for (const [what, parameters, why] of [
      ['two targets', { resource: ['https://api.example.com/', 'https://billing.example.com/'] }, /several targets/],
      ['two targets, one inside the other', { resource: ['https://api.example.com/', 'https://api.example.com/wide/'] }, /several targets/],
      ['two audiences', { audience: ['api', 'billing'] }, /several targets/],
      ['a resource and an audience of another', { resource: 'https://api.example.com/', audience: 'billing' }, /several targets/],
      ['a known and an unknown resource', { resource: ['https://api.example.com/', 'https://nobody.example/'] }, /resource is unknown/],
      ['a known and an unknown audience', { audience: ['api', 'unknown'] }, /audience is unknown/],
      ['a known resource and an unknown audience', { resource: 'https://api.example.com/', audience: 'unknown' }, /audience is unknown/],
      ['a good and a malformed resource', { resource: ['https://api.example.com/', 'x#y'] }, /absolute URI/],
    ] as const) {
      it(`refuses ${what}`, async () => {
        await at.refused(parameters, 'invalid_target', why)
      })
    }
  })

  describe('applies restrictions only after the match, so that no shorter match wins', () => {
    const at = serverFor()
    const wide = { resource: 'https://api.example.com/wide/x' }

    it('the list of clients of the target', async () => {
      expect(await targetOf(at, wide, 'gateway')).to.equal('wide')
      await at.refused(wide, 'invalid_target', /target-not-allowed/, 'stranger')
      expect(await targetOf(at, { resource: 'https://api.example.com/' }, 'stranger')).to.equal('api')
    })

    it('the list of managers of the client', async () => {
      await at.refused({ resource: 'https://api.example.com/' }, 'invalid_target', /target-not-allowed/, 'api')
      await at.refused({ audience: 'api' }, 'invalid_target', /target-not-allowed/, 'api')
      expect(await targetOf(at, { audience: 'billing' }, 'api')).to.equal('opaque')
    })

    it('what the policy issues', async () => {
      await withServer(
        files => {
          const policy = files['policies/processor-policies/people.json'] as { issues: Array<{ accessTokenManager: string }> }
          const issues = policy.issues.filter(({ accessTokenManager }) => accessTokenManager !== 'wide')
          return patched(files, { 'policies/processor-policies/people.json': { issues } })
        },
        async world => {
          await world.refused(wide, 'invalid_target', /target-not-allowed/)
          await world.issued({ resource: 'https://api.example.com/x' })
        },
      )
    })

    it('and a refused target reads like one that is not this client’s, whoever may have it', async () => {
      const first = await at.refused(wide, 'invalid_target', /target-not-allowed/, 'stranger')
      const second = await at.refused({ audience: 'api' }, 'invalid_target', /target-not-allowed/, 'api')
      expect(first.answer.json).to.deep.equal(second.answer.json)
    })
  })

  describe('by requested_token_type', () => {
    const at = serverFor()

    it('access_token alone: the default of the client, else of the server', async () => {
      expect(await targetOf(at, { requested_token_type: types.accessToken }, 'api')).to.equal('opaque')
      expect(await targetOf(at, { requested_token_type: types.accessToken }, 'gateway')).to.equal('api')
    })

    it('jwt alone: the default manager, where it makes JWTs', async () => {
      const { record, answer } = await at.issued({ requested_token_type: types.jwt })
      expect(record).to.include({ target: 'api', issuedTokenType: types.jwt })
      expect(answer.json).to.include({ issued_token_type: types.jwt, token_type: 'Bearer' })
    })

    it('jwt alone: not from a default that makes reference tokens', async () => {
      await at.refused({ requested_token_type: types.jwt }, 'invalid_request', /type-not-available/, 'api')
    })

    for (const type of [types.idToken, types.refreshToken, types.saml1, types.saml2, 'urn:example:other', 'jwt', `${types.jwt} `]) {
      it(`${type}: nothing here makes it`, async () => {
        await at.refused({ requested_token_type: type }, 'invalid_request', /type-not-available/)
      })

      it(`${type}: nor does a target that was named`, async () => {
        await at.refused({ requested_token_type: type, audience: 'api' }, 'invalid_request', /type-not-available/)
      })
    }

    it('of a named target that cannot make it', async () => {
      await at.refused({ requested_token_type: types.jwt, audience: 'billing' }, 'invalid_request', /type-not-available/)
      await at.refused(
        { requested_token_type: types.jwt, resource: 'https://billing.example.com/' },
        'invalid_request',
        /type-not-available/,
      )
    })

    it('of a named target that can', async () => {
      expect(await targetOf(at, { requested_token_type: types.jwt, audience: 'api' })).to.equal('api')
      expect(await targetOf(at, { requested_token_type: types.accessToken, audience: 'billing' })).to.equal('opaque')
    })

    it('of a target that this client may not have: that comes first', async () => {
      await at.refused({ requested_token_type: types.saml2, audience: 'api' }, 'invalid_target', /target-not-allowed/, 'api')
    })

    it('an empty one is none', async () => {
      expect(await targetOf(at, { requested_token_type: '' })).to.equal('api')
    })
  })

  describe('by nothing', () => {
    const at = serverFor()

    it('the default of the client, else of the server', async () => {
      expect(await targetOf(at, {}, 'api')).to.equal('opaque')
      expect(await targetOf(at, {}, 'stranger')).to.equal('api')
    })

    it('empty parameters are none', async () => {
      expect(await targetOf(at, { resource: '', audience: '', requested_token_type: '' }, 'api')).to.equal('opaque')
    })

    it('no default at all: the target is missing', async () => {
      await withServer(
        files => patched(files, { 'server.json': { defaults: { accessTokenManager: undefined } } }),
        async world => {
          const { description } = await world.refused({}, 'invalid_target', /target-missing/)
          expect(description).to.include('names no target')
          await world.refused({ requested_token_type: types.accessToken }, 'invalid_target', /target-missing/)
          await world.refused({ requested_token_type: types.jwt }, 'invalid_target', /target-missing/)
          await world.refused({ requested_token_type: types.saml2 }, 'invalid_request', /type-not-available/)
          expect(await targetOf(world, {}, 'api')).to.equal('opaque')
          expect(await targetOf(world, { audience: 'api' })).to.equal('api')
        },
      )
    })

    for (const [what, patch] of [
      ['that the client may not use', { 'clients/gateway.json': { tokenExchange: { accessTokenManagers: ['opaque'] } } }],
      ['of other clients', { 'policies/access-token-managers/api.json': { clients: ['stranger'] } }],
    ] as const) {
      it(`a default ${what}: the target is missing, and no other default takes its place`, async () => {
        await withServer(
          files => patched(files, patch),
          async world => {
            await world.refused({}, 'invalid_target', /target-missing/)
          },
        )
      })
    }
  })

  describe('says in aud', () => {
    const at = serverFor()

    it('what the manager says, whatever was asked', async () => {
      for (const parameters of [{}, { resource: 'https://api.example.com/orders' }, { audience: 'api' }]) {
        expect((await at.issued(parameters)).claims.aud).to.equal('https://api.example.com')
      }
    })

    it('the resources that were asked, where the manager says "requested"', async () => {
      const one = 'https://api.example.com/wide/x'
      const two = 'https://api.example.com/wide/y?z=1'
      expect((await at.issued({ resource: one })).claims.aud).to.equal(one)
      expect((await at.issued({ resource: [two, one] })).claims.aud).to.deep.equal([two, one])
      expect((await at.issued({ resource: [one, one] })).claims.aud, 'each once').to.equal(one)
    })

    it('else the resources of the manager', async () => {
      await withServer(
        files => patched(files, { 'policies/access-token-managers/wide.json': { audiences: ['wide'] } }),
        async world => {
          expect((await world.issued({ audience: 'wide' })).claims.aud).to.equal('https://api.example.com/wide/')
        },
      )
    })

    it('all of several', async () => {
      await withServer(
        files => patched(files, { 'policies/access-token-managers/api.json': { audience: ['https://a.example', 'https://b.example'] } }),
        async world => {
          expect((await world.issued()).claims.aud).to.deep.equal(['https://a.example', 'https://b.example'])
        },
      )
    })
  })

  describe('is a configuration error', () => {
    const refuses = async (patch: object, message: RegExp) => {
      try {
        await withServer(
          files => patched(files, patch as Files),
          async () => {},
        )
      } catch (error) {
        expect(error).to.be.instanceOf(ConfigError)
        expect(String(error)).to.match(message)
        return
      }
      expect.fail('the configuration was loaded')
    }

    it('where two managers claim one resource', async () => {
      await refuses(
        { 'policies/access-token-managers/opaque.json': { resources: ['https://api.example.com/'] } },
        /api\.json.*opaque\.json/s,
      )
    })

    it('where two managers claim one audience', async () => {
      await refuses({ 'policies/access-token-managers/opaque.json': { audiences: ['api'] } }, /api\.json.*opaque\.json/s)
    })

    it('where a resource could never be compared', async () => {
      for (const resource of [
        'https://x.example/#f',
        '/rel',
        'https://u@x.example/',
        'https://x.example/a/../b/',
        'https://x.example/%2e/',
      ]) {
        await refuses({ 'policies/access-token-managers/api.json': { resources: [resource] } }, /api\.json.*resource/)
      }
    })
  })
})

describe('selecting the policy', () => {
  const at = serverFor(files => {
    const policy = files['policies/processor-policies/people.json'] as { processors: Array<{ subjectTokenType: string }> }
    const [first] = policy.processors
    return patched(files, {
      'policies/processor-policies/other.json': { ...policy, processors: [{ ...first, subjectTokenType: 'urn:example:other' }] },
      'clients/api.json': { tokenExchange: { processorPolicy: 'other' } },
    })
  })

  it('takes the policy of the client, and no other', async () => {
    expect((await at.issued({ subject_token_type: 'urn:example:other' }, 'api')).record.policy).to.equal('other')
    await at.refused({}, 'invalid_request', /no-mapping/, 'api')
  })

  it('else that of the server', async () => {
    expect((await at.issued({}, 'gateway')).record.policy).to.equal('people')
    await at.refused({ subject_token_type: 'urn:example:other' }, 'invalid_request', /no-mapping/, 'gateway')
  })

  it('has none where neither names one', async () => {
    await withServer(
      files => patched(files, { 'server.json': { defaults: { processorPolicy: undefined } } }),
      async world => {
        await world.refused({}, 'unauthorized_client', /no-policy/)
      },
    )
  })
})

function withExactResources(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as { issues: object[] }
  const manager = {
    type: 'jwt',
    lifetime: '5m',
    signingKey: 'api',
    audience: ['https://exact.example.com'],
    contract: { sub: { type: 'string' } },
    resources: [
      'https://exact.example.com/only',
      'https://exact.example.com/with?query=1',
      'https://exact.example.com:8443/below/',
      'https://api.example.com/wide/exact',
      'urn:example:service',
    ],
  }
  return patched(files, {
    'policies/access-token-managers/exact.json': manager,
    'policies/processor-policies/people.json': {
      issues: [...policy.issues, { accessTokenManager: 'exact', attributes: { sub: 'policy.subject' } }],
    },
  })
}

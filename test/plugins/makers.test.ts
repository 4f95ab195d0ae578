import { expect } from 'chai'
import type { Files } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { expectError, serverFor } from '../support/world.ts'
import { packageFiles } from './packages.ts'

const badge = 'urn:acme:badge'
const policy = 'policies/processor-policies/people.json'

/** What the makers do beside what they should, by the e-mail address of the subject. */
const faults = {
  'late@faults.example': '{ expiresAt: grant.expiresBy + 1 }',
  'past@faults.example': '{ expiresAt: grant.now - 5 }',
  'empty@faults.example': "{ token: '' }",
  'number@faults.example': '{ token: 7 }',
  'nameless@faults.example': '{ id: undefined }',
  'dpop@faults.example': "{ tokenType: 'DPoP' }",
  'content@faults.example': '{ content: { claims: 1n } }',
  'more@faults.example': "{ refresh_token: 'x' }",
}

const code = `
  import { accessTokenClaims, accessTokenManagerSettings, accessTokenOf, NotExpressible, pluginKind, tokenGeneratorSettings } from 'cambist'
  export const apiVersion = 1
  const faults = grant => ({ ${Object.entries(faults)
    .map(([mail, fault]) => `'${mail}': () => (${fault})`)
    .join(', ')} })[grant.attributes.email]?.()
  let made = 0
  export const tokenGenerators = [
    pluginKind('badge', tokenGeneratorSettings, () => ({
      tokenType: '${badge}',
      expressesActor: false,
      async generate(grant) {
        if (grant.attributes.sub === 'unspeakable') throw new NotExpressible('a badge has no such name')
        if (grant.attributes.sub === 'bug') throw new Error(grant.attributes.email)
        return { token: 'badge-' + grant.attributes.sub + ++made, id: 'b' + made, tokenType: 'N_A', expiresAt: grant.expiresBy, content: { claims: grant.attributes }, ...faults(grant) }
      },
    })),
  ]
  export const accessTokenManagers = [
    pluginKind('kept', accessTokenManagerSettings, (settings, parts) => ({
      async generate(grant) {
        const id = parts.outside.random(16).toString('hex')
        const token = 'kept-' + parts.outside.random(16).toString('hex')
        const claims = accessTokenClaims(grant, { issuer: parts.issuer, id })
        await parts.outside.store.put(token, JSON.stringify(claims), 3600)
        return { token, id, tokenType: 'Bearer', expiresAt: grant.expiresBy, content: { claims }, ...faults(grant) }
      },
      async read(token) {
        const text = await parts.outside.store.get(token)
        const read = text && accessTokenOf(parts.id, JSON.parse(text))
        return read && (read.claims.email === 'cnf@faults.example' ? { ...read, claims: { ...read.claims, cnf: 'a key' } } : read)
      },
      assume: claims => accessTokenOf(parts.id, claims),
    })),
  ]`

function withMakers(files: Files): Files {
  const server = files['server.json'] as object
  const people = files[policy] as { issues: object[] }
  const contract = { sub: { type: 'string' }, email: { type: 'string' } }
  const mapped = { sub: 'policy.subject', email: 'policy.email' }
  const issues = [
    { tokenGenerator: 'badges', attributes: mapped },
    { accessTokenManager: 'doors', attributes: { ...mapped, groups: 'policy.groups' } },
  ]
  const own = files['policies/token-processors/own.json'] as { accessTokenManagers: string[] }
  return {
    ...files,
    ...packageFiles('@acme/badge', code),
    'server.json': { ...server, plugins: ['@acme/badge'] },
    'policies/token-generators/badges.json': { type: 'badge', lifetime: '5m', contract },
    'policies/generator-groups/badges.json': { audiences: ['gate'], generators: { [badge]: 'badges' }, default: badge },
    'policies/access-token-managers/doors.json': {
      ...{ type: 'kept', lifetime: '5m', audience: ['https://gateway.example.com'], audiences: ['doors'], scopes: ['orders.read'] },
      contract: { ...contract, groups: { type: 'array', items: { type: 'string' } } },
    },
    'policies/token-processors/own.json': { ...own, accessTokenManagers: [...own.accessTokenManagers, 'doors'] },
    [policy]: { ...people, issues: [...people.issues, ...issues] },
  }
}

describe('token generators and access token managers of plug-ins', () => {
  const world = serverFor(withMakers)
  const refusal = () => world.lastRecord().refusal as Record<string, unknown>

  it('make tokens of what was decided', async () => {
    const { answer } = await world.issued({ audience: 'gate' })
    expect(answer.json).to.deep.include({ issued_token_type: badge, token_type: 'N_A' })
    expect(answer.json.access_token).to.match(/^badge-alice\d+$/)
  })

  it('make access tokens that can be introspected, exchanged again, and revoked with all that came from them', async () => {
    const { token } = await world.issued({ audience: 'doors', scope: 'orders.read' })
    expect(await world.introspect(token)).to.deep.include({ active: true, sub: 'alice', scope: 'orders.read', client_id: 'gateway' })
    const again = await world.issued(world.ownAs(token, { audience: 'doors' }))
    expect(await world.introspect(again.token)).to.deep.include({ active: true })
    await world.revoke(token)
    expect(await world.introspect(again.token)).to.deep.equal({ active: false })
    expect(await world.introspect(token)).to.deep.equal({ active: false })
  })

  it('make no access token that outlives its end, whatever they read', async () => {
    const { token } = await world.issued({ audience: 'doors' })
    world.server.advance(301)
    expect(await world.introspect(token)).to.deep.equal({ active: false })
    world.server.advance(-301)
  })

  it('refuse what their kind of token cannot say, with the mapping', async () => {
    const parameters = { subject_token: await world.person({ sub: 'unspeakable' }), audience: 'gate' }
    const { record } = await world.refused(parameters, 'invalid_request', /contract-not-met: a badge has no such name/)
    expect((record.refusal as { setting: string }).setting).to.include(`${policy} issues[`)
  })

  it('refuse an actor that they cannot name', async () => {
    await world.refused({ audience: 'gate', ...(await world.withActor()) }, 'invalid_request', /delegation-refused|actor/)
  })

  it('tell nothing of what they threw', async () => {
    expectError(
      await world.server.exchange({ subject_token: await world.person({ sub: 'bug', email: 'told@nobody.example' }), audience: 'gate' }),
      'server_error',
    )
    expect(refusal().stack).to.match(
      /^PluginFault: the plug-in type "badge" of @acme\/badge \(policies\/token-generators\/badges\.json\) threw Error in generate\(\)\n {4}at /,
    )
    expect(JSON.stringify(world.lastRecord())).not.to.include('told@nobody.example')
  })

  it('take no token for one of a bearer whose confirmation says nothing that could be proved (RFC 7800 section 3.1)', async () => {
    const { token } = await world.issued({ subject_token: await world.person({ email: 'cnf@faults.example' }), audience: 'doors' })
    expectError(await world.server.exchange(world.ownAs(token, { audience: 'doors' })), 'server_error')
    expect(refusal().stack).to.match(/^PluginFault: .* broke the promise of read\(\): claims/)
  })

  for (const audience of ['gate', 'doors']) {
    for (const email of Object.keys(faults)) {
      it(`issue nothing at fault: ${audience}, ${email.split('@')[0]}`, async () => {
        const subject = await world.person({ email })
        const answer = await world.server.exchange({ subject_token: subject, subject_token_type: types.jwt, audience })
        expectError(answer, 'server_error')
        expect(refusal().stack).to.match(/^PluginFault: .* broke the promise of generate\(\): /)
      })
    }
  }
})

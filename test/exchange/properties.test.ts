import { expect } from 'chai'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { issuer } from '../support/configuration.ts'
import { descriptionCharacters, types } from '../support/oauth.ts'
import type { Answer, Parameters } from '../support/running-server.ts'
import { type Claims, serverFor } from '../support/world.ts'

const people = 'https://people.example'
const codes = [
  ...['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope', 'invalid_target'],
  'invalid_authorization_details',
]

/** What the usual configuration says, written down a second time. */
const clients: Record<string, { scopes: string[]; audiences: string[]; managers: string[]; usual: string }> = {
  gateway: {
    scopes: ['orders.read', 'orders.write'],
    audiences: ['https://gateway.example.com'],
    managers: ['api', 'opaque', 'wide'],
    usual: 'api',
  },
  api: { scopes: ['orders.read'], audiences: ['https://api.example.com'], managers: ['opaque'], usual: 'opaque' },
  stranger: { scopes: [], audiences: [], managers: ['api', 'opaque'], usual: 'api' },
}
const managers: Record<string, { lifetime: number; aud: (resources: string[]) => string[]; scopes?: string[] }> = {
  api: { lifetime: 600, aud: () => ['https://api.example.com'] },
  opaque: { lifetime: 300, aud: () => ['https://billing.example.com'], scopes: ['orders.read'] },
  wide: { lifetime: 3600, aud: resources => [...new Set(resources)] },
}
const scopes = ['orders.read', 'orders.write', 'admin', 'openid', 'orders.readonly']
const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }))
const absent = fc.constant(undefined)
const scopeText = fc.subarray(scopes).map(list => list.join(' '))

/** Mostly what is right, so that a request with twenty members has a chance. */
function mostly<Good, Odd>(good: fc.Arbitrary<Good>, ...odd: fc.Arbitrary<Odd>[]): fc.Arbitrary<Good | Odd> {
  return fc.oneof({ weight: 20, arbitrary: good }, { weight: 1, arbitrary: fc.oneof(...odd) })
}

const claimsWith = (act: fc.Arbitrary<unknown>) =>
  fc.record({
    sub: fc.constantFrom('alice', 'bob', 'robot', 'gateway'),
    aud: mostly(
      fc.constantFrom<unknown>(issuer, `${issuer}/token`, ['x', issuer]),
      fc.constantFrom<unknown>('gateway', 'x', []),
      fc.jsonValue(),
    ),
    life: mostly(fc.integer({ min: 2, max: 1000 }), fc.constantFrom(-100, -10, 0, 1, 0.5, 7.5)),
    scope: fc.oneof(absent, scopeText, mostly(scopeText, fc.jsonValue())),
    act,
    may_act: mostly(absent, fc.constantFrom<unknown>({ iss: issuer, sub: 'gateway' }, { iss: 'https://agents.example', sub: 'robot' }, {})),
    cnf: mostly(absent, fc.constantFrom<unknown>({ jkt: 'x' }, 'x')),
    jti: mostly(fc.uuid(), absent, fc.jsonValue()),
  })
type ForeignClaims = ReturnType<typeof claimsWith> extends fc.Arbitrary<infer Value> ? Value : never

const actors = fc.constantFrom<unknown>(undefined, { sub: 'x' }, { iss: people, sub: 'alice', act: { sub: 'y' } })

/** A token: of an issuer that is trusted, of this server, or nothing of the kind. */
const tokenWith = (act: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 12, arbitrary: claimsWith(act).map(claims => ({ from: 'foreign' as const, claims })) },
    { weight: 5, arbitrary: fc.nat(1000).map(which => ({ from: 'here' as const, which })) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        anyText.map(text => ({ from: 'nowhere' as const, text })),
        fc.constant({ from: 'absent' as const }),
      ),
    },
  )
type Token = ReturnType<typeof tokenWith> extends fc.Arbitrary<infer Value> ? Value : never

const resources: Record<string, string[]> = {
  api: ['https://api.example.com/', 'https://api.example.com/v2/special', 'https://api.example.com/orders?x=1'],
  opaque: ['https://billing.example.com/'],
  wide: ['https://api.example.com/wide/a', 'https://api.example.com/wide/b'],
}
const audiences: Record<string, string[]> = { api: ['api'], opaque: ['billing'], wide: [] }
const names = fc.array(fc.oneof(fc.constantFrom(...Object.values(resources).flat(), 'api', 'billing', 'gateway'), anyText), {
  maxLength: 3,
})
const oneTarget = fc
  .constantFrom('api', 'opaque', 'wide')
  .chain(target => fc.record({ resource: fc.subarray(resources[target] ?? []), audience: fc.subarray(audiences[target] ?? []) }))

const request = fc.record({
  client: fc.constantFrom('gateway', 'gateway', 'gateway', 'api', 'stranger'),
  subject: tokenWith(mostly(actors, fc.jsonValue())),
  subjectType: mostly(fc.constant('right'), fc.constantFrom(types.jwt, types.accessToken, types.idToken, ''), anyText),
  actor: fc.oneof(fc.constant({ from: 'absent' as const }), tokenWith(mostly(absent, fc.jsonValue()))),
  actorType: mostly(fc.constant('right'), fc.constantFrom(types.jwt, types.saml2), anyText),
  target: mostly(oneTarget, fc.record({ resource: names, audience: names })),
  requested: mostly(fc.constantFrom(undefined, undefined, types.accessToken, types.jwt), fc.constant(types.saml2), anyText),
  scope: mostly(fc.oneof(absent, absent, fc.constantFrom('', 'orders.read', 'orders.write orders.read'), scopeText), anyText),
  further: fc.dictionary(anyText, anyText, { maxKeys: 3 }),
})
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never

/** A token as it is sent, and what is true of it. */
interface Sent {
  readonly text: string | undefined
  readonly type: string
  readonly claims: Claims
}

describe('whatever is asked', () => {
  // It stands still: a token of two seconds would else be good or not by how busy the machine is.
  const began = Date.now() / 1000
  const at = serverFor(undefined, { clock: () => began })
  /** Tokens of this server that were issued so far. */
  const issuedHere: Sent[] = []

  before(async () => {
    for (const parameters of [{}, { audience: 'billing' }, { scope: 'orders.read' }, await at.withActor()])
      await keep(await at.exchange(parameters), 'gateway')
  })

  async function keep({ json }: Answer, client: string): Promise<Claims> {
    const text = String(json.access_token)
    const claims: Claims = text.includes('.') ? decodeJwt(text) : await at.introspect(text, client)
    issuedHere.push({ text, type: types.accessToken, claims })
    return claims
  }

  async function send(sent: Token, as: 'person' | 'agent'): Promise<Sent> {
    if (sent.from === 'absent') return { text: undefined, type: types.jwt, claims: {} }
    if (sent.from === 'nowhere') return { text: sent.text, type: types.jwt, claims: {} }
    if (sent.from === 'here') return issuedHere[sent.which % issuedHere.length] ?? { text: 'x', type: types.accessToken, claims: {} }
    const { life, ...claims }: ForeignClaims = sent.claims
    const now = Math.floor(at.server.now())
    const all = { ...claims, iat: now, exp: now + life }
    return { text: await at[as](all), type: types.jwt, claims: { ...all, iss: at.issuers[as === 'person' ? 'people' : 'agents'].issuer } }
  }

  function parametersOf(asked: Request, subject: Sent, actor: Sent): Parameters {
    return {
      // A name that is used twice is refused, which would hide everything else.
      ...Object.fromEntries(
        Object.entries(asked.further).filter(
          ([name]) => !/^(grant_type|client_|subject_|actor_|requested_|scope|resource|audience)/.test(name),
        ),
      ),
      subject_token: subject.text,
      subject_token_type: asked.subjectType === 'right' ? subject.type : asked.subjectType,
      actor_token: actor.text,
      actor_token_type: actor.text === undefined ? undefined : asked.actorType === 'right' ? actor.type : asked.actorType,
      requested_token_type: asked.requested,
      resource: asked.target.resource,
      audience: asked.target.audience,
      scope: asked.scope,
    }
  }

  it('the answer is granted or refused, and what is granted keeps every bound', async () => {
    let granted = 0
    await fc.assert(
      fc.asyncProperty(request, async asked => {
        const subject = await send(asked.subject, 'person')
        const actor = await send(asked.actor, 'agent')
        const answer = await at.exchange(parametersOf(asked, subject, actor), asked.client)
        if (answer.status !== 200) return expectRefusal(answer)
        granted++
        const claims = await keep(answer, asked.client)
        expectBounds(asked, subject, actor, claims, answer)
      }),
      { numRuns: 600 },
    )
    expect(granted, 'enough were granted for this to mean something').to.be.greaterThan(75)
  }).timeout(120_000)

  it('no bytes are too odd', async () => {
    const body = fc.oneof(
      anyText,
      fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes).toString('latin1')),
      fc
        .array(fc.tuple(fc.constantFrom('grant_type', 'subject_token', 'scope', 'resource', ''), anyText), { maxLength: 6 })
        .map(pairs => pairs.map(pair => pair.join('=')).join('&')),
    )
    const type = fc.oneof(
      { weight: 5, arbitrary: fc.constant('application/x-www-form-urlencoded') },
      fc.constantFrom('text/plain', 'application/json', 'x'),
    )
    // What HTTP lets a header have.
    const character = fc.integer({ min: 0x20, max: 0xff }).map(code => String.fromCharCode(code >= 0x7f && code < 0xa0 ? 0x2e : code))
    const header = fc.string({ unit: character, maxLength: 60 }).map(text => text.trim())
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('/token', '/introspect', '/revoke'),
        body,
        type,
        header,
        fc.boolean(),
        async (path, text, contentType, odd, basic) => {
          const authorization = basic ? `Basic ${Buffer.from(odd).toString('base64')}` : odd
          const answer = await at.server.request('POST', path, text, { 'content-type': contentType, authorization })
          expectRefusal(answer)
        },
      ),
      { numRuns: 400 },
    )
  }).timeout(120_000)
})

function expectRefusal({ status, json, text, headers }: Answer): void {
  expect(status, text).to.be.oneOf([400, 401, 429])
  expect(json.error).to.be.oneOf(codes)
  expect(json.error_description).to.match(descriptionCharacters)
  expect(headers.get('cache-control')).to.equal('no-store')
  expect(json).to.not.have.property('access_token')
}

/** The rules of an exchange, applied to what was asked, without the code that applies them. */
function expectBounds(asked: Request, subject: Sent, actor: Sent, claims: Claims, { json }: Answer): void {
  const client = clients[asked.client] ?? expect.fail('an unknown client')
  const named = new Set([...asked.target.resource, ...asked.target.audience].filter(value => value !== '').map(targetOf))
  expect(named.size).to.be.at.most(1)
  const name = named.size === 0 ? client.usual : [...named][0]
  const manager = managers[name ?? ''] ?? expect.fail(`the target ${name} is unknown`)
  expect(client.managers).to.include(name)

  expect(claims).to.include({ iss: issuer, client_id: asked.client, sub: subject.claims.sub })
  expect([claims.aud].flat()).to.deep.equal(manager.aud(asked.target.resource.filter(value => value !== '')))

  const ends = [subject, ...(actor.text ? [actor] : [])].map(({ claims: { exp } }) => Number(exp))
  expect(claims.exp).to.be.at.most(Math.min(Number(claims.iat) + manager.lifetime, ...ends))
  expect(claims.exp).to.be.greaterThan(Number(claims.iat))
  expect(json.expires_in).to.equal(Number(claims.exp) - Number(claims.iat))

  expectScope(
    asked,
    subject,
    client.scopes.filter(scope => manager.scopes?.includes(scope) !== false),
    claims,
    json,
  )
  expectAddressed(asked.client, subject)
  if (actor.text) expectAddressed(asked.client, actor)
  expectActor(subject, actor, claims)
}

function targetOf(name: string): string | undefined {
  return Object.keys(resources).find(target => resources[target]?.includes(name) || audiences[target]?.includes(name))
}

function expectScope(asked: Request, { claims: subject }: Sent, available: string[], claims: Claims, json: Claims): void {
  const granted = claims.scope === undefined ? [] : String(claims.scope).split(' ')
  expect(json.scope).to.equal(claims.scope)
  const own = subject.iss === issuer
  const carried = subject.scope === undefined ? (own ? [] : available) : [subject.scope].flat().flatMap(scope => String(scope).split(' '))
  expect(available.filter(scope => carried.includes(scope))).to.include.members(granted)
  const wanted = [...new Set((asked.scope ?? '').split(' ').filter(scope => scope !== ''))]
  if (wanted.length > 0) expect(granted).to.have.members(wanted)
}

function expectAddressed(client: string, { claims }: Sent): void {
  const audiences = [claims.aud].flat()
  if (claims.iss === issuer) {
    const mine = [client, ...(clients[client]?.audiences ?? [])]
    expect(
      claims.client_id === client || audiences.some(audience => mine.includes(String(audience))),
      'a token of another client',
    ).to.equal(true)
  } else expect(audiences.includes(issuer) || audiences.includes(`${issuer}/token`), 'a token for another server').to.equal(true)
  expect(claims).to.satisfy(({ cnf }: Claims) => cnf === undefined)
}

function expectActor({ claims: subject }: Sent, actor: Sent, claims: Claims): void {
  const { iss, sub } = actor.claims
  const outermost = (claims.act ?? {}) as Claims
  const himself = iss === subject.iss && sub === subject.sub
  if (actor.text && !himself) expect({ iss: outermost.iss, sub: outermost.sub }).to.deep.equal({ iss, sub })
  else if (subject.act === undefined) expect(claims.act).to.equal(undefined)
  else expect(outermost.sub).to.equal((subject.act as Claims).sub)
  expect(depthOf(claims.act)).to.be.at.most(4)
}

function depthOf(act: unknown): number {
  return act === undefined ? 0 : 1 + depthOf((act as Claims).act)
}

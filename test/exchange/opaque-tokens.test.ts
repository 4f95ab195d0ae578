import { expect } from 'chai'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { type Claims, serverFor } from '../support/world.ts'

const other = 'https://other.example'

// Whoever asks another server about a token gets facts; the same rules are applied to them as to those of a JWT.
describe('an opaque token of another server', () => {
  let answered: Claims = {}
  const asked: Array<{ url: string; body: string; authorization: string | undefined }> = []
  const began = Date.now() / 1000
  const at = serverFor(withIntrospection, {
    clock: () => began,
    fetch: async (url, request) => {
      asked.push({ url, body: request.body ?? '', authorization: request.headers?.authorization })
      return { status: 200, headers: new Headers(), text: async () => JSON.stringify(answered) }
    },
  })

  /** The exchange of a token of which the other server says this. */
  const subject = (claims: Claims) => {
    const now = Math.floor(at.server.now())
    answered = { active: true, sub: 'carol', aud: issuer, iat: now, exp: now + 400, email: 'carol@other.example', ...claims }
    return { subject_token: 'opaque-token-of-another-server', subject_token_type: 'urn:example:opaque' }
  }

  it('becomes an access token of this one', async () => {
    const { claims, record, answer } = await at.issued(subject({ scope: 'orders.read', act: { sub: 'x' } }))
    expect(claims).to.deep.include({
      iss: issuer,
      sub: 'carol',
      email: 'carol@other.example',
      scope: 'orders.read',
      act: { iss: other, sub: 'x' },
    })
    expect(answer.json.expires_in).to.equal(400)
    expect(record).to.deep.include({ subject: { iss: other, sub: 'carol' }, processors: { subject: 'opaque' } })
  })

  it('is shown to nobody but the server that issued it', async () => {
    asked.length = 0
    await at.issued(subject({}))
    expect(asked.map(({ url }) => url)).to.deep.equal([`${other}/introspect`])
    expect(new URLSearchParams(asked[0]?.body).get('token')).to.equal('opaque-token-of-another-server')
    expect(asked[0]?.authorization).to.match(/^Basic /)
  })

  it('is asked about every time, unless the file says otherwise', async () => {
    await at.issued(subject({}))
    const again = subject({})
    answered = { active: false }
    await at.refused(again, 'invalid_request', /not active/)
  })

  for (const [what, claims, why] of [
    ['is not active', { active: false }, /not active/],
    ['has no audience', { aud: undefined }, /it names no audience/],
    ['is for somebody else', { aud: 'https://api.example.com' }, /its audience is another party/],
    ['is for the id of the client', { aud: 'gateway' }, /its audience is another party/],
    ['has expired', { exp: 1_600_000_000 }, /it has expired/],
    ['has no expiry', { exp: undefined }, /no exp/],
    ['has no subject', { sub: undefined }, /no sub/],
    ['is of another issuer', { iss: 'https://people.example' }, /issuer/],
    ['is bound to a key', { cnf: { jkt: 'x' } }, /bound to a key/],
    ['names another actor', { may_act: { sub: 'x' } }, /may_act/],
    ['has an act that is none', { act: 'x' }, /act claim/],
  ] as const) {
    it(`is refused where it ${what}`, async () => {
      await at.refused(subject(claims), 'invalid_request', why)
    })
  }

  it('bounds the scope as a JWT does', async () => {
    expect((await at.issued(subject({}))).claims.scope).to.equal('orders.read orders.write')
    expect((await at.issued(subject({ scope: '' }))).claims).to.not.have.property('scope')
    await at.refused({ ...subject({ scope: 'orders.read' }), scope: 'orders.write' }, 'invalid_scope', /orders\.write/)
  })

  it('can be used once where it has an id and the file says so', async () => {
    const once = { ...subject({ jti: 'one' }), subject_token_type: 'urn:example:opaque-once' }
    await at.issued(once)
    await at.refused(once, 'invalid_request', /already-used/)
    await at.refused({ ...subject({}), subject_token_type: 'urn:example:opaque-once' }, 'invalid_request', /has no id/)
  })

  it('is not asked about where the request is refused anyway', async () => {
    asked.length = 0
    await at.refused({ ...subject({}), audience: 'unknown' }, 'invalid_target', /target-unknown/)
    await at.refused(subject({}), 'unauthorized_client', /exchange-not-enabled/, 'bystander')
    expect(asked).to.deep.equal([])
  })
})

function withIntrospection(files: Files): Files {
  const { processors } = files['policies/processor-policies/people.json'] as { processors: object[] }
  const opaque = {
    type: 'introspection',
    issuer: other,
    endpoint: `${other}/introspect`,
    clientId: 'cambist',
    clientSecret: { file: 'secrets/gateway' },
  }
  const attributes = { subject: 'subject.sub', email: 'subject.email', groups: '[]' }
  return patched(files, {
    'policies/token-processors/opaque.json': opaque,
    'policies/token-processors/opaque-once.json': { ...opaque, once: true },
    'policies/processor-policies/people.json': {
      processors: [
        ...processors,
        { subjectTokenType: 'urn:example:opaque', subjectTokenProcessor: 'opaque', attributes },
        { subjectTokenType: 'urn:example:opaque-once', subjectTokenProcessor: 'opaque-once', attributes },
      ],
    },
  })
}

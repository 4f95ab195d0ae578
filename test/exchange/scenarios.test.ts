import { expect } from 'chai'
import { type Files, issuer, patched, secretOf } from '../support/configuration.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { expectError, headerOf, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const people = 'https://people.example'
const agents = 'https://agents.example'
const robot = { iss: agents, sub: 'robot' }

/** What test suites and advisories of other servers are about. Each is told as a story of this one. */
describe('scenarios of other servers', () => {
  const at = serverFor(furtherClients)

  describe('Keycloak', () => {
    it('a client exchanges a token of its own for another audience', async () => {
      const token = await at.own({ audience: 'api' })
      const { claims, token: reference } = await at.issued(at.ownAs(token, { audience: 'billing' }))
      expect(claims).to.deep.equal({})
      expect(await at.introspect(reference)).to.include({ aud: 'https://billing.example.com', client_id: 'gateway', sub: 'alice' })
    })

    it('a resource server exchanges the token that it was called with (37109)', async () => {
      const token = await at.own({ audience: 'api' }, 'gateway')
      const { record } = await at.issued(at.ownAs(token), 'api')
      expect(record).to.include({ client: 'api', target: 'opaque' })
    })

    it('whoever is not in the audience of a token does not exchange it (37109)', async () => {
      await at.refused(at.ownAs(await at.own({ audience: 'api' })), 'invalid_request', /issued to another client/, 'stranger')
    })

    it('the new token names the client that asked, not the one of the subject token (8756)', async () => {
      const token = await at.own({ audience: 'api' }, 'gateway')
      const exchanged = await at.own(at.ownAs(token), 'api')
      expect(await at.introspect(exchanged, 'api')).to.include({ client_id: 'api', sub: 'alice' })
    })

    it('what a resource server exchanged does not flow back to the caller', async () => {
      const exchanged = await at.own(at.ownAs(await at.own({}, 'gateway')), 'api')
      await at.refused(at.ownAs(exchanged), 'invalid_request', /issued to another client/, 'gateway')
      expect(await at.introspect(exchanged, 'gateway')).to.deep.equal({ active: false })
    })

    it('an audience that cannot be had is an error, not a token without it', async () => {
      await at.refused({ audience: 'https://api.internal/admin' }, 'invalid_target', /target-unknown/)
      await at.refused({ audience: ['api', 'https://api.internal/admin'] }, 'invalid_target', /target-unknown/)
    })

    it('a token that was revoked takes what was exchanged from it along, but not the other way round', async () => {
      const subject = await at.own()
      const exchanged = await at.own(at.ownAs(subject))
      await at.revoke(exchanged)
      expect(await at.introspect(subject)).to.include({ active: true })
      const again = await at.own(at.ownAs(subject))
      await at.revoke(subject)
      expect(await at.introspect(again)).to.deep.equal({ active: false })
    })

    it('a public client, which has nothing but its id, gets nothing', async () => {
      const body = { grant_type: tokenExchange, client_id: 'gateway', subject_token: await at.person(), subject_token_type: types.jwt }
      expectError(await at.server.request('POST', '/token', encodeForm(body), form), 'invalid_client')
    })

    it('a subject token that is too long is not taken for none (CVE-2026-9704)', async () => {
      const long = await at.person({ filler: 'x'.repeat(60_000) })
      await at.refused({ subject_token: long }, 'invalid_request', /longer than/)
      await at.refused(at.ownAs(long), 'invalid_request', /no access token of this server/)
    })

    describe('may_act and actor_token (50690, where all four of these were issued alike)', () => {
      it('A: the actor that is named', async () => {
        const { claims } = await at.issued({ subject_token: await at.person({ may_act: robot }), ...(await at.withActor()) })
        expect(claims.act).to.deep.equal(robot)
      })

      it('B: another actor', async () => {
        const subject_token = await at.person({ may_act: robot })
        await at.refused({ subject_token, ...(await at.withActor({ sub: 'rogue' })) }, 'invalid_request', /may_act/)
      })

      it('C: no actor token', async () => {
        await at.refused({ subject_token: await at.person({ may_act: robot }) }, 'invalid_request', /may_act/)
      })

      it('D: nobody is named', async () => {
        expect((await at.issued(await at.withActor())).claims.act).to.deep.equal(robot)
      })
    })

    it('a delegated token that is exchanged without an actor stays delegated (52691)', async () => {
      let token = await at.own(await at.withActor())
      for (let time = 0; time < 3; time++) {
        const exchanged = await at.issued(at.ownAs(token))
        expect(exchanged.claims.act).to.deep.equal(robot)
        token = exchanged.token
      }
      const reference = await at.own(at.ownAs(token, { audience: 'billing' }))
      expect((await at.introspect(reference)).act).to.deep.equal(robot)
    })

    it('scopes are those of the subject token at most, not those of the client (29614)', async () => {
      const narrow = await at.own({ scope: 'orders.read' })
      expect((await at.issued(at.ownAs(narrow))).claims.scope).to.equal('orders.read')
    })

    it('no permission is skipped for a foreign token (49993): the client still needs token exchange', async () => {
      await at.refused({}, 'unauthorized_client', /exchange-not-enabled/, 'bystander')
    })
  })

  describe('Spring Authorization Server', () => {
    it('asks for access_token and names no target', async () => {
      const { answer, record } = await at.issued({ requested_token_type: types.accessToken, scope: 'orders.read' })
      expect(record.target).to.equal('api')
      expect(answer.json).to.include({ token_type: 'Bearer', issued_token_type: types.accessToken, scope: 'orders.read' })
    })

    it('calls its own access tokens JWTs, as subject and as actor', async () => {
      const subject_token = await at.own({}, 'gateway')
      const actor_token = await at.own({ subject_token: await at.person({ sub: 'bob' }) }, 'gateway')
      const asSpring = { subject_token, subject_token_type: types.jwt, actor_token, actor_token_type: types.jwt }
      const { claims } = await at.issued(asSpring, 'spring')
      expect(claims).to.deep.include({ sub: 'alice', act: { iss: issuer, sub: 'bob' } })
    })

    it('checks may_act by every member, iss too', async () => {
      const subject_token = await at.person({ may_act: { ...robot, iss: people } })
      await at.refused({ subject_token, ...(await at.withActor()) }, 'invalid_request', /may_act/)
    })

    it('refuses a scope that the client does not have', async () => {
      await at.refused({ scope: 'admin' }, 'invalid_scope', /admin/)
    })

    it('gives the scopes of the subject token where none is requested', async () => {
      expect((await at.issued({ subject_token: await at.person({ scope: 'orders.write' }) })).claims.scope).to.equal('orders.write')
    })

    it('refuses an actor token that has expired', async () => {
      const now = Math.floor(at.server.now())
      await at.refused(
        await at.withActor({ iat: now - 900, exp: now - 300 }),
        'invalid_request',
        /the actor token is refused: it has expired/,
      )
    })
  })

  describe('ZITADEL', () => {
    it('a bare user id in the place of a token is a bad token, not a crash (9436)', async () => {
      for (const subject_token of ['165617389845094785', 'alice', '{}', 'null', 'undefined', '[object Object]']) {
        await at.refused({ subject_token, requested_token_type: types.jwt }, 'invalid_request', /subject-token-rejected/)
      }
    })

    it('a user id is no type of token', async () => {
      const subject_token_type = 'urn:zitadel:params:oauth:token-type:user_id'
      await at.refused({ subject_token: 'alice', subject_token_type }, 'invalid_request', /no-mapping/)
    })
  })

  describe('authentik', () => {
    it('what is not supported is refused, not ignored', async () => {
      await at.refused({ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details', /not-supported/)
      const headers = { ...form, authorization: basic('gateway', secretOf('gateway')), dpop: 'x.y.z' }
      const body = encodeForm({ grant_type: tokenExchange, subject_token: await at.person(), subject_token_type: types.jwt })
      expectError(await at.server.request('POST', '/token', body, headers), 'invalid_dpop_proof')
    })

    it('an actor that the policy does not take is refused, not ignored', async () => {
      const { actor_token } = await at.withActor()
      await at.refused({ actor_token, actor_token_type: types.idToken }, 'invalid_request', /no-mapping/)
    })
  })

  describe('dex', () => {
    it('a client takes only what its own policy takes (GHSA-7qjx-gp9h-65qj)', async () => {
      await at.issued(
        { subject_token: await at.agent({ email: 'a@example.com', groups: [] }), subject_token_type: types.idToken },
        'robots',
      )
      await at.refused({ subject_token: await at.person() }, 'invalid_request', /no-mapping/, 'robots')
      await at.refused(
        { subject_token: await at.person(), subject_token_type: types.idToken },
        'invalid_request',
        /issuer of the token/,
        'robots',
      )
      await at.refused(at.ownAs(await at.own({}, 'gateway')), 'invalid_request', /no-mapping/, 'robots')
    })

    it('a parameter that would choose the source of a token chooses nothing', async () => {
      const { record } = await at.issued({ connector_id: 'agents', subject_issuer: agents })
      expect(record).to.deep.include({ processors: { subject: 'people' }, ignoredParameters: ['connector_id', 'subject_issuer'] })
    })
  })

  describe('Abblix, logto and ThunderID', () => {
    it('an ID token that was made for another client is nobody’s to exchange', async () => {
      for (const aud of ['another-client', ['another-client', 'gateway'], 'gateway']) {
        const subject_token = await at.person({ aud, azp: 'another-client', nonce: 'x' })
        await at.refused({ subject_token }, 'invalid_request', /its audience is another party/)
      }
    })

    it('an ID token is no access token', async () => {
      await at.refused(at.ownAs(await at.person({ nonce: 'x' })), 'invalid_request', /no access token of this server/)
      await at.refused(
        { actor_token: await at.agent(), actor_token_type: types.accessToken },
        'invalid_request',
        /no access token of this server/,
      )
    })

    it('an access token is no ID token', async () => {
      await at.refused({ subject_token: await at.own(), subject_token_type: types.idToken }, 'invalid_request', /no-mapping/)
    })

    it('a refresh token is neither subject nor actor', async () => {
      await at.refused({ subject_token: 'a-refresh-token', subject_token_type: types.refreshToken }, 'invalid_request', /no-mapping/)
      await at.refused({ actor_token: 'a-refresh-token', actor_token_type: types.refreshToken }, 'invalid_request', /no-mapping/)
      await at.refused(at.ownAs('a-refresh-token'), 'invalid_request', /no access token of this server/)
    })

    it('a narrow token of a third party is not widened by a client with more rights', async () => {
      const narrow = await at.own({}, 'stranger')
      await at.refused(at.ownAs(narrow, { scope: 'orders.read' }), 'invalid_scope', /orders\.read/, 'api')
      const { answer } = await at.issued(at.ownAs(narrow), 'api')
      expect(answer.json).to.not.have.property('scope')
    })

    it('the audience of a request is never copied into a token', async () => {
      expect((await at.issued({ audience: 'api' })).claims.aud).to.equal('https://api.example.com')
      await at.refused({ audience: 'https://api.example.com' }, 'invalid_target', /target-unknown/)
    })

    it('a token of an issuer of its own name but another key is refused', async () => {
      const impostor = await at.signedBy(at.issuers.agents, { iss: people, email: 'a@example.com', groups: [] })
      await at.refused({ subject_token: impostor }, 'invalid_request', /subject-token-rejected/)
      const kid = headerOf(await at.person()).kid
      const withKid = await at.signedBy(at.issuers.agents, { iss: people, email: 'a@example.com', groups: [] }, { kid })
      await at.refused({ subject_token: withKid }, 'invalid_request', /signature/)
    })

    it('causes are told apart (3835)', async () => {
      const causes = [await at.person({ aud: 'x' }), await at.person({ exp: 1 }), await at.person({ iss: 'https://x' }), 'x']
      const descriptions = new Set<string>()
      for (const subject_token of causes) descriptions.add((await at.refused({ subject_token }, 'invalid_request', /./)).description)
      expect(descriptions.size).to.equal(causes.length)
    })
  })

  describe('Cloudflare, Knox, vouch and Ory', () => {
    it('a resource that the target was not given is not added to its audience', async () => {
      await at.refused({ resource: 'https://elsewhere.example/' }, 'invalid_target', /target-unknown/)
      const resource = ['https://api.example.com/wide/x', 'https://elsewhere.example/']
      await at.refused({ resource }, 'invalid_target', /target-unknown/)
    })

    it('an error is JSON, whatever the request accepts', async () => {
      const headers = { ...form, authorization: basic('gateway', secretOf('gateway')), accept: 'text/html' }
      const answer = await at.server.request('POST', '/token', encodeForm({ grant_type: tokenExchange, subject_token_type: 'x' }), headers)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      expectError(answer, 'invalid_request')
    })

    it('issued_token_type names what was issued: an opaque token is no JWT', async () => {
      await at.refused({ audience: 'billing', requested_token_type: types.jwt }, 'invalid_request', /type-not-available/)
      const { answer } = await at.issued({ audience: 'billing' })
      expect(answer.json.issued_token_type).to.equal(types.accessToken)
    })

    it('a policy that says no is invalid_request, not access_denied or invalid_grant', async () => {
      await at.refused(
        { subject_token: await at.person({ email: 'a@elsewhere.example' }), audience: 'picky' },
        'invalid_request',
        /only our people/,
      )
    })

    it('an actor that is another client’s token is refused', async () => {
      const actor_token = await at.own({}, 'gateway')
      await at.refused(
        { actor_token, actor_token_type: types.accessToken },
        'invalid_request',
        /the actor token is refused: it was issued/,
        'stranger',
      )
    })
  })

  describe('whoever tries to be clever', () => {
    it('sends parameters under other names', async () => {
      const token = await at.person()
      for (const name of [
        'Subject_Token',
        'SUBJECT_TOKEN',
        'subject_token[]',
        'subject_token[0]',
        ' subject_token',
        'subject_token\u0000',
        'subject-token',
      ]) {
        await at.refused({ subject_token: undefined, [name]: token }, 'invalid_request', /subject_token is missing/)
      }
    })

    it('sends a token with something around it', async () => {
      const token = await at.person()
      for (const subject_token of [
        `Bearer ${token}`,
        ` ${token}`,
        `${token} `,
        `${token}\n`,
        `"${token}"`,
        `${token},${token}`,
        `${token}.`,
        `.${token}`,
      ]) {
        await at.refused({ subject_token }, 'invalid_request', /subject-token-rejected/)
      }
    })

    it('sends a token in the JSON serialization, detached, or encrypted', async () => {
      const [header = '', payload = '', signature = ''] = (await at.person()).split('.')
      const json = JSON.stringify({ payload, protected: header, signature })
      const general = JSON.stringify({ payload, signatures: [{ protected: header, signature }] })
      for (const subject_token of [
        json,
        general,
        `${header}..${signature}`,
        `${header}.${payload}.`,
        `${header}.${payload}`,
        'a.b.c.d.e',
      ]) {
        await at.refused({ subject_token }, 'invalid_request', /subject-token-rejected/)
      }
    })

    it('sends a header that demands an extension', async () => {
      for (const header of [
        { crit: ['b64'], b64: false },
        { crit: ['exp'], exp: 1 },
      ]) {
        const forged = await at.person().then(token => token.split('.'))
        const changed = { ...JSON.parse(Buffer.from(forged[0] ?? '', 'base64url').toString()), ...header }
        const subject_token = [Buffer.from(JSON.stringify(changed)).toString('base64url'), ...forged.slice(1)].join('.')
        await at.refused({ subject_token }, 'invalid_request', /demands an extension/)
      }
    })

    it('puts claims into a foreign token that this server decides', async () => {
      const forged = { client_id: 'stranger', scope: 'admin orders.read', jti: 'x', anc: ['x'], atm: 'wide', act: robot, azp: 'stranger' }
      const { claims } = await at.issued({ subject_token: await at.person(forged) })
      expect(claims).to.deep.include({ client_id: 'gateway', scope: 'orders.read', iss: issuer, act: robot })
      expect(claims.jti).to.not.equal('x')
      expect(claims).to.not.have.any.keys('anc', 'atm', 'azp')
    })

    it('uses a client’s name as a subject', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ sub: 'gateway' }) }, 'stranger')
      expect(claims).to.include({ sub: 'gateway', client_id: 'stranger' })
      const token = await at.own({ subject_token: await at.person({ sub: 'stranger' }) }, 'gateway')
      await at.refused(at.ownAs(token), 'invalid_request', /issued to another client/, 'stranger')
    })

    it('sends a token of this server’s name from elsewhere', async () => {
      const forged = await at.person({ iss: issuer, aud: 'https://api.example.com', client_id: 'gateway' }, { typ: 'at+jwt', atm: 'api' })
      await at.refused(at.ownAs(forged), 'invalid_request', /no access token of this server/)
      await at.refused({ subject_token: forged }, 'invalid_request', /issuer of the token/)
      expect(await at.introspect(forged)).to.deep.equal({ active: false })
    })

    it('exchanges the same token from two clients, each within its own rights', async () => {
      const subject_token = await at.person()
      expect((await at.issued({ subject_token }, 'gateway')).claims.scope).to.equal('orders.read orders.write')
      expect((await at.issued({ subject_token }, 'stranger')).claims).to.not.have.property('scope')
    })

    it('turns in circles: a token for a target, exchanged for itself, gains nothing', async () => {
      let token = await at.own({ scope: 'orders.read', subject_token: await at.person({ exp: Math.floor(at.server.now()) + 100 }) })
      for (let time = 0; time < 5; time++) token = await at.own(at.ownAs(token))
      const claims = await at.introspect(token)
      expect(claims).to.include({ scope: 'orders.read', sub: 'alice', client_id: 'gateway' })
      expect(Number(claims.exp) - at.server.now()).to.be.at.most(100)
    })
  })
})

/** With a client of Spring's manners, one that only takes robots, and a target that is picky. */
function furtherClients(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as {
    processors: Array<{ attributes: object }>
    issues: Array<{ attributes: object }>
  }
  const attributes = policy.processors[0]?.attributes
  const own = { subjectTokenType: types.jwt, subjectTokenProcessor: 'own', attributes }
  const client = (name: string, processorPolicy: string, more: object = {}) => ({
    [`clients/${name}.json`]: {
      authentication: { method: 'client_secret_basic', secrets: [{ file: `secrets/${name}` }] },
      tokenExchange: { enabled: true, processorPolicy },
      ...more,
    },
    [`secrets/${name}`]: secretOf(name),
  })
  return patched(files, {
    ...client('spring', 'spring', { audiences: ['https://api.example.com'], scopes: ['orders.read'] }),
    ...client('robots', 'robots'),
    'policies/processor-policies/spring.json': {
      ...policy,
      processors: [own, { ...own, actorTokenType: types.jwt, actorTokenProcessor: 'own' }],
    },
    'policies/processor-policies/robots.json': {
      ...policy,
      actorToken: 'refused',
      processors: [{ subjectTokenType: types.idToken, subjectTokenProcessor: 'agents', attributes }],
    },
    'policies/access-token-managers/picky.json': {
      ...(files['policies/access-token-managers/api.json'] as object),
      ...{ resources: [], audiences: ['picky'] },
    },
    'policies/processor-policies/people.json': {
      issues: [
        ...policy.issues,
        {
          accessTokenManager: 'picky',
          attributes: policy.issues[0]?.attributes,
          criteria: [{ require: "policy.email.endsWith('@example.com')", otherwise: 'only our people' }],
        },
      ],
    },
  })
}

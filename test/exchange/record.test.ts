import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { BreakableJournal, HeldJournal } from '../support/audit-trail.ts'
import { patched, secretOf } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { basic } from '../support/running-server.ts'
import { expectError, serverFor, withServer } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const digest = (token: string) => createHash('sha256').update(token).digest('base64url')

/** The members of every record, whatever became of the exchange. */
const always = ['level', 'time', 'requestId', 'version', 'clientIp', 'outcome', 'ms', 'event']

describe('the audit record', () => {
  const at = serverFor()

  describe('of an exchange that was granted', () => {
    it('says everything that was decided', async () => {
      const subject_token = await at.person({ act: { iss: 'https://agents.example', sub: 'first' } })
      const actor = await at.withActor()
      const { record, claims, token } = await at.issued({ subject_token, ...actor, audience: 'api', scope: 'orders.read' })
      const { level, time, requestId, version, ms, ...rest } = record
      expect(rest).to.deep.equal({
        event: 'exchange',
        outcome: 'issued',
        clientIp: '127.0.0.1',
        client: 'gateway',
        policy: 'people',
        mapping: 'processors[1]',
        processors: { subject: 'people', actor: 'agents' },
        subjectToken: { type: types.jwt, sha256: digest(subject_token) },
        actorToken: { type: types.jwt, sha256: digest(String(actor.actor_token)) },
        subject: { iss: 'https://people.example', sub: 'alice' },
        actor: { iss: 'https://agents.example', sub: 'robot' },
        act: { iss: 'https://agents.example', sub: 'robot', act: { iss: 'https://agents.example', sub: 'first' } },
        target: 'api',
        issuedTokenType: types.accessToken,
        scope: ['orders.read'],
        issuedToken: { id: claims.jti, sha256: digest(token), expiresAt: claims.exp },
      })
    })

    it('says when, which, by which configuration and how long', async () => {
      const [before, started] = [Date.now(), performance.now()]
      const { record } = await at.issued()
      const elapsed = performance.now() - started
      expect(record.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(Date.parse(String(record.time))).to.be.within(before, Date.now())
      expect(record.requestId).to.match(/^[0-9a-f-]{36}$/)
      expect(record.ms).to.be.a('number').and.be.within(0, elapsed)
      expect(record.version).to.match(/^[0-9a-f]{16,}$/)
      const other = (await at.issued()).record
      expect(other.requestId).to.not.equal(record.requestId)
      expect(other.version).to.equal(record.version)
    })

    it('names no actor where there is none', async () => {
      const { record } = await at.issued()
      for (const member of ['actor', 'act', 'actorToken', 'refusal', 'attributes', 'ignoredParameters'])
        expect(record).to.not.have.property(member)
    })

    it('says of a reference token what it says of a JWT', async () => {
      const { record, token } = await at.issued({ audience: 'billing' })
      const { jti, exp } = await at.introspect(token)
      expect(record.issuedToken).to.deep.equal({ id: jti, sha256: digest(token), expiresAt: exp })
    })
  })

  describe('of an exchange that was refused', () => {
    it('says why, in the words of the answer and by a name', async () => {
      const { record, description } = await at.refused({ audience: 'unknown' }, 'invalid_target', /target-unknown/)
      expect(record.outcome).to.equal('refused')
      const setting = 'the "audiences" of an access token manager or generator group'
      expect(record.refusal).to.deep.equal({ error: 'invalid_target', description, reason: 'target-unknown', setting })
    })

    it('names the setting that decided so', async () => {
      const { record } = await at.refused({ scope: 'admin' }, 'invalid_scope', /admin/)
      expect(record.refusal).to.include({ setting: 'clients/gateway.json scopes' })
    })

    it('says what was known until then, and nothing of what was not', async () => {
      const garbage = 'this-is-no-token-of-anybody'
      const soFar = [...always, 'refusal', 'client', 'subjectToken']
      const target = [...soFar, 'policy', 'mapping', 'processors', 'target', 'issuedTokenType']
      const proven = [...target, 'subject']
      for (const [parameters, code, members] of [
        [{ grant_type: 'unknown' }, 'unsupported_grant_type', [...always, 'refusal', 'client']],
        [{ subject_token_type: 'urn:example:unknown' }, 'invalid_request', [...soFar, 'policy']],
        [{ audience: 'unknown' }, 'invalid_target', [...soFar, 'policy', 'mapping', 'processors']],
        [{ subject_token: garbage }, 'invalid_request', target],
        [{ subject_token: await at.person({ aud: 'x' }) }, 'invalid_request', proven],
        [{ scope: 'admin' }, 'invalid_scope', proven],
      ] as const) {
        const { record } = await at.refused(parameters, code, /./)
        expect(Object.keys(record)).to.have.members(members)
        if ('subject_token' in parameters)
          expect(record.subjectToken).to.deep.equal({ type: types.jwt, sha256: digest(parameters.subject_token) })
      }
    })

    it('names the subject and the actor that were proved', async () => {
      const { record } = await at.refused({ ...(await at.withActor()), scope: 'admin' }, 'invalid_scope', /./)
      expect(record).to.deep.include({
        subject: { iss: 'https://people.example', sub: 'alice' },
        actor: { iss: 'https://agents.example', sub: 'robot' },
        act: { iss: 'https://agents.example', sub: 'robot' },
      })
    })

    it('says whom a client that was not authenticated claimed to be, and that it is no more than a claim', async () => {
      const answer = await at.server.request('POST', '/token', 'x=y', {
        ...form,
        authorization: basic('gateway', 'wrong-secret-of-gateway'),
      })
      expectError(answer, 'invalid_client')
      expect(at.lastRecord()).to.include({ claimedClient: 'gateway' }).and.not.have.property('client')
      expect(JSON.stringify(at.lastRecord())).to.not.include('wrong-secret')
      await at.issued()
      expect(at.lastRecord()).to.not.have.property('claimedClient')
    })

    it('is written for what could not even be read', async () => {
      for (const [body, headers] of [
        ['a=1&a=2', form],
        ['{}', { 'content-type': 'application/json' }],
        ['%zz=1', form],
        [`x=${'y'.repeat(300_000)}`, form],
      ] as const) {
        expectError(await at.server.request('POST', '/token', body, headers), 'invalid_request')
        expect(Object.keys(at.lastRecord())).to.have.members([...always, 'refusal'])
      }
    })
  })

  describe('gives nothing away', () => {
    it('of attributes, unless the contract says "log": true', async () => {
      const claims = { email: 'very.private@example.com', groups: ['very-private-group'], name: 'Very Private', birthdate: '1990-01-01' }
      await withServer(
        files => patched(files, { 'policies/processor-policies/people.json': { contract: { groups: { log: true } } } }),
        async world => {
          const { record } = await world.issued({ subject_token: await world.person(claims) })
          expect(record.attributes).to.deep.equal({ groups: ['very-private-group'] })
          expect(JSON.stringify(record)).to.not.match(/very\.private|Very Private|1990-01-01/)
          const refused = await world.refused({ subject_token: await world.person(claims), scope: 'admin' }, 'invalid_scope', /./)
          expect(refused.record.attributes).to.deep.equal({ groups: ['very-private-group'] })
        },
      )
      const { record } = await at.issued({ subject_token: await at.person(claims), ...(await at.withActor(claims)) })
      // What is short occurs by chance, in an id or a digest.
      expect(JSON.stringify(record)).to.not.match(/very.private|Very Private|1990-01-01/)
    })

    it('of an attribute that is logged only where it was fulfilled', async () => {
      await withServer(
        files => patched(files, { 'policies/processor-policies/people.json': { contract: { email: { log: true } } } }),
        async world => {
          const bad = { subject_token: await world.person({ email: 'no address' }) }
          expect((await world.refused(bad, 'invalid_request', /contract-not-met/)).record).to.not.have.property('attributes')
          expect((await world.issued()).record.attributes).to.deep.equal({ email: 'alice@example.com' })
        },
      )
    })

    // Pending: src/observe/audit-entry.ts writes the whole act.
    it('of what else an act says of an actor than who it is', async () => {
      const act = { sub: 'first', email: 'very.private@example.com', act: { sub: 'second', name: 'Very Private' } }
      const { record } = await at.issued({ subject_token: await at.person({ act }) })
      const iss = 'https://people.example'
      expect(record.act).to.deep.equal({ iss, sub: 'first', act: { iss, sub: 'second' } })
    })

    it('of a token that was sent in the place of its type', async () => {
      const token = await at.person()
      await at.refused({ subject_token: 'jwt', subject_token_type: token }, 'invalid_request', /no-mapping/)
      expect(JSON.stringify(at.lastRecord())).to.not.include(token)
    })

    it('of a secret or its hash, nor of a token (each test of this folder proves that for its own)', async () => {
      await at.issued()
      const lines = JSON.stringify(at.server.records)
      for (const client of ['gateway', 'stranger']) {
        const secret = secretOf(client)
        for (const encoding of ['base64url', 'base64', 'hex'] as const) {
          expect(lines).to.not.include(createHash('sha256').update(secret).digest(encoding))
          expect(lines).to.not.include(Buffer.from(secret).toString(encoding))
        }
      }
    })

    it('of a token in the names of unknown parameters', async () => {
      const token = await at.person()
      const { record } = await at.issued({ [`x${token}`]: 'y' })
      expect(JSON.stringify(record)).to.not.include(token.split('.')[1]).and.not.include(token.split('.')[2])
    })

    it('to whoever writes line ends or other controls into a request', async () => {
      const count = at.server.records.length
      const nasty = 'x\n{"event":"exchange","outcome":"issued"}\r\u2028\u0000'
      await at.refused({ [nasty]: 'y', audience: nasty }, 'invalid_target', /./)
      await at.refused({ subject_token_type: nasty }, 'invalid_request', /./)
      await at.issued({ subject_token: await at.person({ sub: nasty }) })
      expect(at.server.records.length).to.equal(count + 3)
      expect(at.lastRecord().subject).to.deep.equal({ iss: 'https://people.example', sub: nasty })
    })
  })

  it('has the version of the configuration: a hash over its files', async () => {
    const { usualFiles, makeIssuers } = await import('../support/configuration.ts')
    const issuers = await makeIssuers()
    const files = await usualFiles(issuers)
    const versions: unknown[] = []
    for (const change of [
      {},
      {},
      { 'clients/stranger.json': { enabled: false } },
      { 'policies/access-token-managers/api.json': { lifetime: '9m' } },
    ]) {
      await withServer(
        () => patched(files, change),
        async world => {
          await world.exchange({ subject_token: 'x' })
          versions.push(world.lastRecord().version)
        },
      )
    }
    const [first, same, ...others] = versions
    expect(same).to.equal(first)
    expect(new Set([first, ...others]).size).to.equal(3)
  })

  it('can be found again by the id in the token', async () => {
    const { token } = await at.issued()
    const { jti } = decodeJwt(token)
    const found = at.server.records.filter(record => (record.issuedToken as { id?: string } | undefined)?.id === jti)
    expect(found).to.have.length(1)
  })
})

describe('the record is written before the answer', () => {
  for (const [what, parameters, status] of [
    ['that grants', {}, 200],
    ['that grants a reference token', { audience: 'billing' }, 200],
    ['that refuses', { audience: 'unknown' }, 400],
    ['that refuses a client', { client_secret: 'x' }, 400],
  ] as const) {
    it(`${what}: an answer waits for its record`, async () => {
      const journal = new HeldJournal()
      await withServer(
        files => files,
        async at => {
          let answered = false
          const exchange = at.exchange(parameters).then(answer => {
            answered = true
            return answer
          })
          await Promise.race([journal.waitedFor, exchange])
          // The server is not busy: it has answered others many times by now.
          for (let time = 0; time < 20; time++) await at.server.request('GET', '/healthz')
          expect(answered).to.equal(false)
          expect(journal.lines).to.have.length(1)
          journal.release()
          expect((await exchange).status).to.equal(status)
          expect(journal.lines).to.have.length(1)
        },
        { journal },
      )
    })
  }

  it('what cannot be recorded is not given out', async () => {
    const journal = new BreakableJournal()
    await withServer(
      files => files,
      async at => {
        for (const parameters of [{}, { audience: 'billing' }, { audience: 'unknown' }]) {
          journal.broken = true
          const answer = await at.exchange(parameters)
          expectError(answer, 'temporarily_unavailable')
          expect(Number(answer.headers.get('retry-after'))).to.be.at.least(1)
          expect(answer.text).to.not.include('access_token')
          journal.broken = false
        }
        expect((await at.exchange()).status).to.equal(200)
        expect(journal.lines).to.have.length(1)
      },
      { journal },
    )
  })
})

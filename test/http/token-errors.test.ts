import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { issuer, patched, secretOf } from '../support/configuration.ts'
import { descriptionCharacters, jwtBearerAssertion, tokenExchange, types } from '../support/oauth.ts'
import { type Answer, basic, encodeForm, type Parameters } from '../support/running-server.ts'
import { watchedStore } from '../support/stores.ts'
import { expectError, expectTokenAnswer, serverFor } from '../support/world.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

describe('the errors of the token endpoint', () => {
  describe('invalid_client', () => {
    // It stands still between the tests that move it: guesses are counted by windows, of which none may end between two of them.
    const began = Date.now() / 1000
    const at = serverFor(
      async files =>
        patched(files, {
          'clients/poster.json': {
            authentication: { method: 'client_secret_post', secrets: [{ file: 'secrets/poster' }] },
            tokenExchange: { enabled: true },
          },
          'clients/signer.json': {
            authentication: {
              method: 'private_key_jwt',
              jwks: { keys: [{ ...(await exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey)), alg: 'ES256' }] },
            },
            tokenExchange: { enabled: true },
          },
          'secrets/poster': secretOf('poster'),
        }),
      { clock: () => began },
    )
    // Guesses at one name are slowed; here each is meant to be the first.
    beforeEach(() => at.server.advance(301))

    const send = async (parameters: Parameters, headers: Record<string, string> = {}) => {
      const subject = { grant_type: tokenExchange, subject_token: await at.person(), subject_token_type: types.jwt }
      const answer = await at.server.request('POST', '/token', encodeForm({ ...subject, ...parameters }), { ...form, ...headers })
      expectTokenAnswer(answer)
      return answer
    }
    const assertion = async (sub: string) => {
      const { privateKey } = await generateKeyPair('ES256')
      const jwt = new SignJWT({ iss: sub, sub, aud: issuer, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('1m')
      return { client_assertion_type: jwtBearerAssertion, client_assertion: await jwt.sign(privateKey) }
    }
    const header = (authorization: string) => [{}, { authorization }] as const

    const causes: Record<string, () => Promise<readonly [Parameters, Record<string, string>?]>> = {
      'no credentials': async () => [{}],
      'only a client_id': async () => [{ client_id: 'gateway' }],
      'an unknown client by Basic': async () => header(basic('nobody', secretOf('gateway'))),
      'a wrong secret by Basic': async () => header(basic('gateway', 'wrong-secret')),
      'an empty secret by Basic': async () => header(basic('gateway', '')),
      'the secret of another client': async () => header(basic('gateway', secretOf('stranger'))),
      'a wrong secret of a disabled client': async () => header(basic('disabled', 'wrong-secret')),
      'a wrong secret of a client without token exchange': async () => header(basic('bystander', 'wrong-secret')),
      'Basic of a client that sends its secret in the body': async () => header(basic('poster', secretOf('poster'))),
      'Basic of a client that signs': async () => header(basic('signer', secretOf('signer'))),
      'Basic that is no base64': async () => header('Basic !!!'),
      'Basic without a colon': async () => header(`Basic ${Buffer.from('gateway').toString('base64')}`),
      'Basic without anything': async () => header('Basic'),
      'Basic with a percent sign alone': async () => header(basic('gateway%', '%zz')),
      'a Bearer token': async () => header('Bearer x'),
      'another scheme': async () => header('Negotiate x'),
      'a wrong secret in the body': async () => [{ client_id: 'poster', client_secret: 'wrong-secret' }],
      'an unknown client in the body': async () => [{ client_id: 'nobody', client_secret: secretOf('poster') }],
      'a secret in the body of a client that uses Basic': async () => [{ client_id: 'gateway', client_secret: secretOf('gateway') }],
      'a secret in the body without client_id': async () => [{ client_secret: secretOf('poster') }],
      'an assertion that somebody else signed': async () => [await assertion('signer')],
      'an assertion of an unknown client': async () => [await assertion('nobody')],
      'an assertion of a client that uses a secret': async () => [await assertion('gateway')],
      'an assertion that is none': async () => [{ client_assertion_type: jwtBearerAssertion, client_assertion: 'x' }],
      'an assertion without its type': async () => [{ client_assertion: 'x' }],
      'the type of an assertion without one': async () => [{ client_assertion_type: jwtBearerAssertion }],
      'an assertion of another type': async () => [{ client_assertion_type: 'urn:example:other', client_assertion: 'x' }],
    }

    for (const [cause, request] of Object.entries(causes)) {
      it(`for ${cause}: 401, in the same words as for every other cause`, async () => {
        const [parameters, headers] = await request()
        const answer = await send(parameters, headers)
        expectError(answer, 'invalid_client')
        expect(answer.json).to.deep.equal((await send({})).json)
        const challenged = headers?.authorization !== undefined
        expect(answer.headers.get('www-authenticate')).to.equal(challenged ? 'Basic realm="token", charset="UTF-8"' : null)
      })
    }

    it('tells the causes apart in the record', async () => {
      const why = async (cause: string) => {
        const [parameters, headers] = (await causes[cause]?.()) ?? [{}]
        await send(parameters, headers)
        return at.lastRecord().refusal as Record<string, unknown>
      }
      const first = await why('no credentials')
      const second = await why('an assertion that somebody else signed')
      expect(first.reason).to.equal(second.reason).and.equal('client-not-authenticated')
      expect(first.cause).to.be.a('string').and.not.equal(second.cause)
    })

    it('with 429 and Retry-After when there were too many', async () => {
      const answers: Answer[] = []
      for (let attempt = 0; attempt < 12; attempt++) answers.push(await send({}, { authorization: basic('gateway', `guess-${attempt}`) }))
      expect(answers.slice(0, 10).map(({ status }) => status)).to.deep.equal(Array(10).fill(401))
      for (const answer of answers.slice(10)) {
        expect(answer.status).to.equal(429)
        expect(answer.json.error).to.equal('invalid_client')
        expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 300)
        expect(answer.headers.get('www-authenticate')).to.equal(null)
      }
      // The real client is not locked out by it.
      expect((await send({}, { authorization: basic('gateway', secretOf('gateway')) })).status).to.equal(200)
      at.server.advance(Number(answers.at(-1)?.headers.get('retry-after')) + 1)
      expectError(await send({}, { authorization: basic('gateway', 'guess') }), 'invalid_client')
    })
  })

  describe('unauthorized_client', () => {
    const at = serverFor()

    it('without token exchange', async () => {
      const { description } = await at.refused({}, 'unauthorized_client', /exchange-not-enabled/, 'bystander')
      expect(description).to.include('token exchange')
    })

    it('for a client that is disabled', async () => {
      await at.refused({}, 'unauthorized_client', /client-disabled/, 'disabled')
    })
  })

  describe('unsupported_grant_type', () => {
    const at = serverFor()
    for (const grant_type of [
      'client_credentials',
      'password',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      `${tokenExchange} `,
    ]) {
      it(`for ${JSON.stringify(grant_type)}`, async () => {
        await at.refused({ grant_type }, 'unsupported_grant_type', /unknown-grant/)
      })
    }
  })

  describe('temporarily_unavailable', () => {
    let answers: (url: string) => { status: number; text: string } | Error
    const at = serverFor(
      (files, { people }) =>
        patched(files, {
          'policies/token-processors/people.json': { issuers: [{ issuer: people.issuer, jwksUri: 'https://people.example/jwks' }] },
          'policies/token-processors/opaque.json': {
            type: 'introspection',
            issuer: 'https://other.example',
            endpoint: 'https://other.example/introspect',
            clientId: 'cambist',
            clientSecret: { file: 'secrets/gateway' },
          },
          'policies/processor-policies/people.json': {
            processors: [
              ...(files['policies/processor-policies/people.json'] as { processors: object[] }).processors,
              {
                subjectTokenType: 'urn:example:opaque',
                subjectTokenProcessor: 'opaque',
                attributes: { subject: 'subject.sub', email: "'x@example.com'", groups: '[]' },
              },
            ],
          },
        }),
      {
        fetch: async url => {
          const answer = answers(url)
          if (answer instanceof Error) throw answer
          return { status: answer.status, headers: new Headers(), text: async () => answer.text }
        },
      },
    )
    const down = [
      ['cannot be reached', () => new Error('connect ECONNREFUSED 10.0.0.1:443 secret-internal-name')],
      ['answers 503', () => ({ status: 503, text: 'secret-internal-name' })],
      ['answers 404', () => ({ status: 404, text: '{"keys":[]}' })],
      ['answers something else', () => ({ status: 200, text: '<html>secret-internal-name' })],
    ] as const

    for (const [what, answer] of down) {
      it(`when a key server ${what}: that is not the caller's fault`, async () => {
        answers = answer
        const refused = await at.refused({}, 'temporarily_unavailable', /unavailable/)
        expect(Number(refused.answer.headers.get('retry-after'))).to.be.at.least(1)
        expect(refused.description).to.not.include('secret-internal-name')
        expect(refused.record.outcome).to.equal('unavailable')
      })

      it(`when a server that is to introspect ${what}`, async () => {
        answers = answer
        const { answer: refused } = await at.refused(
          { subject_token: 'opaque', subject_token_type: 'urn:example:opaque' },
          'temporarily_unavailable',
          /unavailable/,
        )
        expect(Number(refused.headers.get('retry-after'))).to.be.at.least(1)
      })
    }

    it('but not when it says that a token is not active', async () => {
      answers = () => ({ status: 200, text: '{"active":false}' })
      await at.refused({ subject_token: 'opaque', subject_token_type: 'urn:example:opaque' }, 'invalid_request', /not active/)
    })

    it('until it is up again', async () => {
      answers = () => ({ status: 200, text: JSON.stringify(at.issuers.people.jwks) })
      at.server.advance(61)
      await at.issued()
    })

    it('says what could not be reached in the record only', async () => {
      answers = () => new Error('connect ECONNREFUSED 10.0.0.1:443')
      const { record } = await at.refused(
        { subject_token: 'opaque', subject_token_type: 'urn:example:opaque' },
        'temporarily_unavailable',
        /unavailable/,
      )
      expect(record.refusal).to.include({ outage: 'the server that issued the token cannot be asked about it now' })
    })
  })

  describe('server_error', () => {
    const store = watchedStore()
    const at = serverFor(undefined, { store: store.open })

    it('is a bug of ours, and says no more than where to find it', async () => {
      store.isDown = ({ method }) => method === 'put'
      store.failure = () => new TypeError("Cannot read properties of undefined (reading 'secret-internal-name')")
      const answer = await at.exchange({ audience: 'billing' })
      store.isDown = () => false
      const { description } = expectError(answer, 'server_error')
      const reference = /reference is ([\w-]{36})/.exec(description)?.[1]
      expect(description).to.not.include('secret-internal-name')
      expect(at.lastRecord()).to.include({ outcome: 'failed', client: 'gateway', requestId: reference })
      expect(answer.headers.get('x-request-id')).to.equal(reference)
      const refusal = at.lastRecord().refusal as Record<string, unknown>
      expect(refusal).to.include({ reason: 'bug', reference, error: 'server_error' })
      expect(refusal.stack).to.include('secret-internal-name')
    })
  })

  describe('invalid_request', () => {
    const at = serverFor()

    it('for every bad token alike: in the words of RFC 8693 section 2.2.2, never invalid_grant', async () => {
      const bad = [
        'x',
        'a.b.c',
        await at.person({ aud: 'x' }),
        await at.person({ exp: 1 }),
        await at.person({ iss: 'https://x' }),
        '\u00e9',
      ]
      for (const token of bad) {
        await at.refused({ subject_token: token }, 'invalid_request', /subject-token-rejected: the subject token is refused: /)
        await at.refused(
          { actor_token: token, actor_token_type: types.jwt },
          'invalid_request',
          /actor-token-rejected: the actor token is refused: /,
        )
      }
    })

    it('never repeats a token, or anything of one', async () => {
      const marks = [
        'mark-of-iss',
        'mark-of-sub',
        'mark-of-aud',
        'mark-of-kid',
        'mark-of-typ',
        'mark-of-alg',
        'mark-of-jti',
        'mark-of-name',
      ]
      const [iss = '', sub, aud, kid, typ, alg, jti, name = ''] = marks
      const good = { sub, jti, [name]: name }
      const tokens = [
        await at.person({ ...good, aud }),
        await at.person({ ...good, iss: `https://${iss}` }),
        await at.person(good, { kid }),
        await at.person(good, { typ }),
        await at.person({ ...good, exp: name }),
        await at.person({ ...good, email: [name] }),
        await at.person({ ...good, groups: [{ [name]: name }] }),
        await at.person({ ...good, act: { sub: name, exp: name } }),
        await at.person({ ...good, may_act: { sub: name } }),
        await at.person({ ...good, cnf: name }),
        await at.person({ ...good, scope: { [name]: name } }),
        [{ alg, kid, typ }, good]
          .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.')
          .concat('.AAAA'),
        `${name} "quoted" \\ \u00fc \u0000`,
      ]
      for (const token of tokens) {
        for (const parameters of [{ subject_token: token }, { actor_token: token, actor_token_type: types.jwt }]) {
          const answer = await at.exchange(parameters)
          if (answer.status === 200) continue
          const { description } = expectError(answer, 'invalid_request')
          for (const mark of marks) expect(description).to.not.include(mark)
        }
      }
    })

    it('names what a client can act on', async () => {
      for (const [parameters, why] of [
        [{ subject_token: undefined }, /^subject_token is missing$/],
        [{ actor_token_type: types.jwt }, /actor_token_type is given without actor_token/],
        [{ requested_token_type: types.saml2 }, /requested_token_type/],
        [{ subject_token: await at.person({ exp: 1 }) }, /expired/],
        [{ subject_token: await at.person({ aud: 'x' }) }, /audience/],
      ] as const) {
        expect((await at.refused(parameters, 'invalid_request', /./)).description).to.match(why)
      }
    })
  })

  describe('whatever was sent', () => {
    const at = serverFor()

    it('have permitted characters only', async () => {
      for (const text of ['"', '\\', '\u00fc', '\u0000', '\r\nSet-Cookie: x=y', '\u{1f600}', '\ufeff', '\u2028']) {
        for (const name of [
          'grant_type',
          'subject_token',
          'subject_token_type',
          'requested_token_type',
          'resource',
          'audience',
          'scope',
          text,
        ]) {
          const answer = await at.exchange({ [name]: text })
          if (answer.status !== 200) expect(answer.json.error_description).to.match(descriptionCharacters)
        }
        const repeated = await at.exchange({ [text]: [text, text] })
        expect(expectError(repeated, 'invalid_request').description).to.match(descriptionCharacters)
      }
    })
  })
})

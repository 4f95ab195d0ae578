import { join } from 'node:path'
import { expect } from 'chai'
import { exportPKCS8 } from 'jose'
import { secretOf } from '../support/configuration.ts'
import { awkward, type Partners, startPartners, types } from './partners.ts'
import { requireProgram, run } from './tools.ts'

const python = '/usr/bin/python3'
const latin = { id: 'latin', secret: 'gr\u00fc\u00dfe-aus-m\u00fcnchen-0123456789abcdefghijklmnopqrstuvwxyz' }

describe('Python clients', function () {
  this.timeout(60_000)
  let partners: Partners
  before(async function () {
    requireProgram(this, python, ['-c', 'import authlib, requests'], 'CAMBIST_REQUIRE_PYTHON')
    partners = await startPartners(files => ({
      ...files,
      'clients/latin.json': {
        authentication: { method: 'client_secret_basic', secrets: [{ file: 'secrets/latin' }] },
        tokenExchange: { enabled: true },
      },
      'secrets/latin': latin.secret,
    }))
  })
  after(() => partners?.stop())

  async function converse(order: object): Promise<Record<string, unknown>> {
    const { code, out, complaints } = await run(python, [join(import.meta.dirname, 'authlib_client.py')], JSON.stringify(order))
    expect(code, complaints).to.equal(0)
    return JSON.parse(out)
  }
  const client = (id: string, secret: string, method: string) => ({ issuer: partners.issuer, client: id, secret, method })
  const parameters = async (more = {}) => ({ subject_token: await partners.people.sign(), subject_token_type: types.jwt, ...more })

  const methods = [
    ['client_secret_basic', awkward.id, awkward.secret],
    ['client_secret_basic', latin.id, latin.secret],
    ['client_secret_post', 'poster', secretOf('poster')],
  ] as const
  for (const [method, id, secret] of methods) {
    it(`Authlib exchanges with ${method}, as ${id}`, async () => {
      const answer = await converse({ do: 'exchange', ...client(id, secret, method), parameters: await parameters() })
      expect(answer).to.include({ token_type: 'Bearer', issued_token_type: types.accessToken })
      expect(answer).to.have.property('expires_at').which.is.a('number')
    })
  }

  it('Authlib exchanges with private_key_jwt, for the issuer but not for the token endpoint (rfc7523bis)', async () => {
    const key = await exportPKCS8(partners.signerKey)
    const order = { do: 'exchange', ...client('signer', key, 'private_key_jwt') }
    const forIssuer = await converse({ ...order, assertionAudience: partners.issuer, parameters: await parameters() })
    expect(forIssuer).to.have.property('issued_token_type', types.accessToken)
    const forEndpoint = await converse({ ...order, assertionAudience: `${partners.issuer}/token`, parameters: await parameters() })
    expect(forEndpoint).to.have.property('error', 'invalid_client')
  })

  it('Authlib names an actor, a target and a scope, introspects, revokes', async () => {
    const actor = { actor_token: await partners.agents.sign({ sub: 'agent-7' }), actor_token_type: types.jwt }
    const as = client('poster', secretOf('poster'), 'client_secret_post')
    const all = await parameters({ ...actor, audience: 'billing', scope: 'orders.read' })
    const { access_token: token } = await converse({ do: 'exchange', ...as, parameters: all })
    const known = await converse({ do: 'introspect', ...as, token })
    expect(known).to.deep.include({ active: true, act: { iss: 'https://agents.example', sub: 'agent-7' }, scope: 'orders.read' })
    expect(await converse({ do: 'revoke', ...as, token })).to.deep.equal({ status: 200 })
    expect(await converse({ do: 'introspect', ...as, token })).to.deep.equal({ active: false })
  })

  it('Authlib finds the error in a refusal', async () => {
    const order = { do: 'exchange', ...client('poster', secretOf('poster'), 'client_secret_post') }
    const answer = await converse({ ...order, parameters: await parameters({ subject_token: 'not.a.token' }) })
    expect(answer).to.have.property('error', 'invalid_request')
  })

  it('a request as google-auth makes it is answered, its options ignored and recorded', async () => {
    const order = {
      do: 'google',
      ...client(awkward.id, awkward.secret, ''),
      parameters: await parameters({ audience: 'api', scope: 'orders.read' }),
    }
    expect(await converse(order)).to.include({ status: 200, scope: 'orders.read', issued_token_type: types.accessToken })
    const [record = ''] = (await partners.server.printed('"ignoredParameters"')).slice(-1)
    expect(JSON.parse(record)).to.deep.include({ event: 'exchange', outcome: 'issued', ignoredParameters: ['options'] })
  })
})

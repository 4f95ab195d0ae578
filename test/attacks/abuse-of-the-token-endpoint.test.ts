/** Proofs of a security review: each of these fails as long as its finding is open. */
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { assertion20, audience, conditions, confirmation, makeSigner, restriction } from '../saml/forge.ts'
import { until } from '../stores/until.ts'
import { patched } from '../support/configuration.ts'
import { leavesAtMost } from '../support/memory.ts'
import { types } from '../support/oauth.ts'
import { fromAssertion, intoAssertion, samlIssuer, samlServerFor, signedActor, signedSubject, withMappings } from '../support/saml.ts'
import { serverFor } from '../support/world.ts'

const idp = makeSigner()

describe('abuse of the token endpoint', () => {
  describe('a body in chunks of one byte, before any authentication', () => {
    const at = serverFor(files => files, { journal: { write: () => undefined, written: async () => undefined } })
    it('takes no more memory than the body is long', async function () {
      this.timeout(90_000)
      const body = async () => {
        const socket = connect(Number(new URL(at.server.url).port), '127.0.0.1').on('error', () => undefined)
        socket.write(
          'POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n',
        )
        for (let sent = 0; sent < 250_000; sent += 1_000) {
          socket.write('1\r\na\r\n'.repeat(1_000))
          await new Promise(resolve => setImmediate(resolve))
        }
        await until('it is sent or cut off', () => socket.destroyed || socket.writableLength === 0)
        await pause(1_000)
        return socket
      }
      // Of live heap, for a body of 250,000 bytes.
      await leavesAtMost(5_000_000, body, socket => socket.destroy())
    })
  })

  describe('a claim with "format": "url"', () => {
    const website = { type: 'string', format: 'url' }
    const at = serverFor(files => patched(files, { 'policies/token-processors/people.json': { claims: { properties: { website } } } }))
    it('does not stop the server', async function () {
      this.timeout(60_000)
      const times: number[] = []
      for (let round = 0; round < 3; round++) {
        const subject_token = await at.person({ website: `http://${':'.repeat(20_000)}` })
        const started = process.cpuUsage().user
        await at.server.exchange({ subject_token })
        times.push((process.cpuUsage().user - started) / 1000)
      }
      // What is collected and compiled meanwhile counts too, but not each time.
      expect(Math.min(...times), 'milliseconds').to.be.below(500)
    })
  })

  describe('records', () => {
    const at = serverFor()
    it('have no token that stands in the place of its type', async () => {
      const jwt = await at.person()
      await at.server.exchange({ subject_token: 'something', subject_token_type: jwt })
      expect(JSON.stringify(at.lastRecord())).to.not.include(jwt)
    })
    it('have no token that stands in the place of the type of the actor token', async () => {
      const jwt = await at.agent()
      await at.exchange({ actor_token: 'something', actor_token_type: jwt })
      expect(JSON.stringify(at.lastRecord())).to.not.include(jwt)
    })
    it('are short, whatever is sent as a type', async () => {
      await at.server.exchange({ subject_token: 'something', subject_token_type: 'y'.repeat(200_000) })
      expect(JSON.stringify(at.lastRecord()).length).to.be.below(5_000)
    })
    it('have no reference token that lost its name', async () => {
      const reference = await at.own({ audience: 'billing' })
      await at.server.exchange({ subject_token: await at.person(), [reference]: 'x' })
      expect(JSON.stringify(at.lastRecord()).includes(reference)).to.equal(false)
    })
  })

  describe('resources', () => {
    const at = serverFor(files =>
      patched(files, {
        'policies/access-token-managers/wide.json': { resources: ['https://shop.example/'], clients: undefined },
        'policies/access-token-managers/opaque.json': { resources: ['https://shop.example/admin/'], clients: ['api'] },
      }),
    )
    for (const path of ['%61dmin/x', '/admin/x', 'x/..;/admin/x']) {
      it(`do not go round the longest match: ${path}`, async () => {
        const answer = await at.exchange({ resource: `https://shop.example/${path}` })
        expect(answer.status, answer.text).to.equal(400)
      })
    }
  })

  describe('SAML', () => {
    const at = samlServerFor(idp, files =>
      withMappings(
        patched(files, {
          'policies/token-generators/ledger-saml.json': { delegation: 'condition' },
          'policies/token-generators/home.json': {
            ...(files['policies/token-generators/ledger-saml.json'] as object),
            audience,
            subject: { recipient: `${audience}/token` },
          },
          'policies/generator-groups/home.json': { audiences: ['home'], generators: { [types.saml2]: 'home' }, default: types.saml2 },
          'policies/token-processors/home.json': {
            type: 'saml2',
            issuers: [{ entityId: samlIssuer, certificates: [{ file: 'secrets/saml.crt' }] }],
          },
        }),
        [{ subjectTokenType: 'urn:example:home', subjectTokenProcessor: 'home', attributes: fromAssertion }],
        [{ tokenGenerator: 'home', attributes: intoAssertion }],
      ),
    )
    const named = (qualifier: string) =>
      assertion20({
        id: `_${qualifier}`,
        subject: `<saml:Subject><saml:NameID NameQualifier="${qualifier}">u-1</saml:NameID>${confirmation()}</saml:Subject>`,
      })

    it('an actor whose name has another qualifier is not the subject', async () => {
      const answer = await at.exchange(signedSubject(idp, named('customers'), signedActor(idp, named('staff'))))
      expect(answer.json).to.include({ error: 'invalid_request' })
      expect(answer.json.error_description).to.include('only a qualifier tells')
    })

    it('the proxy restriction of an actor token is handed on, or the token refused', async () => {
      const restricted = assertion20({
        id: '_actor',
        subject: `<saml:Subject><saml:NameID>robot</saml:NameID>${confirmation()}</saml:Subject>`,
        conditions: conditions(`${restriction(audience)}<saml:ProxyRestriction Count="1"></saml:ProxyRestriction>`),
      })
      const answer = await at.exchange(signedSubject(idp, assertion20(), { ...signedActor(idp, restricted), audience: 'ledger' }))
      if (answer.status === 200)
        expect(Buffer.from(String(answer.json.access_token), 'base64url').toString()).to.include('ProxyRestriction')
    })

    it('a way out and back in through assertions of our own widens no scope', async () => {
      const assertion = await at.own(at.ownAs(await at.own({ scope: 'orders.read' }), { audience: 'home' }))
      const back = await at.exchange({ subject_token: assertion, subject_token_type: 'urn:example:home' })
      expect(back.json.scope).to.not.equal('orders.read orders.write')
    })
  })
})

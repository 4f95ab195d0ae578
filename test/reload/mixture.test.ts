import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { until } from '../stores/until.ts'
import type { Files } from '../support/configuration.ts'
import { ChangingServer } from './changing-server.ts'

const refused = 'configuration not reloaded; the last good one serves on'
const managerFile = 'policies/access-token-managers/api.json'
const policyFile = 'policies/processor-policies/people.json'
const clientFile = 'clients/gateway.json'

describe('reload under load', function () {
  this.timeout(180_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  for (const workers of [1, 2]) {
    it(`fails no request, and decides none by two configurations, with workers: ${workers}`, async () => {
      server = await ChangingServer.start({}, workers)
      const [manager, policy, client] = [await server.read(managerFile), await server.read(policyFile), await server.read(clientFile)]
      // Any two files of different generations refuse the exchange, or show in the token.
      const generation = (name: string, more: Files = {}) => {
        const files = {
          [managerFile]: { ...manager, audience: [`https://${name}.example`] },
          [clientFile]: { ...client, properties: { generation: name } },
          [policyFile]: {
            ...policy,
            criteria: [{ require: `context.client.generation == '${name}'`, otherwise: `a mixture with ${name}` }],
            issues: policy.issues.map((issue: { accessTokenManager: string; attributes: object }) =>
              issue.accessTokenManager === 'api' ? { ...issue, attributes: { ...issue.attributes, sub: `'${name}'` } } : issue,
            ),
          },
          ...more,
        }
        // A folder that rests with half of it would be another configuration, which this machine may be slow enough for.
        return server.checkOut(() => server.writeAll(files))
      }
      await generation('first')
      await server.reloaded()
      const answers: Array<{ aud: unknown; sub: unknown }> = []
      const failures: unknown[] = []
      let on = true
      const load = Array.from({ length: 4 }, async () => {
        while (on) {
          try {
            const { aud, sub } = await server.issued()
            answers.push({ aud, sub })
          } catch (error) {
            failures.push(error)
          }
        }
      })
      const served = (name: string) =>
        until(name, () => answers.length >= workers * 8 && answers.slice(-workers * 8).every(({ sub }) => sub === name))
      await served('first')
      for (let round = 0; round < 9; round++) {
        if (round % 3 === 2) {
          await generation(`broken-${round}`, { [policyFile]: '{ "actorToken": ' })
          await server.process.logged(refused)
        } else {
          await generation(`round-${round}`)
          await served(`round-${round}`)
        }
      }
      on = false
      await Promise.all(load)
      expect(failures).to.deep.equal([])
      expect(answers.filter(({ aud, sub }) => aud !== `https://${sub}.example`)).to.deep.equal([])
      const seen = new Set(answers.map(({ sub }) => String(sub)))
      expect([...seen]).to.have.members(['first', ...[0, 1, 3, 4, 6, 7].map(round => `round-${round}`)])
      // Each answer is in the audit record, with the version that decided it.
      const versions = new Map<unknown, Set<unknown>>()
      await until('all are recorded', () => exchanges(server).length >= answers.length)
      for (const { version, outcome } of exchanges(server)) versions.set(version, (versions.get(version) ?? new Set()).add(outcome))
      expect(versions.size).to.equal(seen.size)
      await server.expectLogged(refused, 3)
    })
  }

  describe('of what was fetched', () => {
    let issuer: Server
    let answers: boolean
    afterEach(() => issuer?.close())

    it('nothing is lost while the server that it came from is down, and nothing is kept where the settings are others', async () => {
      answers = true
      let asked = 0
      let jwks = {}
      issuer = createServer((_, response) => {
        asked++
        response.statusCode = answers ? 200 : 503
        response.end(JSON.stringify(jwks))
      }).listen(0, '127.0.0.1')
      const processorFile = 'policies/token-processors/people.json'
      server = await ChangingServer.start()
      jwks = server.people.jwks
      const processor = await server.read(processorFile)
      const jwksUri = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/jwks`
      const issuers = [{ issuer: server.people.issuer, jwksUri, allowPrivateNetwork: true }]
      await server.write(processorFile, { ...processor, issuers })
      await server.reloaded()
      await server.issued()
      answers = false
      await server.write(managerFile, { ...(await server.read(managerFile)), lifetime: '3m' })
      await server.reloaded()
      const { iat, exp } = await server.issued()
      expect(Number(exp) - Number(iat)).to.equal(180)
      expect(asked).to.equal(1)
      await server.write(processorFile, { ...processor, algorithms: ['ES256', 'RS256'], issuers })
      await server.reloaded()
      expect((await server.exchange()).status).to.equal(503)
      expect(asked).to.be.above(1)
    })
  })
})

function exchanges(server: ChangingServer): Array<Record<string, unknown>> {
  return server.process.lines.filter(line => line.includes('"event":"exchange"')).map(line => JSON.parse(line))
}

import { expect } from 'chai'
import { load, type Texts, wholeConfiguration } from './configuration.ts'

const policies = 1_000
const clients = 10_000

// Ten expressions each: six attributes, two conditions, two claims of the new token.
function policyFile(number: number): string {
  const names = ['given', 'family', 'mail', 'team', 'office']
  const contract = Object.fromEntries(names.map(name => [`${name}${number % 50}`, { type: 'string' }]))
  const attributes = Object.fromEntries(names.map(name => [`${name}${number % 50}`, `subject.email.split('@')[0] + '-${name}-${number}'`]))
  return JSON.stringify({
    actorToken: 'refused',
    contract: { subject: { type: 'string' }, ...contract },
    processors: [
      {
        subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
        subjectTokenProcessor: 'people',
        attributes: { subject: "subject.iss + '|' + subject.sub", ...attributes },
        criteria: [
          { require: `'group-${number}' in subject.groups`, otherwise: 'another group' },
          { require: `subject.email.endsWith('@example${number}.com')`, otherwise: 'another company' },
        ],
      },
    ],
    issues: [{ accessTokenManager: 'api', attributes: { sub: 'policy.subject', email: `policy.mail${number % 50}` } }],
  })
}

function clientFile(number: number): string {
  return JSON.stringify({
    authentication: {
      method: 'client_secret_basic',
      secrets: [{ hash: `sha256$${Buffer.alloc(32, number % 256).toString('base64url')}` }],
    },
    tokenExchange: { enabled: true, processorPolicy: `policy-${number % policies}`, accessTokenManagers: ['api'] },
    scopes: ['orders.read'],
  })
}

describe('a large configuration', () => {
  it(`of ${policies} policies and ${clients} clients is loaded`, async function () {
    this.timeout(120_000)
    const files: Record<string, Texts[string]> = await wholeConfiguration()
    for (let number = 0; number < policies; number++) files[`policies/processor-policies/policy-${number}.json`] = policyFile(number)
    for (let number = 0; number < clients; number++) files[`clients/client-${number}.json`] = clientFile(number)
    const { server, warnings } = await load(files)
    expect(server.clients.size).to.equal(clients + 3)
    expect(server.clients.get('client-1234')?.tokenExchange.policy?.id).to.equal('policy-234')
    expect(server.clients.get('client-9999')?.tokenExchange.policy?.criteria).to.deep.equal([])
    expect(warnings).to.deep.equal([])
  })
})

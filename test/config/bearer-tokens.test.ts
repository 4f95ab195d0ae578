import { expect } from 'chai'
import { digestSecret } from '../../src/clients/secrets.ts'
import { problemsOf, replaced, wholeConfiguration } from './configuration.ts'

describe('bearer tokens of server.json', () => {
  async function problemsWith(token: string): Promise<readonly string[]> {
    const whole = await wholeConfiguration()
    const server = replaced(
      whole['server.json'] ?? '',
      '"workers": 1',
      '"workers": 1, "metrics": { "bearer": { "file": "secrets/metrics" } }',
    )
    return problemsOf({ ...whole, 'server.json': server, 'secrets/metrics': token })
  }

  it('have 16 characters', async () => {
    expect(await problemsWith('0123456789abcdef')).to.deep.equal([])
    expect(await problemsWith('0123456789abcde')).to.deep.equal([
      'server.json:5:30 metrics.bearer: a bearer token has at least 16 characters',
    ])
  })

  it('open one door each', async () => {
    const whole = await wholeConfiguration()
    const bearer = '"bearer": { "file": "secrets/both" }'
    const server = replaced(whole['server.json'] ?? '', '"workers": 1', `"workers": 1, "metrics": { ${bearer} }, "admin": { ${bearer} }`)
    expect(await problemsOf({ ...whole, 'server.json': server, 'secrets/both': '0123456789abcdef' })).to.deep.equal([
      'server.json:5:81 admin.bearer: is the same token for metrics and for administrators: let each have one of its own',
    ])
  })

  it('are no secret of a client', async () => {
    const secret = 'a-secret-of-more-than-32-characters'
    const client = (written: string) => `{ "authentication": { "method": "client_secret_post", "secrets": [${written}] } }`
    const server = replaced(
      (await wholeConfiguration())['server.json'] ?? '',
      '"workers": 1',
      '"workers": 1, "admin": { "bearer": { "file": "secrets/shared" } }',
    )
    for (const written of ['{ "file": "secrets/shared" }', `{ "hash": "${digestSecret(secret).text}" }`]) {
      const files = {
        ...(await wholeConfiguration()),
        'server.json': server,
        'secrets/shared': secret,
        'clients/twin.json': client(written),
      }
      expect(await problemsOf(files)).to.deep.equal([
        'server.json:5:28 admin.bearer: is the secret of clients/twin.json too: let each have one of its own',
      ])
    }
  })
})

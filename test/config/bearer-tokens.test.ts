import { expect } from 'chai'
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
})

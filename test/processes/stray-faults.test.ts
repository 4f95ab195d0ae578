import { expect } from 'chai'
import { packageFiles, processorCode } from '../plugins/packages.ts'
import { ChangingServer } from '../reload/changing-server.ts'
import { tokenExchange } from '../support/oauth.ts'

const legacy = 'urn:acme:legacy'
const body = `
  if (token.startsWith('rejects')) Promise.reject(new Error('cannot read ' + token))
  if (token.startsWith('throws-busy')) for (let each = 0; each < 4; each++) pbkdf2(token, token, 400_000, 64, 'sha512', () => {})
  if (token.startsWith('throws')) setTimeout(() => { throw new TypeError('cannot read ' + token) })
  return good`

describe('a fault of a plug-in that nobody can catch', function () {
  this.timeout(120_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  const start = (workers: number) =>
    ChangingServer.start(
      {
        ...packageFiles('@acme/old', processorCode('legacy', body, { before: "import { pbkdf2 } from 'node:crypto'" })),
        'server.json': { plugins: ['@acme/old'] },
        'policies/token-processors/old.json': { type: 'legacy', once: false },
        'policies/processor-policies/people.json': {
          processors: [
            {
              subjectTokenType: legacy,
              subjectTokenProcessor: 'old',
              attributes: { subject: 'subject.user', email: "'a@b.example'", groups: '[]' },
            },
          ],
        },
      },
      workers,
    )
  const send = (subject_token: string) => server.post('/token', { grant_type: tokenExchange, subject_token, subject_token_type: legacy })

  it('does not end the process where it is a promise, and says where it was made without what it says', async () => {
    server = await start(1)
    expect((await send('rejects-secret')).status).to.equal(400)
    const { level, stack } = await server.process.logged('a promise was rejected that nobody waits for')
    expect(level).to.equal(50)
    expect(stack).to.match(/^Error\n {4}at .*@acme\/old\/index\.js/)
    expect((await send('rejects-secret')).status).to.equal(400)
    expect(await server.process.stop()).to.equal(0)
    expect(server.process.lines.join()).not.to.contain('rejects-secret')
  })

  it('ends the process when it has said why, also where every thread that writes is busy', async () => {
    server = await start(1)
    await send('throws-busy-secret').catch(() => undefined)
    expect(await server.process.ended).to.equal(1)
    await server.expectLogged('a fault that nobody could catch; this process ends', 1)
  })

  it('ends a worker where nobody knows what state it is in, and another one takes its place', async () => {
    server = await start(2)
    await send('throws-secret').catch(() => undefined)
    const { stack } = await server.process.logged('a fault that nobody could catch; this process ends')
    expect(stack).to.match(/^TypeError\n {4}at .*@acme\/old\/index\.js/)
    await server.process.logged('listening')
    expect((await server.ready()).status).to.equal(200)
    expect(await server.process.stop()).to.equal(0)
    expect(server.process.lines.join()).not.to.contain('throws-secret')
  })
})

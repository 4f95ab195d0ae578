import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { awkward, grant, type Partners, startPartners, types } from './partners.ts'
import { requireProgram, run } from './tools.ts'

describe('curl', () => {
  let partners: Partners
  let folder: string
  before(async function () {
    requireProgram(this, 'curl', ['--version'], 'CAMBIST_REQUIRE_CURL')
    partners = await startPartners()
    folder = await mkdtemp(join(tmpdir(), 'cambist-curl-'))
  })
  after(async () => {
    await partners?.stop()
    if (folder !== undefined) await rm(folder, { recursive: true })
  })

  const credentials = ['-u', `${awkward.id}:${awkward.secret}`]

  async function curl(...args: string[]) {
    const { code, out, complaints } = await run('curl', [
      '-sS',
      '--max-time',
      '20',
      '-w',
      '\n%{http_code}',
      ...args,
      `${partners.issuer}/token`,
    ])
    expect(code, complaints).to.equal(0)
    const [body = '', status] = out.split(/\n(?=\d+$)/)
    return { status: Number(status), answer: JSON.parse(body) as Record<string, unknown> }
  }

  const form = async () => ({ grant_type: grant, subject_token_type: types.jwt, subject_token: await partners.people.sign() })
  const pairs = (flag: string, parameters: Record<string, string>) =>
    Object.entries(parameters).flatMap(([name, value]) => [flag, `${name}=${value}`])

  function expectIssued({ status, answer }: Awaited<ReturnType<typeof curl>>) {
    expect(status).to.equal(200)
    expect(answer).to.include({ issued_token_type: types.accessToken, token_type: 'Bearer' })
  }

  it('-u, which encodes nothing, and -d', async () => {
    expectIssued(await curl(...credentials, ...pairs('-d', await form())))
  })

  it('--data-urlencode', async () => {
    expectIssued(
      await curl(...credentials, ...pairs('--data-urlencode', { ...(await form()), resource: 'https://api.example.com/a?b=c&d=e+f' })),
    )
  })

  it('waits for 100 Continue and gets it', async () => {
    const { out } = await run('curl', [
      ...['-sSi', '--max-time', '20', '--expect100-timeout', '15', '-H', 'Expect: 100-continue'],
      ...[...credentials, ...pairs('-d', await form()), `${partners.issuer}/token`],
    ])
    expect(out).to.match(/^HTTP\/1\.1 100 Continue\r\n/)
    expect(out).to.match(/\r\nHTTP\/1\.1 200 OK\r\n/)
  })

  it('sends the body in chunks', async () => {
    const file = join(folder, 'body')
    await writeFile(file, new URLSearchParams(await form()).toString())
    expectIssued(await curl(...credentials, '-H', 'Transfer-Encoding: chunked', '--data-binary', `@${file}`))
  })

  it('with the credentials in the body', async () => {
    const { status, answer } = await curl(
      ...pairs('--data-urlencode', { ...(await form()), client_id: awkward.id, client_secret: awkward.secret }),
    )
    expect({ status, error: answer.error }, 'a client of another method').to.deep.equal({ status: 401, error: 'invalid_client' })
    const both = await curl(...credentials, ...pairs('--data-urlencode', { ...(await form()), client_secret: awkward.secret }))
    expect({ status: both.status, error: both.answer.error }, 'two methods').to.deep.equal({ status: 400, error: 'invalid_request' })
  })

  it('--json and -F are refused: forms only', async () => {
    for (const other of [['-H', 'Content-Type: application/json', '-d', JSON.stringify(await form())], pairs('-F', await form())]) {
      const { status, answer } = await curl(...credentials, ...other)
      expect({ status, error: answer.error }).to.deep.equal({ status: 400, error: 'invalid_request' })
    }
  })

  it('--get, with everything in the address, is refused', async () => {
    const { out } = await run('curl', [
      '-sSi',
      '--max-time',
      '20',
      ...credentials,
      '--get',
      ...pairs('-d', await form()),
      `${partners.issuer}/token`,
    ])
    expect(out).to.match(/^HTTP\/1\.1 405 /)
    expect(out).to.match(/\r\nallow: POST\r\n/i)
  })
})

import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Explanation } from '../../src/explain/explanation.ts'
import { messageOf } from '../sts/asking.ts'
import { types } from '../support/oauth.ts'
import { sampleFolder } from '../support/sample.ts'
import { cambist, patience } from './run.ts'

// Whoever makes a token may want to move the cursor, to begin a line of his own, or to turn the rest around.
const hostile = 'a\u001b[2J\u009b1m\nwould issue all\u202e'

describe('cambist explain', function () {
  this.timeout(patience)

  let folder: string
  let remove: () => Promise<void>
  before(async () => {
    ;({ folder, remove } = await sampleFolder())
    for (const [file, ...args] of [
      ['alice'],
      ['old', '--seconds=-60'],
      ['robot', '--agent'],
      ['hostile', '--subject', hostile],
      ['assertion', '--type', 'saml2'],
    ]) {
      const { output } = await cambist(['token', '--config', folder, ...args])
      writeFileSync(join(folder, `${file}.token`), output)
    }
  })
  after(() => remove())

  const tokenIn = (name: string) => join(folder, `${name}.token`)
  const explain = (...args: string[]) => cambist(['explain', '--config', folder, ...args])
  const ofAlice = ['--client', 'sample', '--subject-token-type', 'jwt', '--subject-token']

  async function explained(...args: string[]): Promise<Explanation & { code: number | null }> {
    const { code, output } = await explain('--json', ...args)
    return { code, ...(JSON.parse(output) as Explanation) }
  }

  it('tells each step, and the token without a signature', async () => {
    const { code, outcome, steps, token } = await explained(...ofAlice, tokenIn('alice'))
    expect({ code, outcome }).to.deep.equal({ code: 0, outcome: 'issued' })
    expect(steps.map(({ step }) => step)).to.deep.equal([
      ...['read-form', 'authenticate-client', 'check-grant', 'read-request', 'select-policy', 'select-mapping', 'select-target'],
      ...['process-tokens', 'delegate', 'fulfil-contract', 'check-criteria', 'grant-scope', 'map-attributes', 'use-once', 'generate-token'],
    ])
    expect(token?.claims).to.include({ sub: 'alice', client_id: 'sample', scope: 'orders.read' })
    expect(JSON.stringify({ steps, token })).to.not.match(/eyJ/)
  })

  it('tells the value of each expression and criterion, with its place', async () => {
    const { steps } = await explained(...ofAlice, tokenIn('alice'))
    const policy = 'policies/processor-policies/people.json'
    expect(steps.find(({ step }) => step === 'fulfil-contract')?.expressions?.[1]).to.deep.equal({
      attribute: 'email',
      expression: 'subject.email',
      value: 'alice@example.com',
      setting: `${policy} processors[0].attributes.email`,
    })
    expect(steps.find(({ step }) => step === 'check-criteria')?.criteria?.[0]).to.include({
      require: 'subject.email_verified',
      holds: true,
      mode: 'enforce',
      setting: `${policy} processors[0].criteria[0].require`,
    })
  })

  it('shows an assertion readably, and no signature', async () => {
    const { code, output } = await explain(...ofAlice, tokenIn('alice'), '--audience', 'ledger')
    expect(code).to.equal(0)
    expect(output).to.match(/^ {4}<saml:NameID Format="[^"]+">alice@example\.com<\/saml:NameID>$/m)
    expect(output).to.not.match(/SignatureValue/)
  })

  it('lets no token write to the terminal as it likes', async () => {
    const { output } = await explain(...ofAlice, tokenIn('hostile'))
    expect(output).to.include('subject: a\\u001b[2J\\u009b1m\\nwould issue all\\u202e')
    expect(['\u001b', '\u009b', '\u202e', '\nwould issue all'].filter(each => output.includes(each))).to.deep.equal([])
  })

  it('takes an actor, and an assertion as the subject', async () => {
    const actor = ['--actor-token', tokenIn('robot'), '--actor-token-type', types.jwt]
    const { token } = await explained(...ofAlice, tokenIn('alice'), ...actor)
    expect(token?.claims?.act).to.deep.equal({ iss: 'https://agents.sample.example', sub: 'agent-7' })
    expect(await explained('--client', 'sample', '--subject-token', tokenIn('assertion'), '--subject-token-type', 'saml2')).to.include({
      outcome: 'issued',
    })
  })

  const refusals: Array<[what: string, args: string[], expected: RegExp]> = [
    [
      'an expired token',
      [...ofAlice, 'old'],
      /refused at delegate.*has expired.*to change: policies\/token-processors\/sample-people\.json:\d+:\d+ clockSkew/s,
    ],
    ['a scope', [...ofAlice, 'alice', '--scope', 'admin'], /refused at grant-scope.*to change: clients\/sample\.json:\d+:\d+ scopes/s],
    [
      'a client that is not there',
      ['--client', 'nobody', '--subject-token', 'alice'],
      /refused at authenticate-client.*there is no such client.*to change: clients\/nobody\.json/s,
    ],
    ['a target', [...ofAlice, 'alice', '--audience', 'x'], /refused at select-target.*"audiences" of an access token manager/s],
    [
      'a pair of types',
      [...ofAlice, 'alice', '--subject-token-type', 'urn:x'],
      /✗ processors\[0\].*refused at select-mapping.*people\.json:\d+:\d+ processors/s,
    ],
    ['a request that is half', ['--client', 'sample'], /refused at read-request.*subject_token is missing.*to change: the request/s],
  ]
  for (const [what, args, expected] of refusals) {
    it(`tells what to change where ${what} is refused`, async () => {
      const { code, output, complaints } = await explain(...args.map(arg => (['alice', 'old'].includes(arg) ? tokenIn(arg) : arg)))
      expect({ code, complaints }).to.deep.equal({ code: 1, complaints: '' })
      expect(output).to.match(expected)
    })
  }

  it('checks the credentials of a form, where no client is named', async () => {
    const form = join(folder, 'request.form')
    const body = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_id: 'sample', client_secret: 'wrong' }
    writeFileSync(form, new URLSearchParams(body).toString())
    const { outcome, refusal } = await explained('--form', form)
    expect(outcome).to.equal('refused')
    expect(refusal).to.include({ step: 'authenticate-client', error: 'invalid_client', setting: 'clients/sample.json authentication' })
  })

  it('leaves no trace', async () => {
    const before = readdirSync(folder, { recursive: true }).sort()
    await explain(...ofAlice, tokenIn('alice'))
    expect(readdirSync(folder, { recursive: true }).sort()).to.deep.equal(before)
  })

  it('wants to know who asks', async () => {
    const { code, complaints } = await explain('--subject-token', tokenIn('alice'))
    expect(code).to.equal(2)
    expect(complaints).to.match(/say which client asks/)
  })

  it('says which file cannot be read', async () => {
    const { code, complaints } = await explain(...ofAlice, join(folder, 'missing.jwt'))
    expect(code).to.equal(2)
    expect(complaints).to.match(/missing\.jwt cannot be read \(ENOENT\)/)
  })

  it('takes a certificate in PEM only', async () => {
    const { code, complaints } = await explain('--certificate', tokenIn('alice'), ...ofAlice, tokenIn('alice'))
    expect(code).to.equal(2)
    expect(complaints).to.match(/alice\.token has no certificate that can be read: it must be PEM/)
  })

  it('explains a WS-Trust message, and does not mix it with a form', async () => {
    const { output } = await cambist(['token', '--config', folder, '--type', 'saml2', '--audience', 'https://sts.sample.example'])
    const subject = Buffer.from(output.trim(), 'base64url').toString()
    const file = join(folder, 'message.xml')
    writeFileSync(file, messageOf({ soap: '1.2', subject, appliesTo: 'http://localhost:3002/ledger/ws' }))
    const { code, outcome, steps, token: issued } = await explained('--message', file, '--client', 'sample')
    expect({ code, outcome }).to.deep.equal({ code: 0, outcome: 'issued' })
    expect(steps.find(({ step }) => step === 'select-policy')?.result).to.equal('policies/idp-connections/sample-idp.json')
    expect(issued?.xml).to.include('alice@example.com')
    writeFileSync(file, messageOf({ operation: 'Validate', subject }))
    expect(await explained('--message', file, '--client', 'sample')).to.include({ code: 0, outcome: 'validated' })
    writeFileSync(file, messageOf({ operation: 'Validate', subject: subject.replace('alice', 'alicE') }))
    expect((await explained('--message', file, '--client', 'sample')).refusal?.reason).to.equal('subject-token-rejected')

    for (const wrong of [
      ['--message', file, '--scope', 'x'],
      ['--client', 'sample', '--connection', 'x'],
      ['--message', file, '--form', file],
    ])
      expect((await explain(...wrong)).code, wrong.join(' ')).to.equal(2)
  })
})

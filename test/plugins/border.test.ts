import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { Outage, TokenRejected } from '../../src/oauth/errors.ts'
import { called, calledAtOnce, NotExpressible } from '../../src/plugins/border.ts'
import { checkedProof } from '../../src/plugins/facts.ts'
import { PluginFault } from '../../src/plugins/fault.ts'
import type { Files } from '../support/configuration.ts'
import { expectError, serverFor } from '../support/world.ts'
import { packageFiles, processorCode } from './packages.ts'

const tokenType = 'urn:acme:legacy'
const policy = 'policies/processor-policies/people.json'

/** What the processor does, by the first word of a token. `token` is a secret. */
const behaviours: Readonly<Record<string, string>> = {
  good: 'return good',
  rejects: "throw new TokenRejected('it is too old', { member: 'maxAge', cause: new Error(token) })",
  'rejects-aloud': "throw new TokenRejected('no such token: ' + token)",
  outage: "throw new Outage('the old portal is down', new Error(token), 7)",
  'outage-aloud': "throw new Outage('nothing is known of ' + token)",
  throws: "throw new TypeError('cannot read ' + token + '\\n    at secret (' + token + ':1:2)')",
  'throws-text': 'throw token',
  nothing: 'return undefined',
  text: 'return token',
  'no-issuer': '({ issuer, ...rest } = good); return rest',
  'other-issuer': "return { ...good, issuer: 'urn:other' }",
  'own-issuer': "return { ...good, issuer: 'https://sts.example.com' }",
  'empty-subject': "return { ...good, subject: '' }",
  'half-a-letter': "return { ...good, subject: '\\ud800' }",
  'audience-text': "return { ...good, audiences: 'https://sts.example.com' }",
  'misspelt-end': 'return { ...good, expiresAt: undefined, expiresAtt: 4e9 }',
  'end-in-milliseconds': 'return { ...good, expiresAt: 4e12 }',
  'end-not-a-number': 'return { ...good, expiresAt: NaN }',
  'end-as-text': "return { ...good, expiresAt: '4000000000' }",
  'forgotten-key': "return { ...good, attributes: { user: 'x', cnf: { jkt: 'x' } } }",
  'no-end': 'return { ...good, expiresAt: undefined }',
  ancestors: "return { ...good, ancestors: ['x'] }",
  client: "return { ...good, clientId: 'gateway' }",
  'no-json': 'return { ...good, attributes: { user: 1n } }',
  getter: 'return { ...good, get subject() { throw new Error(token) } }',
  'other-type': 'return { ...good, attributes: { user: 7 } }',
  endless: 'const attributes = {}; attributes.user = attributes; return { ...good, attributes }',
}
const dispatch = Object.entries(behaviours).map(([name, code]) => `case '${name}': { ${code} }`)
const body = `let issuer, rest; switch (token.split('.')[0]) { ${dispatch.join('\n')} }`

function withPlugin(files: Files): Files {
  const server = files['server.json'] as object
  const people = files[policy] as { processors: object[] }
  const mapping = {
    subjectTokenType: tokenType,
    subjectTokenProcessor: 'old',
    attributes: { subject: 'subject.user', email: "'a@b.example'", groups: '[]' },
  }
  return {
    ...files,
    ...packageFiles('@acme/old', processorCode('legacy', body, { assume: 'return good' })),
    'server.json': { ...server, plugins: ['@acme/old'] },
    'policies/token-processors/old.json': { type: 'legacy', once: false },
    [policy]: { ...people, processors: [...people.processors, mapping] },
  }
}

const tokenThat = (does: string) => `${does}.${randomBytes(24).toString('hex')}`

describe('a token processor of a plug-in', () => {
  const world = serverFor(withPlugin)
  const exchange = (does: string) => world.exchange({ subject_token: tokenThat(does), subject_token_type: tokenType })
  const refusal = () => world.lastRecord().refusal as Record<string, unknown>

  it('takes part in an exchange as one of our own', async () => {
    const answer = await exchange('good')
    expect(answer.status, answer.text).to.equal(200)
    expect(world.lastRecord()).to.deep.include({ outcome: 'issued' })
  })

  it('refuses a token in its own words, with the setting', async () => {
    const { description } = expectError(await exchange('rejects'), 'invalid_request')
    expect(description).to.equal('the subject token is refused: it is too old')
    expect(refusal()).to.deep.include({ reason: 'subject-token-rejected', setting: 'policies/token-processors/old.json maxAge' })
  })

  it('cannot repeat a token in its refusal', async () => {
    expect(expectError(await exchange('rejects-aloud'), 'invalid_request').description).to.equal(
      'the subject token is refused: it is not acceptable',
    )
  })

  it('refuses a token without an end, whatever the plug-in thinks of it', async () => {
    expect(expectError(await exchange('no-end'), 'invalid_request').description).to.include('does not say when it ends')
    expect(refusal().setting).to.equal('policies/token-processors/old.json expiry')
  })

  for (const does of ['outage', 'outage-aloud']) {
    it(`says that it could not find out: ${does}`, async () => {
      const answer = await exchange(does)
      expectError(answer, 'temporarily_unavailable')
      expect(answer.headers.get('retry-after')).to.equal(does === 'outage' ? '7' : '5')
    })
  }

  it('refuses a token that says what the processor has not declared', async () => {
    const { description } = expectError(await exchange('other-type'), 'invalid_request')
    expect(description).to.equal(
      'the subject token is refused: what it says is not what its processor declares: attributes.user must be string',
    )
  })

  const peaceful = ['other-type', 'good', 'rejects', 'rejects-aloud', 'no-end', 'outage', 'outage-aloud']
  for (const does of Object.keys(behaviours).filter(name => !peaceful.includes(name))) {
    it(`fails closed: ${does}`, async () => {
      expectError(await exchange(does), 'server_error')
      expect(world.lastRecord()).to.deep.include({ outcome: 'failed' })
      // That no record has the token in it, the world itself verifies in the end.
      expect(refusal().stack).to.match(/^PluginFault: the plug-in type "legacy" of @acme\/old \(policies\/token-processors\/old\.json\) /)
      expect(refusal().stack).not.to.include('secret (')
    })
  }
})

describe('the border of plug-ins', () => {
  const border = { plugin: 'the plug-in', milliseconds: 50 }
  const failureOf = (run: () => Promise<unknown>) =>
    called(border, 'process', '', run).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('does not wait for what never comes', async () => {
    const error = await failureOf(() => new Promise(() => undefined))
    expect(error).to.be.instanceOf(PluginFault).with.property('message', 'the plug-in broke the promise of process(): no answer for 50 ms')
  })

  it('lets pass what is documented, and nothing else', async () => {
    for (const error of [new TokenRejected('no'), new Outage('down')]) {
      expect(await failureOf(() => Promise.reject(error)))
        .to.be.instanceOf(error.constructor as never)
        .with.property('message', error.message)
    }
    expect(await failureOf(() => Promise.reject(new NotExpressible('too long')))).to.be.instanceOf(NotExpressible)
    for (const error of [new Error('x'), 'x', undefined, null, Object.assign(new Error('x'), { name: 'TokenRejected' })]) {
      expect(await failureOf(() => Promise.reject(error))).to.be.instanceOf(PluginFault)
    }
    expect(() => calledAtOnce(border, 'assume', '', () => JSON.parse('{'))).to.throw(
      PluginFault,
      'the plug-in threw SyntaxError in assume()',
    )
  })

  it('hands on a copy, which the plug-in cannot change afterwards', () => {
    const stated = { issuer: 'a', subject: 'b', audiences: ['c'], attributes: { groups: ['x'] } }
    const proof = checkedProof({ plugin: 'the plug-in', call: 'process' }, stated)
    stated.attributes.groups.push('admin')
    stated.audiences.push('d')
    expect(proof).to.deep.equal({ issuer: 'a', subject: 'b', audiences: ['c'], attributes: { groups: ['x'] } })
  })
})

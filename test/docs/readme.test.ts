import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { exchange } from '../../src/exchange/exchange.ts'
import { noEvidence } from '../../src/exchange/possession.ts'
import { Form } from '../../src/http/form.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { AuditEntry } from '../../src/observe/audit-entry.ts'
import { mintSampleToken } from '../../src/sample/sample-token.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { repository, sampleFolder } from '../support/sample.ts'

const policyFile = 'policies/processor-policies/people.json'

async function blocks(language: string): Promise<string[]> {
  const readme = await readFile(join(repository, 'README.md'), 'utf8')
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, block = '']) => block)
}

async function load(folder: string) {
  const now = () => Date.now() / 1000
  const outside = {
    fetch: guardedFetch(),
    effects: undefined,
    now,
    store: memoryStore(now),
    log: pino({ level: 'silent' }),
    random: randomBytes,
  }
  return buildConfiguration(await parseConfiguration(await readSources(folder), folder, {}), outside)
}

async function exchangeInFolder(folder: string, more: Record<string, string> = {}) {
  const { server } = await load(folder)
  const token = await mintSampleToken(folder, { of: 'person', subject: 'alice', audience: server.issuer, seconds: 60 })
  const secret = (await readFile(join(folder, 'keys/sample-client.secret'), 'utf8')).trim()
  const parameters = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: token,
    ...more,
  }
  const form = new Form(new Map(Object.entries(parameters)), new Map([['resource', ['http://localhost:3001/orders/']]]))
  const credentials = { method: 'client_secret_basic', candidates: [{ clientId: 'sample', secret }] } as const
  return exchange(server, { credentials, form, clientIp: '127.0.0.1', evidence: noEvidence }, new AuditEntry())
}

describe('README.md', () => {
  it('shows the token that its curl gives', async () => {
    const [decoded = ''] = await blocks('json')
    const { folder, remove } = await sampleFolder()
    try {
      const answer = await exchangeInFolder(folder)
      const claims = decodeJwt(answer.access_token)
      const shown = JSON.parse(decoded) as Record<string, unknown>
      expect(Object.keys(claims)).to.deep.equal(Object.keys(shown))
      const { iat, exp, jti, ...fixed } = claims
      expect(shown).to.deep.include(fixed)
      expect(answer).to.include({ token_type: 'Bearer', scope: 'orders.read' })
      expect(Number(shown.exp) - Number(shown.iat)).to.equal(600)
    } finally {
      await remove()
    }
  })

  it('names the agent as it says', async () => {
    const { folder, remove } = await sampleFolder()
    try {
      const agent = await mintSampleToken(folder, { of: 'agent', subject: 'agent-7', audience: 'http://localhost:3000', seconds: 60 })
      const answer = await exchangeInFolder(folder, { actor_token: agent, actor_token_type: 'urn:ietf:params:oauth:token-type:jwt' })
      expect(decodeJwt(answer.access_token).act).to.deep.equal({ iss: 'https://agents.sample.example', sub: 'agent-7' })
    } finally {
      await remove()
    }
  })

  it('shows a policy that works', async () => {
    const [, policy = ''] = await blocks('json')
    const { folder, remove } = await sampleFolder({ [policyFile]: policy })
    try {
      expect((await exchangeInFolder(folder)).token_type).to.equal('Bearer')
    } finally {
      await remove()
    }
  })

  it('quotes the message for a mistake in it', async () => {
    const [, policy = ''] = await blocks('json')
    const readme = await readFile(join(repository, 'README.md'), 'utf8')
    const { folder, remove } = await sampleFolder({ [policyFile]: policy.replace('"subject.email"', '"subject.emial"') })
    try {
      const error = await load(folder).catch((problem: unknown) => problem)
      expect(error).to.be.instanceOf(ConfigError)
      expect(readme).to.include((error as ConfigError).message)
    } finally {
      await remove()
    }
  })

  it('links to files that are there', async () => {
    const readme = await readFile(join(repository, 'README.md'), 'utf8')
    for (const [, link = ''] of readme.matchAll(/\]\(([^)#]+)\)/g))
      await readFile(join(repository, link)).catch((error: NodeJS.ErrnoException) => expect(error.code, link).to.equal('EISDIR'))
  })
})

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect } from 'chai'
import { pino } from 'pino'
import { hashSecret } from '../../src/clients/secrets.ts'
import { parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import { ThisProcess } from '../../src/processes/this-process.ts'
import type { Server as Configured } from '../../src/server.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type Files, makeIssuers, patched, secretOf, usualFiles, writeFiles } from '../support/configuration.ts'

describe('what this process serves', () => {
  let usual: Files
  before(async () => {
    usual = await usualFiles(await makeIssuers())
  })

  const now = () => Date.now() / 1000
  function site(handlerOf: (server: Configured) => (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
    return new ThisProcess(
      { fetch: guardedFetch(), effects: undefined, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes },
      server => ({ clients: handlerOf(server), administrators: undefined }),
    )
  }
  async function parsed(files: Files) {
    const { folder, remove } = await writeFiles(files)
    try {
      return { parsed: await parseConfiguration(await readSources(folder), folder, {}) }
    } finally {
      await remove()
    }
  }
  const withIssuer = (issuer: string) => parsed(patched(usual, { 'server.json': { issuer } }))

  it('answers a request on the configuration that it began on', async () => {
    const begun: Array<() => void> = []
    const answered: string[] = []
    const at = site(server => async () => {
      await new Promise<void>(resolve => begun.push(resolve))
      answered.push(server.issuer)
    })
    const ask = () => at.listener({} as IncomingMessage, {} as never)
    ;(await at.prepare(await withIssuer('https://one.example'))).use()
    ask()
    const prepared = await at.prepare(await withIssuer('https://two.example'))
    ask()
    prepared.use()
    ask()
    for (const go of begun.reverse()) go()
    await new Promise(resolve => setImmediate(resolve))
    expect(answered).to.deep.equal(['https://two.example', 'https://one.example', 'https://one.example'])
    expect(at.settings.issuer).to.equal('https://two.example')
  })

  it('knows a secret that was proved against a slow hash, as long as the hash is the same', async () => {
    const secret = secretOf('gateway')
    const hash = async () => (await hashSecret(secret, randomBytes)).text
    const withHash = (text: string, issuer: string) =>
      parsed(
        patched(usual, {
          'server.json': { issuer },
          'clients/gateway.json': { authentication: { method: 'client_secret_basic', secrets: [{ hash: text }] } },
        }),
      )
    const first = await hash()
    const servers: Configured[] = []
    const at = site(server => {
      servers.push(server)
      return async () => {}
    })
    const authenticate = async () => {
      const presented = { method: 'client_secret_basic', candidates: [{ clientId: 'gateway', secret }] } as const
      const authenticating = servers.at(-1)?.authenticator.authenticate(presented, '192.0.2.1')
      // What is known is known in a few turns of promises; of scrypt, which runs in another thread, nobody hears as long as there are any.
      const turns = Array.from({ length: 100 }).reduce<Promise<unknown>>(before => before.then(() => undefined), Promise.resolve())
      const quick = await Promise.race([authenticating?.then(() => 'at once'), turns.then(() => 'slowly')])
      await authenticating
      return quick
    }
    ;(await at.prepare(await withHash(first, 'https://one.example'))).use()
    expect(await authenticate()).to.equal('slowly')
    expect(await authenticate()).to.equal('at once')
    ;(await at.prepare(await withHash(first, 'https://two.example'))).use()
    expect(await authenticate()).to.equal('at once')
    ;(await at.prepare(await withHash(await hash(), 'https://two.example'))).use()
    expect(await authenticate()).to.equal('slowly')
  })
})

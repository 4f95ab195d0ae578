import { request as httpRequest } from 'node:http'
import { expect } from 'chai'
import { pino } from 'pino'
import { redisStore } from '../../src/stores/redis.ts'
import { anyRedis, requireAnyRedis } from '../real/redis.ts'
import { secretOf, usualFiles, writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { makeIssuer } from '../support/issuer.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { basic, encodeForm } from '../support/running-server.ts'
import { type ServerProcess, startProcess } from '../support/server-process.ts'
import { expectError, World } from '../support/world.ts'
import { exchangeWith, Holder } from './holder.ts'

describe('the same DPoP proof', () => {
  it('is taken by one machine of two that share Redis', async function () {
    requireAnyRedis(this)
    const redis = await anyRedis()
    const worlds = [new World(), new World()]
    try {
      for (const world of worlds)
        await world.start(files => files, { store: () => redisStore({ url: redis.url }, pino({ level: 'silent' })) })
      const [one, other] = worlds as [World, World]
      const holder = await Holder.make()
      for (let round = 0; round < 5; round++) {
        const proof = await holder.proof(one.server.now())
        const answers = await Promise.all([exchangeWith(one, proof), exchangeWith(other, proof), exchangeWith(other, proof)])
        expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400])
        for (const answer of answers.filter(({ status }) => status === 400)) expectError(answer, 'invalid_dpop_proof')
      }
    } finally {
      for (const world of worlds) await world.server.close()
      await redis.stop()
    }
  })

  describe('at two workers over the embedded store', function () {
    this.timeout(120_000)
    let server: ServerProcess
    let remove: () => Promise<void>
    let issuer: string
    let person: () => Promise<string>
    before(async () => {
      const port = await freePort()
      issuer = `http://127.0.0.1:${port}`
      const people = await makeIssuer('https://people.example', issuer)
      const files = await usualFiles({ people, agents: await makeIssuer('https://agents.example', issuer) })
      const store = { type: 'embedded', path: 'data' }
      const settings = {
        ...(files['server.json'] as object),
        issuer,
        listen: { host: '127.0.0.1', port },
        store,
        workers: 2,
        dpop: { nonce: 'required' },
      }
      const written = await writeFiles({ ...files, 'server.json': settings })
      remove = written.remove
      person = () => people.sign()
      server = await startProcess(written.folder, { workers: 2 })
    })
    after(async () => {
      await server?.stop()
      await remove?.()
    })

    /** On a connection of its own, so that the workers take turns. */
    const send = async (proof: string): Promise<{ status: number; nonce: string; text: string }> => {
      const body = encodeForm({ grant_type: tokenExchange, subject_token: await person(), subject_token_type: types.jwt })
      const headers = {
        ...{ 'content-type': 'application/x-www-form-urlencoded', authorization: basic('gateway', secretOf('gateway')) },
        ...{ dpop: proof, connection: 'close', 'content-length': String(body.length) },
      }
      return new Promise((resolve, reject) => {
        const sent = httpRequest(`${issuer}/token`, { method: 'POST', agent: false, headers }, async answer => {
          let text = ''
          for await (const chunk of answer) text += chunk
          resolve({ status: answer.statusCode ?? 0, nonce: String(answer.headers['dpop-nonce']), text })
        })
        sent.on('error', reject).end(body)
      })
    }

    it('is taken by one of them, and a nonce of one by both', async () => {
      const holder = await Holder.make()
      const proof = (nonce?: string) => holder.proof(Date.now() / 1000, { htu: `${issuer}/token`, ...(nonce !== undefined && { nonce }) })
      const { nonce } = await send(await proof())
      for (let round = 0; round < 4; round++) {
        const same = await proof(nonce)
        const answers = await Promise.all([send(same), send(same), send(same), send(same)])
        expect(answers.map(({ status }) => status).sort(), answers.map(({ text }) => text).join()).to.deep.equal([200, 400, 400, 400])
        expect(new Set(answers.filter(({ status }) => status === 400).map(({ text }) => JSON.parse(text).error))).to.deep.equal(
          new Set(['invalid_dpop_proof']),
        )
      }
      const fresh = await Promise.all(Array.from({ length: 6 }, async () => send(await proof(nonce))))
      expect(fresh.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200, 200])
    })
  })
})

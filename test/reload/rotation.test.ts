import { expect } from 'chai'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { rotateKey } from '../../src/rotation/rotate.ts'
import { ChangingServer } from './changing-server.ts'

describe('the rotation of a signing key while it serves', function () {
  this.timeout(120_000)
  let server: ChangingServer
  afterEach(() => server?.end())

  it('leaves no token that somebody who keeps the keys cannot verify', async () => {
    server = await ChangingServer.start()
    const tokens: string[] = []
    const keySets: JSONWebKeySet[] = []
    const look = async () => {
      tokens.push(String((await server.exchange()).json.access_token))
      keySets.push((await server.request('GET', '/jwks')).json as unknown as JSONWebKeySet)
    }
    const step = async (name: 'next' | 'activate' | 'remove') => {
      const { done, says } = await rotateKey(
        { id: 'api', step: name, newId: undefined, hurried: true, confirmed: true },
        { folder: server.folder, environment: process.env, now: Date.now() / 1000 },
      )
      expect(done, says.join('\n')).to.equal(true)
      // At least once: a server may also look between two files of a step.
      await server.process.logged('configuration reloaded')
      await server.reloaded()
      await look()
    }
    const verify = async (token: number, set: number) =>
      (await jwtVerify(tokens[token] ?? '', createLocalJWKSet(keySets[set] as JSONWebKeySet), { audience: 'https://api.example.com' }))
        .payload.sub
    await look()
    await step('next')
    await step('activate')
    // Kept since the successor was published: everything so far can be verified, new and old.
    for (const token of [0, 1, 2]) for (const set of [1, 2]) expect(await verify(token, set)).to.equal('alice')
    expect(tokens.map(token => decodeProtectedHeader(token).kid)).to.deep.equal([0, 0, 1].map(key => keySets[1]?.keys[1 - key]?.kid))
    expect((await introspect(0)).active).to.equal(true)
    await step('remove')
    expect(await verify(3, 1)).to.equal('alice')
    expect(keySets[3]?.keys.map(({ kid }) => kid)).to.deep.equal([decodeProtectedHeader(tokens[2] ?? '').kid])
    expect((await introspect(0)).active).to.equal(false)
    expect((await introspect(2)).active).to.equal(true)

    async function introspect(token: number) {
      return (await server.post('/introspect', { token: tokens[token] })).json
    }
  })
})

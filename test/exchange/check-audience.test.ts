import { expect } from 'chai'
import { ConfigError } from '../../src/config/problems.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { serverFor, withServer } from '../support/world.ts'

describe('the audience of a foreign token', () => {
  describe('without "audiences": this server', () => {
    const at = serverFor()

    for (const [what, aud] of [
      ['the issuer', issuer],
      ['the token endpoint', `${issuer}/token`],
      ['the issuer in a list', [issuer]],
      ['the issuer among others', ['https://other.example', issuer]],
    ] as const) {
      it(`may be ${what}`, async () => {
        await at.issued({ subject_token: await at.person({ aud }) })
        await at.issued({ ...(await at.withActor({ aud })) })
      })
    }

    for (const [what, aud] of [
      ['another server', 'https://other.example'],
      ['the issuer with a slash', `${issuer}/`],
      ['the issuer in another case', issuer.toUpperCase()],
      ['something that begins with the issuer', `${issuer}.evil.example`],
      ['another endpoint', `${issuer}/introspect`],
      ['the id of the client', 'gateway'],
      ['a name of the client', 'https://gateway.example.com'],
      ['the target', 'https://api.example.com'],
      ['the word client', 'client'],
      ['others', ['https://other.example', 'gateway']],
    ] as const) {
      it(`may not be ${what}`, async () => {
        await at.refused(
          { subject_token: await at.person({ aud }) },
          'invalid_request',
          /the subject token is refused: its audience is another party/,
        )
        await at.refused(await at.withActor({ aud }), 'invalid_request', /the actor token is refused: its audience is another party/)
      })
    }

    for (const [what, aud] of [
      ['nobody', undefined],
      ['an empty list', []],
    ] as const) {
      it(`may not be ${what}`, async () => {
        await at.refused(
          { subject_token: await at.person({ aud }) },
          'invalid_request',
          /the subject token is refused: it names no audience/,
        )
        await at.refused(await at.withActor({ aud }), 'invalid_request', /the actor token is refused: it names no audience/)
      })
    }

    for (const aud of ['', 7, null, {}, [issuer, 7], [[issuer]]]) {
      it(`may not be ${JSON.stringify(aud)}`, async () => {
        await at.refused({ subject_token: await at.person({ aud }) }, 'invalid_request', /aud of the token/)
      })
    }
  })

  describe('with "audiences"', () => {
    const at = serverFor(files =>
      patched(files, { 'policies/token-processors/people.json': { audiences: ['https://portal.example', 'gateway-app'] } }),
    )

    it('may be one of them, or still this server', async () => {
      for (const aud of ['https://portal.example', 'gateway-app', ['x', 'gateway-app'], issuer, `${issuer}/token`]) {
        await at.issued({ subject_token: await at.person({ aud }) })
      }
    })

    it('may not be anybody else', async () => {
      for (const aud of ['https://portal.example/', 'client', 'gateway', 'https://gateway.example.com']) {
        await at.refused({ subject_token: await at.person({ aud }) }, 'invalid_request', /its audience is another party/)
      }
    })

    it('of one processor says nothing for another', async () => {
      await at.refused(await at.withActor({ aud: 'gateway-app' }), 'invalid_request', /its audience is another party/)
    })
  })

  describe('with "client" among the "audiences"', () => {
    const at = serverFor(files => patched(files, { 'policies/token-processors/people.json': { audiences: ['client'] } }))

    it('may be a name of the client that asks', async () => {
      await at.issued({ subject_token: await at.person({ aud: 'https://gateway.example.com' }) }, 'gateway')
      await at.issued({ subject_token: await at.person({ aud: 'https://api.example.com' }) }, 'api')
    })

    it('may not be a name of another client', async () => {
      await at.refused(
        { subject_token: await at.person({ aud: 'https://gateway.example.com' }) },
        'invalid_request',
        /another party/,
        'api',
      )
      await at.refused(
        { subject_token: await at.person({ aud: 'https://gateway.example.com' }) },
        'invalid_request',
        /another party/,
        'stranger',
      )
    })

    it('may not be the id of the client: a foreign issuer could choose that name', async () => {
      await at.refused({ subject_token: await at.person({ aud: 'gateway' }) }, 'invalid_request', /another party/)
    })

    it('may not be the word "client"', async () => {
      await at.refused({ subject_token: await at.person({ aud: 'client' }) }, 'invalid_request', /another party/)
    })
  })

  it('is a configuration error where "audiences" is empty', async () => {
    let thrown: unknown
    try {
      await withServer(
        files => patched(files, { 'policies/token-processors/people.json': { audiences: [] } }),
        async () => {},
      )
    } catch (error) {
      thrown = error
    }
    expect(thrown).to.be.instanceOf(ConfigError)
    expect(String(thrown)).to.match(/people\.json.*audiences/)
  })
})

describe('the audience of a token of this server', () => {
  const at = serverFor(addressedFiles)

  it('does not matter to the client that it was issued to', async () => {
    const token = await at.own({ audience: 'billing' }, 'gateway')
    await at.issued(at.ownAs(token), 'gateway')
  })

  it('may be a name of the client that asks', async () => {
    await at.issued(at.ownAs(await at.own({}, 'gateway')), 'api')
  })

  it('may be the id of the client that asks', async () => {
    await at.issued(at.ownAs(await at.own({ audience: 'for-stranger' }, 'gateway')), 'stranger')
  })

  it('may be one of several', async () => {
    const token = await at.own({ audience: 'for-several' }, 'gateway')
    await at.issued(at.ownAs(token), 'stranger')
    await at.issued(at.ownAs(token), 'api')
  })

  it('keeps everybody else out', async () => {
    for (const audience of ['api', 'billing']) {
      await at.refused(at.ownAs(await at.own({ audience }, 'gateway')), 'invalid_request', /issued to another client/, 'stranger')
    }
    await at.refused(at.ownAs(await at.own({ audience: 'for-stranger' }, 'gateway')), 'invalid_request', /issued to another client/, 'api')
  })

  it('is not this server itself: a name that foreign tokens may have opens nothing here', async () => {
    const token = await at.own({ audience: 'for-server' }, 'gateway')
    await at.issued(at.ownAs(token), 'gateway')
    await at.refused(at.ownAs(token), 'invalid_request', /issued to another client/, 'stranger')
  })

  it('holds for an actor token too', async () => {
    const actor = { actor_token: await at.own({}, 'gateway'), actor_token_type: types.accessToken }
    await at.issued(actor, 'gateway')
    await at.refused(actor, 'invalid_request', /the actor token is refused: it was issued to another client/, 'stranger')
  })

  it('holds for a reference token too', async () => {
    const token = await at.own({ audience: 'billing' }, 'gateway')
    expect(token).to.not.include('.')
    await at.refused(at.ownAs(token), 'invalid_request', /issued to another client/, 'stranger')
  })
})

function addressedFiles(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as { issues: Array<{ attributes: object }> }
  const manager = (name: string, audience: string[]) => ({
    [`policies/access-token-managers/${name}.json`]: {
      ...(files['policies/access-token-managers/api.json'] as object),
      ...{ resources: [], audiences: [name], audience },
    },
  })
  const names = ['for-stranger', 'for-several', 'for-server']
  return patched(files, {
    ...manager('for-stranger', ['stranger']),
    ...manager('for-several', ['https://other.example', 'stranger', 'https://api.example.com']),
    ...manager('for-server', [issuer, `${issuer}/token`]),
    'policies/token-processors/own.json': { accessTokenManagers: ['api', 'opaque', 'wide', ...names] },
    'policies/processor-policies/people.json': {
      issues: [...policy.issues, ...names.map(accessTokenManager => ({ accessTokenManager, attributes: policy.issues[0]?.attributes }))],
    },
  })
}

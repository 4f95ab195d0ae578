import { serverFor } from '../support/world.ts'

describe('a token that is bound to a key', () => {
  const at = serverFor()

  for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { jwk: { kty: 'EC' } }, { kid: 'x' }, { 'urn:example:other': 1 }, {}]) {
    it(`is no subject token: ${JSON.stringify(cnf)}`, async () => {
      await at.refused({ subject_token: await at.person({ cnf }) }, 'invalid_request', /the subject token is refused: it is bound to a key/)
    })

    it(`is no actor token: ${JSON.stringify(cnf)}`, async () => {
      await at.refused(await at.withActor({ cnf }), 'invalid_request', /the actor token is refused: it is bound to a key/)
    })
  }

  for (const cnf of ['x', 7, null, [], false]) {
    it(`is not taken for a bearer token where cnf is ${JSON.stringify(cnf)}`, async () => {
      await at.refused({ subject_token: await at.person({ cnf }) }, 'invalid_request', /cnf of the token is not an object/)
    })
  }
})

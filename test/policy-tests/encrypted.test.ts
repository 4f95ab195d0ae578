import { expect } from 'chai'
import { play } from '../../src/policy-tests/play.ts'
import { tokenExchange, types } from '../support/oauth.ts'
import { sampleFiles, sampleFolder } from '../support/sample.ts'
import { serverOf } from './sample-server.ts'

const manager = 'policies/access-token-managers/orders.json'

describe('a policy test of a manager that encrypts', () => {
  it('needs no server of the reader, and sees the claims', async () => {
    const files = await sampleFiles()
    const encryption = { jwksUri: 'https://reader.example/jwks' }
    const { folder, remove } = await sampleFolder({ [manager]: { ...(files[manager] as object), encryption } })
    try {
      const request = { grant_type: tokenExchange, subject_token_type: types.jwt, resource: 'http://localhost:3001/orders/' }
      const place = { file: '', line: 1, column: 1, member: '' }
      const subject = { sub: 'alice', email: 'alice@example.com', email_verified: true, groups: [] }
      const common = {
        name: '',
        place,
        client: 'sample',
        clientIp: '127.0.0.1',
        now: undefined,
        actor: undefined,
        expect: { exactly: false },
      }
      const outcome = await play({ ...common, request, subject }, await serverOf(folder))
      expect(outcome).to.deep.include({ is: 'issued' })
      expect(outcome).to.have.nested.property('content.claims.sub', 'alice')
    } finally {
      await remove()
    }
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { writeFolder } from '../config/configuration.ts'
import { sampleFolder } from '../support/sample.ts'
import { cambist, patience } from './run.ts'

describe('cambist token', function () {
  this.timeout(patience)

  let folder: string
  let remove: () => Promise<void>
  before(async () => {
    ;({ folder, remove } = await sampleFolder())
  })
  after(() => remove())

  async function claims(...args: string[]) {
    const { code, output, complaints } = await cambist(['token', '--config', folder, ...args])
    expect({ code, complaints }).to.deep.equal({ code: 0, complaints: '' })
    const keys = createLocalJWKSet(JSON.parse(readFileSync(join(folder, 'keys/sample-issuer.jwks'), 'utf8')) as JSONWebKeySet)
    const { payload } = await jwtVerify(output.trimEnd(), keys, { currentDate: new Date(0) }).catch(error => ({ payload: error.payload }))
    return payload
  }

  it('mints a token of a person for this server', async () => {
    const { iss, sub, aud, iat, exp, email } = await claims()
    expect({ iss, sub, aud, email }).to.deep.equal({
      iss: 'https://people.sample.example',
      sub: 'alice',
      aud: 'http://localhost:3000',
      email: 'alice@example.com',
    })
    expect(exp - iat).to.equal(3600)
  })

  it('mints a token of whom it is asked for, for whom and for how long', async () => {
    const { sub, aud, iat, exp } = await claims('--subject', 'bob', '--audience', 'https://sts.example.com', '--seconds=-60')
    expect({ sub, aud, seconds: exp - iat }).to.deep.equal({ sub: 'bob', aud: 'https://sts.example.com', seconds: -60 })
  })

  it('mints what one signs in to AWS with', async () => {
    const { code, output } = await cambist(['token', '--config', folder, '--type', 'aws-saml', '--subject', 'bob'])
    expect(code).to.equal(0)
    const response = Buffer.from(output.trimEnd(), 'base64').toString()
    expect(response).to.match(/^<samlp:Response [^>]*Destination="https:\/\/signin\.aws\.amazon\.com\/saml"/)
    for (const part of ['urn:amazon:webservices', 'arn:aws:iam::123456789012:role/Developer', 'bob@example.com'])
      expect(response).to.include(part)
  })

  it('mints a token of an agent', async () => {
    expect(await claims('--agent')).to.include({ iss: 'https://agents.sample.example', sub: 'agent-7' })
  })

  it('says what is missing before the first start, and where there is no configuration', async () => {
    const empty = writeFolder({ 'server.json': '{ "issuer": "http://localhost:3000" }' })
    try {
      const { code, complaints } = await cambist(['token', '--config', empty.folder])
      expect(code).to.equal(1)
      expect(complaints).to.match(/keys\/sample-issuer\.pem is not there: .*npm start/)
      const nowhere = await cambist(['token', '--config', '/nowhere'])
      expect(nowhere).to.deep.equal({
        code: 1,
        output: '',
        complaints: 'there is no configuration in /nowhere; name one with --config, or an audience with --audience\n',
      })
    } finally {
      empty.remove()
    }
  })
})

import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { environment, wholeConfiguration, writeFolder } from '../config/configuration.ts'
import { cambist, type Ended, patience } from './run.ts'

describe('cambist keys generate', function () {
  this.timeout(patience)

  let folder: string
  let remove: () => void
  beforeEach(() => {
    ;({ folder, remove } = writeFolder({}))
  })
  afterEach(() => remove())

  const generate = (...args: string[]): Promise<Ended> => cambist(['keys', 'generate', ...args, '--config', folder])
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')

  it('writes a private key for its owner only, and its description', async () => {
    const { code, output } = await generate('api-2026')
    expect(code).to.equal(0)
    const key = createPrivateKey(read('keys/api-2026.pem'))
    const kid = await calculateJwkThumbprint(await exportJWK(key))
    expect(output).to.equal(`keys/api-2026.json and keys/api-2026.pem: ES256, active, kid ${kid}\n`)
    expect(key.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1')
    expect(statSync(join(folder, 'keys/api-2026.pem')).mode & 0o777).to.equal(0o600)
    expect(JSON.parse(read('keys/api-2026.json'))).to.deep.equal({
      $schema: '../schemas/key.schema.json',
      algorithm: 'ES256',
      status: 'active',
      privateKey: { file: 'keys/api-2026.pem' },
    })
    expect(readdirSync(join(folder, 'keys'))).to.have.members(['api-2026.json', 'api-2026.pem'])
  })

  it('overwrites nothing, and leaves no half of a key behind', async () => {
    mkdirSync(join(folder, 'keys'))
    writeFileSync(join(folder, 'keys/api.json'), 'mine')
    writeFileSync(join(folder, 'keys/mail.pem'), 'mine')
    const api = await generate('api')
    expect(api).to.deep.equal({ code: 1, output: '', complaints: 'keys/api.json is there already; nothing is overwritten\n' })
    const mail = await generate('mail')
    expect(mail).to.deep.equal({ code: 1, output: '', complaints: 'keys/mail.pem is there already; nothing is overwritten\n' })
    expect(readdirSync(join(folder, 'keys')).map(name => [name, read(`keys/${name}`)])).to.have.deep.members([
      ['api.json', 'mine'],
      ['mail.pem', 'mine'],
    ])
  })

  it('makes RSA keys of the size that is asked for, with a certificate', async () => {
    const { code } = await generate('saml', '--algorithm', 'RS256', '--bits', '3072', '--certificate')
    expect(code).to.equal(0)
    const key = createPrivateKey(read('keys/saml.pem'))
    expect(key.asymmetricKeyDetails?.modulusLength).to.equal(3072)
    expect(new X509Certificate(read('keys/saml.crt.pem')).checkPrivateKey(key)).to.equal(true)
    expect(JSON.parse(read('keys/saml.json'))).to.deep.include({ certificate: { file: 'keys/saml.crt.pem' } })
  })

  it('makes the successor of a key, with which the configuration loads', async () => {
    const whole = await wholeConfiguration()
    const configuration = writeFolder({ ...whole, 'keys/api-next.json': undefined })
    try {
      const args = [
        'keys',
        'generate',
        'api-2027',
        '--status',
        'next',
        '--replaces',
        'api',
        '--algorithm',
        'Ed25519',
        '-c',
        configuration.folder,
      ]
      expect((await cambist(args)).code).to.equal(0)
      expect(JSON.parse(readFileSync(join(configuration.folder, 'keys/api-2027.json'), 'utf8'))).to.deep.include({
        status: 'next',
        replaces: 'api',
      })
      expect((await cambist(['check', '-c', configuration.folder], { env: environment })).code).to.equal(0)
    } finally {
      configuration.remove()
    }
  })

  it('knows which key is to be replaced', async () => {
    const { code, complaints } = await generate('api-2027', '--replaces', 'api')
    expect({ code, complaints }).to.deep.equal({ code: 1, complaints: 'there is no keys/api.json to replace\n' })
  })

  it('says where it cannot write', async () => {
    writeFileSync(join(folder, 'keys'), 'a file')
    const { code, complaints } = await generate('api')
    expect(code).to.equal(1)
    expect(complaints).to.match(/keys.* cannot be written \((EEXIST|ENOTDIR)\)\n$/)
  })
})

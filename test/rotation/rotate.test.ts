import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { makeKeyPair } from '../../src/keys/key-pair.ts'
import { apply } from '../../src/rotation/change.ts'
import { type RotationRequest, rotateKey } from '../../src/rotation/rotate.ts'
import { cambist } from '../commands/run.ts'
import { environment, load, replaced, wholeConfiguration, writeFolder } from '../config/configuration.ts'

const hour = 3_600

describe('the rotation of a key', () => {
  let folder: string
  let remove: () => void
  let whole: Record<string, string>
  let hoursLater: number
  before(async () => {
    whole = await wholeConfiguration()
  })
  beforeEach(() => {
    hoursLater = 0
    ;({ folder, remove } = writeFolder({ ...whole, 'keys/api-next.json': undefined }))
  })
  afterEach(() => remove())

  const rotate = (id: string, request: Partial<RotationRequest> = {}) =>
    rotateKey(
      { id, step: undefined, newId: undefined, hurried: false, confirmed: false, ...request },
      { folder, environment: { ...process.env, ...environment }, now: Date.now() / 1000 + hoursLater * hour },
    )
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const statusOf = (id: string) => JSON.parse(read(`keys/${id}.json`)).status
  const snapshot = () => readdirSync(join(folder, 'keys')).map(name => [name, read(`keys/${name}`)])
  const loads = () => load(textsIn(folder))

  async function done(id: string, request?: Partial<RotationRequest>): Promise<string> {
    const { done, says } = await rotate(id, request)
    expect(done, says.join('\n')).to.equal(true)
    return says.join('\n')
  }
  async function refused(why: RegExp, id: string, request?: Partial<RotationRequest>): Promise<void> {
    const before = snapshot()
    const { done, says } = await rotate(id, request)
    expect(done).to.equal(false)
    expect(says.join('\n')).to.match(why)
    expect(says.at(-1)).to.equal('nothing was changed')
    expect(snapshot()).to.deep.equal(before)
  }

  it('takes three steps, after each of which the configuration loads', async () => {
    const old = read('keys/api.json')
    expect(await done('api')).to.match(/^the line: "api" active \(\w+\)\nkeys\/api-2\.pem, keys\/api-2\.json: \w+, next, kid \S+\n/)
    expect(JSON.parse(read('keys/api-2.json'))).to.deep.include({ status: 'next', replaces: 'api', algorithm: JSON.parse(old).algorithm })
    expect(read('keys/api.json')).to.equal(old)
    expect(statSync(join(folder, 'keys/api-2.pem')).mode & 0o777).to.equal(0o600)
    await loads()
    await refused(/"activate" is safe from 20\S+ on: whoever verifies keeps \/jwks for a while/, 'api')
    hoursLater = 1.01
    expect(await done('api')).to.include('"api-2" is active, "api" is retired: what it signed stays good\n')
    expect([statusOf('api'), statusOf('api-2')]).to.deep.equal(['retired', 'active'])
    // Nothing else in the file has changed.
    expect(read('keys/api.json')).to.equal(old.replace('"active"', '"retired"'))
    await loads()
    hoursLater = 0
    await refused(/"remove" is safe from 20\S+ on: until then there are tokens that it has signed/, 'api', { confirmed: true })
    hoursLater = 24
    await refused(/with --yes:\n {2}"api" is removed: .*\n {2}policies\/access-token-managers\/api\.json names "api-2" instead\n/s, 'api')
    const policy = read('policies/access-token-managers/api.json')
    await done('api-2', { confirmed: true })
    expect(existsSync(join(folder, 'keys/api.json'))).to.equal(false)
    expect(JSON.parse(read('keys/api-2.json'))).to.not.have.property('replaces')
    expect(read('policies/access-token-managers/api.json')).to.equal(policy.replace('"signingKey": "api"', '"signingKey": "api-2"'))
    await loads()
    expect(await done('api-2')).to.match(/keys\/api-3\.json: \w+, next/)
  })

  it('takes a step by its name, under the name that is wanted, and not twice', async () => {
    await done('api', { step: 'next', newId: 'api-2027' })
    await refused(/"api-2027" is the next key already/, 'api', { step: 'next' })
    await done('api', { step: 'activate', hurried: true })
    await refused(/no key of the line is next/, 'api-2027', { step: 'activate', hurried: true })
    await done('api-2027', { step: 'next' })
    expect(JSON.parse(read('keys/api-2028.json'))).to.deep.include({ status: 'next', replaces: 'api-2027' })
    await done('api', { step: 'remove', hurried: true, confirmed: true })
    await refused(/no key of the line is retired/, 'api-2027', { step: 'remove', hurried: true, confirmed: true })
    await loads()
  })

  it('finishes a step that was broken off in the middle, without waiting', async () => {
    await done('api', { step: 'next' })
    writeFileSync(join(folder, 'keys/api.json'), replaced(read('keys/api.json'), '"active"', '"retired"'))
    await done('api')
    expect([statusOf('api'), statusOf('api-2')]).to.deep.equal(['retired', 'active'])
    await loads()
  })

  it('makes a certificate for the successor of a key that has one, and waits for partners longer', async () => {
    const wanted = { id: 'saml', algorithm: 'RS256', status: 'active', replaces: undefined, bits: 3072, certificateDays: 100 } as const
    await apply({ created: (await makeKeyPair(wanted)).files, written: [], deleted: [] }, folder)
    await done('saml')
    const key = createPrivateKey(read('keys/saml-2.pem'))
    expect(key.asymmetricKeyDetails?.modulusLength).to.equal(3072)
    const certificate = new X509Certificate(read('keys/saml-2.crt.pem'))
    expect(certificate.checkPrivateKey(key)).to.equal(true)
    expect(Math.round((Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)) / 86_400_000)).to.equal(100)
    hoursLater = 23
    await refused(/partners fetch the metadata/, 'saml')
    hoursLater = 25
    await done('saml')
    await done('saml', { hurried: true, confirmed: true })
    expect(readdirSync(join(folder, 'keys')).filter(name => name.startsWith('saml'))).to.have.members([
      'saml-2.json',
      'saml-2.pem',
      'saml-2.crt.pem',
    ])
  })

  it('keeps names of decryption keys in a list once', async () => {
    const processor = 'policies/token-processors/people.json'
    const keys = JSON.parse(read(processor)).decryptionKeys ?? []
    writeFileSync(join(folder, processor), JSON.stringify({ ...JSON.parse(read(processor)), decryptionKeys: ['mail'] }))
    expect(keys.length).to.be.below(2)
    await done('mail')
    await done('mail', { hurried: true })
    writeFileSync(join(folder, processor), JSON.stringify({ ...JSON.parse(read(processor)), decryptionKeys: ['mail', 'mail-2'] }))
    await refused(/who has fetched the old key may still encrypt to it/, 'mail', { confirmed: true })
    await done('mail', { hurried: true, confirmed: true })
    expect(JSON.parse(read(processor)).decryptionKeys).to.deep.equal(['mail-2'])
    await loads()
  })

  it('changes nothing where no server would take the result, or a file is in the way', async () => {
    await refused(/^there is no keys\/nobody\.json\n/, 'nobody')
    writeFileSync(join(folder, 'keys/api-2.pem'), 'mine')
    await refused(/keys\/api-2\.pem is there already; say --as ID/, 'api')
    writeFileSync(join(folder, 'keys/broken.json'), '{')
    await refused(/keys\/broken\.json:1:2 .*\nthese files have to be mended first/s, 'api')
  })

  it('is a command', async function () {
    this.timeout(120_000)
    const { code, output } = await cambist(['keys', 'rotate', 'api', 'next', '--as', 'later', '--config', folder], { env: environment })
    expect(code).to.equal(0)
    expect(output).to.match(/^the line: .*\nkeys\/later\.pem, keys\/later\.json: .*\n"later" is published, and "api" signs on\nwhen it/)
    const early = await cambist(['keys', 'rotate', 'api', '--config', folder], { env: environment })
    expect({ code: early.code, output: early.output }).to.deep.equal({ code: 1, output: '' })
    expect(early.complaints).to.match(/is safe from .*\nnothing was changed\n$/)
  })
})

function textsIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  return Object.fromEntries(
    names.map(entry => {
      const path = join(entry.parentPath, entry.name)
      return [path.slice(folder.length + 1), readFileSync(path, 'utf8')]
    }),
  )
}

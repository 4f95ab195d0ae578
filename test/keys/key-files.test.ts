import { generateKeyPairSync } from 'node:crypto'
import { expect } from 'chai'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { keyManagementAlgorithms } from '../../src/keys/decryption-key.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { type ConfiguredKey, keyFile } from '../../src/keys/key-file.ts'
import { linesOfKeys } from '../../src/keys/lines-of-keys.ts'
import { signatureAlgorithms } from '../../src/keys/signing-key.ts'
import { type Parts, SettingProblem } from '../../src/plugin.ts'

async function build(id: string, file: object, texts: Record<string, string>): Promise<ConfiguredKey> {
  const blueprint = keyFile.parse({ status: 'active', privateKey: { file: 'key.pem' }, ...file })
  const outside = { now: () => Date.now() / 1000 }
  const text = ({ name }: { name: string }) => texts[name] ?? ''
  return await blueprint.build({ id, text, outside, warn: () => undefined } as unknown as Parts)
}

async function problemOf(file: object, texts: Record<string, string>): Promise<string> {
  try {
    await build('k', file, texts)
  } catch (error) {
    if (error instanceof SettingProblem) return `${error.path.join('.')}: ${error.message}`
    throw error
  }
  return expect.fail('it was built')
}

const pem = (key: ReturnType<typeof generateKeyPairSync>['privateKey']) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

describe('key files', () => {
  for (const algorithm of signatureAlgorithms) {
    it(`${algorithm}: what is generated can be loaded, signs, and is published without its private half`, async () => {
      const generated = await generateKey(algorithm)
      const { signing, decryption, kid } = await build('api', { algorithm }, { 'key.pem': generated.privateKeyPem })
      expect(decryption).to.equal(undefined)
      expect(kid)
        .to.equal(generated.kid)
        .and.to.equal(await calculateJwkThumbprint(generated.publicJwk))
      expect(signing?.publicJwk).to.deep.equal(generated.publicJwk)
      expect(Object.keys(signing?.publicJwk ?? {})).not.to.include('d')
      const token =
        (await signing?.signCompact(Buffer.from(JSON.stringify({ alg: algorithm, kid })).toString('base64url'), '{"sub":"ä"}')) ?? ''
      const { payload } = await compactVerify(token, await importJWK(generated.publicJwk, algorithm))
      expect(Buffer.from(payload).toString()).to.equal('{"sub":"ä"}')
      const [input, signature] = [token.slice(0, token.lastIndexOf('.')), Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')]
      expect(signing?.verifying.verify(input, signature)).to.equal(true)
    })
  }

  for (const algorithm of keyManagementAlgorithms) {
    it(`${algorithm}: a decryption key signs nothing`, async () => {
      const generated = await generateKey(algorithm)
      const { signing, decryption } = await build('enc', { algorithm }, { 'key.pem': generated.privateKeyPem })
      expect(signing).to.equal(undefined)
      expect(decryption).to.include({ id: 'enc', algorithm, kid: generated.kid })
      expect(generated.publicJwk).to.include({ use: 'enc' })
    })
  }

  it('takes SEC 1 and PKCS #1 too', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    expect(
      await build('k', { algorithm: 'RS256' }, { 'key.pem': rsa.export({ type: 'pkcs1', format: 'pem' }).toString() }),
    ).to.have.property('id', 'k')
    expect(await build('k', { algorithm: 'ES256' }, { 'key.pem': ec.export({ type: 'sec1', format: 'pem' }).toString() })).to.have.property(
      'id',
      'k',
    )
  })

  it('refuses keys that do not fit or are weak', async () => {
    const cases: Array<[object, string, RegExp]> = [
      [{ algorithm: 'RS256' }, pem(ec), /^privateKey: .*does not fit RS256/],
      [{ algorithm: 'ES384' }, pem(ec), /^privateKey: .*prime256v1.*does not fit ES384/],
      [{ algorithm: 'EdDSA' }, pem(generateKeyPairSync('ed448').privateKey), /does not fit EdDSA/],
      [{ algorithm: 'RSA-OAEP-256' }, pem(ec), /does not fit/],
      [{ algorithm: 'ECDH-ES' }, pem(generateKeyPairSync('ed25519').privateKey), /does not fit/],
      [{ algorithm: 'RS256' }, pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /1024 bits/],
      [{ algorithm: 'RSA-OAEP-256' }, pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /1024 bits/],
      [
        { algorithm: 'RS256' },
        pem(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey).slice(0, 100),
        /not a private key/,
      ],
      [{ algorithm: 'ES256' }, 'secret', /not a private key as PEM/],
      [{ algorithm: 'ES256' }, ec.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(), /encrypted/],
      [{ algorithm: 'ES256', certificate: { file: 'cert.pem' } }, pem(ec), /^certificate: is not a certificate/],
    ]
    for (const [file, text, message] of cases) expect(await problemOf(file, { 'key.pem': text, 'cert.pem': 'no' })).to.match(message)
  })

  it('takes a certificate of the key and no other', async () => {
    const certificate = `-----BEGIN CERTIFICATE-----
${certificateOfTest}
-----END CERTIFICATE-----`
    const file = { algorithm: 'ES256', certificate: { file: 'cert.pem' } }
    expect((await build('k', file, { 'key.pem': keyOfTest, 'cert.pem': certificate })).signing?.certificate?.subject).to.equal(
      'CN=cambist test',
    )
    expect(await problemOf(file, { 'key.pem': pem(ec), 'cert.pem': certificate })).to.match(
      /^certificate: the certificate belongs to another key/,
    )
  })

  it('is strict', () => {
    const good = { algorithm: 'ES256', status: 'active', privateKey: { file: 'k.pem' } }
    expect(keyFile.safeParse(good).success).to.equal(true)
    for (const bad of [
      { ...good, algorithm: 'HS256' },
      { ...good, algorithm: 'RSA1_5' },
      { ...good, algorithm: 'none' },
      { ...good, status: 'old' },
      { ...good, privateKey: 'PEM' },
      { ...good, key: 1 },
    ]) {
      expect(keyFile.safeParse(bad).success).to.equal(false)
    }
  })
})

describe('lines of keys', () => {
  const kinds = { signing: { id: 'x' } as unknown as ConfiguredKey['signing'], decryption: undefined }
  const key = (id: string, status: ConfiguredKey['status'], replaces?: string): ConfiguredKey => ({
    ...{ id, status, replaces, kid: `kid of ${id}`, decryption: undefined },
    signing: { id } as unknown as ConfiguredKey['signing'],
  })
  const problems = (...keys: ConfiguredKey[]) => linesOfKeys(keys).problems.map(({ id, message }) => `${id}: ${message}`)

  it('whoever names a key of a line signs with the active one, and all are published', () => {
    const { signing, problems } = linesOfKeys([key('a', 'retired'), key('b', 'active', 'a'), key('c', 'next', 'b'), key('other', 'active')])
    expect(problems).to.deep.equal([])
    for (const id of ['a', 'b', 'c']) {
      expect(signing.get(id)?.active.id).to.equal('b')
      expect(signing.get(id)?.published.map(each => each.id)).to.deep.equal(['c', 'b', 'a'])
    }
    expect(signing.get('other')?.published).to.have.length(1)
  })

  it('rotation, and its way back, touch the status only', () => {
    expect(linesOfKeys([key('a', 'active'), key('b', 'next', 'a')]).signing.get('b')?.active.id).to.equal('a')
    expect(linesOfKeys([key('a', 'retired'), key('b', 'active', 'a')]).signing.get('a')?.active.id).to.equal('b')
    expect(linesOfKeys([key('a', 'active'), key('b', 'retired', 'a')]).signing.get('b')?.active.id).to.equal('a')
  })

  it('reports lines without an active key, and with two', () => {
    expect(problems(key('a', 'retired'), key('b', 'next', 'a'))).to.deep.equal(['b: no key is active among "b", "a"'])
    expect(problems(key('a', 'active'), key('b', 'active', 'a'))).to.deep.equal([
      'b: only one key of a line may be active, but "b", "a" are',
    ])
  })

  it('reports forks, circles and a key in two files', () => {
    expect(problems(key('a', 'active'), key('b', 'next', 'a'), key('c', 'next', 'a'))).to.deep.equal([
      'b: "c" replaces "a" too',
      'c: "b" replaces "a" too',
    ])
    expect(problems(key('a', 'active', 'b'), key('b', 'next', 'a'))).to.deep.equal([
      'a: the keys replace each other in a circle',
      'b: the keys replace each other in a circle',
    ])
    expect(problems(key('a', 'active', 'a'))).to.deep.equal(['a: a key cannot replace itself'])
    expect(problems(key('a', 'active'), { ...key('b', 'active'), kid: 'kid of a' })).to.deep.equal(['b: is the same key as that of "a"'])
  })

  it('keeps signing and decrypting apart', () => {
    const decrypts = (id: string, status: ConfiguredKey['status'], replaces?: string): ConfiguredKey => ({
      ...key(id, status, replaces),
      signing: undefined,
      decryption: { id } as unknown as ConfiguredKey['decryption'],
    })
    const lines = linesOfKeys([decrypts('old', 'retired'), decrypts('new', 'active', 'old'), { ...key('s', 'active'), ...kinds }])
    expect(lines.decryption.get('new')?.map(({ id }) => id)).to.deep.equal(['new', 'old'])
    expect(lines.signing.has('new')).to.equal(false)
    expect(lines.decryption.has('s')).to.equal(false)
    expect(problems(key('a', 'retired'), decrypts('b', 'active', 'a'))[0]).to.match(/^b: one of this key and "a" signs/)
  })

  it('leaves a dangling name to the check of references', () => {
    expect(problems(key('a', 'active', 'gone'))).to.deep.equal([])
  })
})

// A key and a certificate for this test only.
const keyOfTest = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg8IzHNsPKXcGSY3Eu
OMUonyTcX0uPc7xi0q5VrS70cjuhRANCAARjNKfV6Y/9dykWMCafvj6xIPPbLS6t
9Ug208KSYmOWyPykmisB43deZeoHHUJireBRX1gKVEhHNwxKw3kE+9xc
-----END PRIVATE KEY-----`
const certificateOfTest = `MIIBhTCCASugAwIBAgIUEGAlJw9j6AM1mY93AbRAcJ8F5zIwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMY2FtYmlzdCB0ZXN0MCAXDTI2MTEyMTEwNTEwMloYDzIxMjYx
MDI4MTA1MTAyWjAXMRUwEwYDVQQDDAxjYW1iaXN0IHRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARjNKfV6Y/9dykWMCafvj6xIPPbLS6t9Ug208KSYmOWyPyk
misB43deZeoHHUJireBRX1gKVEhHNwxKw3kE+9xco1MwUTAdBgNVHQ4EFgQUzham
1wWoQNFdvqf6no4mlFubzLYwHwYDVR0jBBgwFoAUzham1wWoQNFdvqf6no4mlFub
zLYwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAmDn619MvOs+k
92UhsBBsNtdWo8/0vxMapJwInd8Sy5ICIHrKCHl5VCqCHdv8looDX6fRajhI83Il
tQ5pOUHoi9oJ`

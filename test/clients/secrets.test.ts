import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { deriveKey, digestSecret, generateSecret, hashSecret, parseSecretHash } from '../../src/clients/secrets.ts'

describe('clients/secrets', () => {
  it('makes secrets of 256 bits that every encoding leaves alone', () => {
    const secrets = new Set(Array.from({ length: 200 }, () => generateSecret(randomBytes)))
    expect(secrets.size).to.equal(200)
    for (const secret of secrets) {
      expect(secret).to.match(/^[A-Za-z0-9]{43}$/)
      expect(encodeURIComponent(secret)).to.equal(secret)
    }
    expect(new Set([...secrets].join('')).size).to.equal(62)
  })

  it('uses no byte that would make some characters likelier', () => {
    const bytes = [Buffer.alloc(43, 255), Buffer.alloc(43, 248), Buffer.alloc(43, 61)]
    expect(generateSecret(() => bytes.shift() ?? Buffer.alloc(43))).to.equal('9'.repeat(43))
  })

  it('writes a made secret as SHA-256 and reads that again', () => {
    const hash = digestSecret('s3cret')
    expect(hash.text).to.match(/^sha256\$[A-Za-z0-9_-]{43}$/)
    expect(parseSecretHash(hash.text)).to.deep.equal(hash)
  })

  it('writes a brought secret as scrypt with its cost and salt, and reads that again', async () => {
    const hash = await hashSecret('tröstlich', randomBytes)
    expect(hash.text).to.match(/^scrypt\$N=16384,r=8,p=1\$[A-Za-z0-9_-]{22}\$[A-Za-z0-9_-]{43}$/)
    const read = parseSecretHash(hash.text)
    expect(read).to.deep.equal(hash)
    expect(await deriveKey('tröstlich', hash.salt, hash.cost, 32)).to.deep.equal(hash.key)
    expect((await hashSecret('tröstlich', randomBytes)).text).not.to.equal(hash.text)
  })

  it('agrees with RFC 7914 section 12', async () => {
    const key = await deriveKey('pleaseletmein', Buffer.from('SodiumChloride'), { N: 16384, r: 8, p: 1 }, 64)
    expect(key.toString('hex')).to.equal(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
        'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    )
  })

  const salt = 'A'.repeat(22)
  const key = 'A'.repeat(43)
  const scrypt = (cost: string) => `scrypt$${cost}$${salt}$${key}`

  for (const cost of ['N=16384,r=8,p=1', 'N=16384,r=8,p=5', 'N=32768,r=8,p=3', 'N=65536,r=8,p=2', 'N=131072,r=8,p=1', 'N=8192,r=8,p=10']) {
    it(`takes ${cost}`, () => {
      expect(parseSecretHash(scrypt(cost)).form).to.equal('scrypt')
    })
  }

  for (const cost of [
    'N=16384,r=8',
    'N=16384, r=8, p=1',
    'r=8,N=16384,p=1',
    'N=16383,r=8,p=1',
    'N=0,r=8,p=1',
    'N=1,r=100,p=9999',
    'N=16384,r=0,p=1',
    'N=16384,r=8,p=0',
    'N=8192,r=8,p=1',
    'N=262144,r=8,p=1',
    'N=131072,r=16,p=1',
    'N=16384,r=8,p=9999',
    'N=1073741824,r=8,p=1',
    'N=1e4,r=8,p=1',
    'N=-16384,r=8,p=1',
    '',
  ]) {
    it(`refuses the cost "${cost}"`, () => {
      expect(() => parseSecretHash(scrypt(cost))).to.throw()
    })
  }

  for (const text of [
    '',
    'hunter2',
    '$2b$10$abcdefghijklmnopqrstuv',
    'sha256$',
    'sha256$abc',
    `sha256$${key}A`,
    `sha256$${'+'.repeat(43)}`,
    `sha256$${'B'.repeat(43)}`,
    `SHA256$${key}`,
    `sha256$${key}$`,
    `scrypt$N=16384,r=8,p=1$AAAA$${key}`,
    `scrypt$N=16384,r=8,p=1$${salt}$AAAA`,
    `scrypt$N=16384,r=8,p=1$${salt}$${key}=`,
    `scrypt$N=16384,r=8,p=1$${'A'.repeat(400)}$${key}`,
  ]) {
    it(`refuses "${text.slice(0, 40)}" without repeating it`, () => {
      const message = messageOf(() => parseSecretHash(text))
      if (text.length > 8) expect(message).not.to.include(text)
      expect(message).not.to.include('hunter2')
    })
  }
})

function messageOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('did not throw')
}

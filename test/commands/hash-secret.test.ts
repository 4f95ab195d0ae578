import { scryptSync } from 'node:crypto'
import { expect } from 'chai'
import { digestSecret, parseSecretHash } from '../../src/clients/secrets.ts'
import { cambist, patience } from './run.ts'

describe('cambist hash-secret', function () {
  this.timeout(patience)

  it('hashes a secret from standard input with scrypt, without its line break', async () => {
    for (const input of ['correct horse', 'correct horse\n', 'correct horse\r\n']) {
      const { code, output } = await cambist(['hash-secret'], { input })
      expect(code).to.equal(0)
      const hash = parseSecretHash(output.trimEnd())
      if (hash.form !== 'scrypt') throw new Error(output)
      expect(scryptSync('correct horse', hash.salt, hash.key.length, hash.cost).equals(hash.key)).to.equal(true)
      expect(output).not.to.include('correct')
    }
  })

  it('salts every hash', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => cambist(['hash-secret'], { input: 'same' })))
    expect(one?.output).not.to.equal(other?.output)
  })

  for (const [what, args, input] of [
    ['without input', ['hash-secret'], ''],
    ['with --generate, whatever the input', ['hash-secret', '--generate'], 'ignored'],
  ] as const) {
    it(`makes a secret ${what}`, async () => {
      const { code, output } = await cambist(args, { input })
      expect(code).to.equal(0)
      const [, secret = '', hash = ''] = /^secret {2}(\S+)\nhash {4}(\S+)\n$/.exec(output) ?? []
      expect(secret).to.match(/^[A-Za-z0-9]{43}$/)
      expect(hash).to.equal(digestSecret(secret).text)
    })
  }
})

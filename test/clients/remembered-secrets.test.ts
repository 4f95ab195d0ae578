import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { RememberedSecrets } from '../../src/clients/remembered-secrets.ts'
import { digestSecret } from '../../src/clients/secrets.ts'

describe('clients/remembered-secrets', () => {
  const first = digestSecret('1')
  const second = digestSecret('2')

  it('knows what was proved, for that hash alone, until it is forgotten', () => {
    const remembered = new RememberedSecrets(randomBytes)
    expect(remembered.knows(first, 'a')).to.equal(false)
    remembered.remember(first, 'a')
    expect(remembered.knows(first, 'a')).to.equal(true)
    expect(remembered.knows(first, 'b')).to.equal(false)
    expect(remembered.knows(second, 'a')).to.equal(false)
    remembered.forget(first)
    expect(remembered.knows(first, 'a')).to.equal(false)
  })

  it('is bounded, and gives up the oldest', () => {
    const remembered = new RememberedSecrets(randomBytes, 2)
    const hashes = ['1', '2', '3'].map(digestSecret)
    for (const hash of hashes) remembered.remember(hash, 'a')
    expect(hashes.map(hash => remembered.knows(hash, 'a'))).to.deep.equal([false, true, true])
  })
})

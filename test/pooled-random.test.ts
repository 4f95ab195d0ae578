import { expect } from 'chai'
import { pooledRandom } from '../src/pooled-random.ts'

describe('pooled-random', () => {
  it('gives as many bytes as are asked for, also more than a block', () => {
    const random = pooledRandom()
    for (const bytes of [0, 1, 16, 32, 4095, 4096, 4097, 10_000]) expect(random(bytes)).to.have.length(bytes)
  })

  it('never gives the same bytes twice', () => {
    const random = pooledRandom()
    const drawn = Array.from({ length: 2_000 }, () => random(16).toString('hex'))
    expect(new Set(drawn).size).to.equal(drawn.length)
  })

  it('gives bytes of which every value occurs about as often', () => {
    const random = pooledRandom()
    const counts = new Array<number>(256).fill(0)
    for (let round = 0; round < 10_000; round++) for (const byte of random(32)) counts[byte] = (counts[byte] ?? 0) + 1
    // 1,250 on average, 35 standard deviation: ten of them are beyond chance.
    for (const count of counts) expect(count).to.be.within(900, 1_600)
  })

  it('gives copies: what is done to one of them touches no other', () => {
    const random = pooledRandom()
    const first = random(16)
    const before = random(16).toString('hex')
    first.fill(0xff)
    expect(random(16).toString('hex')).to.not.equal('ff'.repeat(16))
    expect(before).to.not.equal('00'.repeat(16))
  })
})

import { expect } from 'chai'
import { memoryStore } from '../../src/stores/memory.ts'
import { storeConformance } from './conformance.ts'

describe('stores/memory', () => {
  let time: number
  const now = () => time

  beforeEach(() => {
    time = 1_700_000_000
  })

  describe('as every store', () => {
    storeConformance(async () => ({
      store: memoryStore(now),
      elapse: async seconds => {
        time += seconds
      },
    }))
  })

  it('lets go of what has expired while others write', async () => {
    const entries = new Map()
    const store = memoryStore(now, entries)
    for (let index = 0; index < 10_000; index++) {
      await store.put(`short:${index}`, 'x', 1)
      time += 0.01
    }
    // A hundred are alive at any moment.
    expect(entries.size).to.be.lessThan(300)
  })
})

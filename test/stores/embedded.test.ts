import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedStore } from '../../src/stores/embedded.ts'
import { storeConformance } from './conformance.ts'

describe('stores/embedded', () => {
  let folder: string
  let time: number
  const now = () => time

  beforeEach(async () => {
    time = 1_700_000_000
    folder = await mkdtemp(join(tmpdir(), 'cambist-store-'))
  })

  afterEach(() => rm(folder, { recursive: true }))

  storeConformance(async () => ({
    store: embeddedStore(join(folder, 'data'), now),
    elapse: async seconds => {
      time += seconds
    },
  }))
})

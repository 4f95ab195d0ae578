import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { redisStore } from '../../src/stores/redis.ts'
import { anyRedis, requireAnyRedis } from '../real/redis.ts'
import { storeConformance } from './conformance.ts'

const silent = pino({ level: 'silent' })

describe('stores/redis', () => {
  describe('one server', () => {
    let redis: Awaited<ReturnType<typeof anyRedis>>

    before(async function () {
      requireAnyRedis(this)
      redis = await anyRedis()
    })

    after(() => redis?.stop())

    storeConformance(async () => {
      const store = redisStore({ url: redis.url }, silent)
      await store.connected()
      return { store, elapse: seconds => pause(seconds * 1_000) }
    })
  })
})

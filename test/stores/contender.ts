// A process of its own that works on a store; `contenders.ts` starts it and tells it what to do.
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { Outage } from '../../src/oauth/errors.ts'
import { embeddedStore } from '../../src/stores/embedded.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import type { Answer, Task } from './contenders.ts'
import { until } from './until.ts'

const [kind = '', where = ''] = process.argv.slice(2)
const store = await openStore()
const send = (answer: Answer) => process.send?.(answer)

process.on('message', async (task: Task) => {
  if (task.operation === 'fill') return fill(task.key)
  const results = await Promise.all(Array.from({ length: task.times }, (_, index) => run(task, index)))
  send({ results: results.map(result => result ?? null) })
})
send({ ready: true })

async function openStore(): Promise<Store> {
  if (kind === 'embedded') return embeddedStore(where, () => Date.now() / 1_000, { sweepEvery: 500 })
  const redis = redisStore({ url: where }, pino({ level: 'silent' }))
  await until('Redis is reached', () =>
    redis.ping().then(
      () => true,
      () => false,
    ),
  )
  return redis
}

async function run({ operation, key }: Task, index: number): Promise<string | number | boolean | undefined> {
  switch (operation) {
    case 'putIfAbsent':
      return store.putIfAbsent(key, `${process.pid}:${index}`, 60)
    case 'increment':
      return store.increment(key, 60)
    default:
      return store.take(key)
  }
}

// Writes until it is killed, and reports each write that was acknowledged. What was not in time, nobody relies on.
async function fill(prefix: string): Promise<void> {
  let next = 0
  const writer = async () => {
    for (;;) {
      const key = `${prefix}:${next++}`
      await write(key).then(
        () => send({ acknowledged: key }),
        async error => {
          if (!(error instanceof Outage)) throw error
          await pause(20)
        },
      )
    }
  }
  await Promise.all(Array.from({ length: 16 }, writer))
}

async function write(key: string): Promise<void> {
  const once = await store.putIfAbsent(`once:${key}`, key, 600)
  await store.put(key, `${key} ${'x'.repeat(700)}`, 600)
  if (!once) throw new Error('somebody else has this key')
}

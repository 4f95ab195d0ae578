import type { Logger } from 'pino'
import type { HarmlessStore } from './explain/harmless-store.ts'
import { guardedFetch } from './keys/guarded-fetch.ts'
import type { Outside } from './outside.ts'
import { pooledRandom } from './pooled-random.ts'
import { memoryStore } from './stores/memory.ts'
import type { Store } from './stores/store.ts'

/** The outside world as a process has it: the system's clock, its random numbers, the network. */
export function outsideOf(store: Store, log: Logger): Outside {
  const fetch = guardedFetch()
  return { fetch, effects: fetch, now: systemTime, store, log, random: pooledRandom() }
}

/** The same for explanations, in which nothing may happen outside: `store` keeps to itself what is written. */
export function outsideToExplain(store: HarmlessStore, log: Logger): Outside {
  return { ...outsideOf(store, log), effects: undefined }
}

/** The same without a store of its own, for commands that load a configuration and serve nothing. */
export function withoutStore(log: Logger): Outside {
  return { ...outsideOf(memoryStore(systemTime), log), effects: undefined }
}

/** Now, in seconds since 1970. */
export function systemTime(): number {
  return Date.now() / 1000
}

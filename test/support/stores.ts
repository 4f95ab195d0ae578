import { Outage } from '../../src/oauth/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

/** One call of a store. */
export interface StoreCall {
  readonly method: keyof Store
  readonly arguments: readonly unknown[]
}

/** A memory store that tells what it was asked, and that can be down. */
export interface WatchedStore {
  /** For `startServer`. */
  readonly open: (now: () => number) => Store
  readonly calls: StoreCall[]
  /** While it says so of a call, the store throws instead of answering. */
  isDown: (call: StoreCall) => boolean
  /** What it throws while it is down; an `Outage` unless a test wants a bug. */
  failure: () => Error
}

/** Makes a store that is up. */
export function watchedStore(): WatchedStore {
  const watched: WatchedStore = {
    calls: [],
    isDown: () => false,
    failure: () => new Outage('the store of the test is down'),
    open: now => watch(memoryStore(now), watched),
  }
  return watched
}

function watch(store: Store, watched: WatchedStore): Store {
  const relay =
    <Arguments extends unknown[], Result>(method: keyof Store, ask: (...args: Arguments) => Promise<Result>) =>
    async (...args: Arguments): Promise<Result> => {
      const call = { method, arguments: args }
      watched.calls.push(call)
      if (watched.isDown(call)) throw watched.failure()
      return await ask(...args)
    }
  return {
    put: relay('put', (key: string, value: string, seconds: number) => store.put(key, value, seconds)),
    putIfAbsent: relay('putIfAbsent', (key: string, value: string, seconds: number) => store.putIfAbsent(key, value, seconds)),
    increment: relay('increment', (key: string, seconds: number) => store.increment(key, seconds)),
    get: relay('get', (key: string) => store.get(key)),
    take: relay('take', (key: string) => store.take(key)),
    delete: relay('delete', (key: string) => store.delete(key)),
    ping: relay('ping', () => store.ping()),
    close: () => store.close(),
  }
}

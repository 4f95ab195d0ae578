import type { Logger } from 'pino'
import type { Outside } from '../outside.ts'
import type { Parts } from '../plugin.ts'
import type { Store } from '../stores/store.ts'

/** The part of the store that belongs to one file of a plug-in: its keys are nobody else's. */
export type PluginStore = Pick<Store, 'put' | 'putIfAbsent' | 'increment' | 'get' | 'take' | 'delete'>

/** What a plug-in may use of the outside world. */
export interface PluginOutside extends Pick<Outside, 'fetch' | 'effects' | 'now' | 'random'> {
  readonly store: PluginStore
  readonly log: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>
}

/** What a plug-in is given when it is built: its own name, the outside world, and whatever its settings refer to. */
export interface PluginParts
  extends Pick<Parts, 'id' | 'issuer' | 'text' | 'signingKey' | 'jsonSchema' | 'settingAt' | 'problem' | 'warn' | 'probe'> {
  readonly outside: PluginOutside
}

/** Exactly these parts, and nothing of the server's own. */
export function partsForPlugin(parts: Parts, type: string): PluginParts {
  const { id, issuer, text, signingKey, jsonSchema, settingAt, problem, warn, probe, outside } = parts
  const { fetch, effects, now, random, store, log } = outside
  return {
    ...{ id, issuer, text, signingKey, jsonSchema, settingAt, problem, warn, probe },
    outside: { fetch, effects, now, random, store: ownPart(store, `plugin:${type}:${id}:`), log: log.child({ plugin: type }) },
  }
}

function ownPart(store: Store, prefix: string): PluginStore {
  return {
    put: (key, value, seconds) => store.put(prefix + key, value, seconds),
    putIfAbsent: (key, value, seconds) => store.putIfAbsent(prefix + key, value, seconds),
    increment: (key, seconds) => store.increment(prefix + key, seconds),
    get: key => store.get(prefix + key),
    take: key => store.take(prefix + key),
    delete: key => store.delete(prefix + key),
  }
}

import type { JsonValue } from './json.ts'

/** What outlives a reload may have to let go of something when nobody needs it any more. */
interface MayBeClosed {
  close?(): unknown
}

/** Gives what was kept under a name, or makes it. */
export interface Keeping {
  /**
   * `name` has everything that changes what the value means, so that a changed setting never finds what an old one has left. What
   * `make` closes over lives as long as the value: nothing of the configuration that asks, but for what stands in the name.
   */
  of<Value extends object>(name: readonly JsonValue[], make: () => Value): Value
}

/**
 * What outlives a reload: keys that were fetched, secrets that were proved, connections. Without it, a reload while the server of an
 * issuer is down would refuse what was served a moment before.
 */
export class Kept {
  #values: ReadonlyMap<string, MayBeClosed> = new Map()

  /** For one attempt to build a configuration. */
  draft(): KeptDraft {
    const asked = new Map<string, MayBeClosed>()
    const made: MayBeClosed[] = []
    const keep = (values: ReadonlyMap<string, MayBeClosed>) => {
      const dropped = [...this.#values].filter(([name]) => !values.has(name)).map(([, value]) => value)
      this.#values = values
      return dropped
    }
    const known = (name: string) => asked.get(name) ?? this.#values.get(name)
    return {
      of(name, make) {
        const key = JSON.stringify(name)
        const value = known(key) ?? make()
        if (known(key) === undefined) made.push(value)
        asked.set(key, value)
        return value as ReturnType<typeof make>
      },
      settle: () => keep(new Map(asked)),
      discard: () => closeAll(made),
    }
  }
}

/** What one configuration asks for while it is built. */
export interface KeptDraft extends Keeping {
  /** The configuration is in use: what it has not asked for is given back, and nobody gets it any more. */
  settle(): readonly MayBeClosed[]
  /** The configuration is not used: closes what was made for it alone. */
  discard(): Promise<void>
}

/** Closes what can be closed, all of it whatever fails; then throws the first failure. */
export async function closeAll(values: readonly MayBeClosed[]): Promise<void> {
  const results = await Promise.allSettled(values.map(async value => await value.close?.()))
  const failed = results.find(result => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

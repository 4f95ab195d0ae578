import { pathOf } from './resource.ts'
import type { Target } from './target.ts'

/** All targets of the server, and which of them a resource or an audience belongs to. A name belongs to one target only. */
export class TargetIndex {
  readonly #targets = new Map<string, Target>()
  readonly #resources = new Map<string, Target>()
  readonly #audiences = new Map<string, Target>()

  /** All of them, in the order in which they were added. */
  get all(): readonly Target[] {
    return [...this.#targets.values()]
  }

  /** Adds a target; that no other one has its names was found out before (`config/clashes.ts`). */
  add(target: Target): void {
    this.#targets.set(`${target.kind} ${target.id}`, target)
    for (const resource of target.resources) this.#resources.set(resource, target)
    for (const audience of target.audiences) this.#audiences.set(audience, target)
  }

  /**
   * The target of a resource (RFC 8707 §2): the configured resource that is equal, else the longest one that ends in `/` and is a
   * prefix of it. The text is cut at its slashes only, so that path segments are compared whole and host and port exactly.
   */
  ofResource(resource: string): Target | undefined {
    const exact = this.#resources.get(resource)
    if (exact !== undefined) return exact
    const path = pathOf(resource)
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const target = this.#resources.get(path.slice(0, slash + 1))
      if (target !== undefined) return target
    }
    return undefined
  }

  /** The target of a logical name, compared exactly. */
  ofAudience(audience: string): Target | undefined {
    return this.#audiences.get(audience)
  }

  /** The target of a kind with this id. */
  named(kind: Target['kind'], id: string | undefined): Target | undefined {
    return id === undefined ? undefined : this.#targets.get(`${kind} ${id}`)
  }

  /** Whether any target makes tokens of this type. */
  make(tokenType: string): boolean {
    return [...this.#targets.values()].some(target => target.makerOf(tokenType) !== undefined)
  }
}

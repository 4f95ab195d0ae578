/** Which target a resource or an audience belongs to. A name belongs to one target only, over the whole server. */
export class TargetIndex {
  readonly #resources = new Map<string, string>()
  readonly #audiences = new Map<string, string>()

  /** Claims names for a target; returns the names that another one has claimed before. */
  claim(target: string, resources: readonly string[], audiences: readonly string[]): Array<{ name: string; owner: string }> {
    return [...claimAll(this.#resources, resources, target), ...claimAll(this.#audiences, audiences, target)]
  }

  /**
   * The target of a resource (RFC 8707 §2): the configured resource that is equal, else the longest one that ends in `/` and is a
   * prefix of it. The text is cut at its slashes only, so that path segments are compared whole and host and port exactly.
   */
  ofResource(resource: string): string | undefined {
    const exact = this.#resources.get(resource)
    if (exact !== undefined) return exact
    const path = withoutQuery(resource)
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const target = this.#resources.get(path.slice(0, slash + 1))
      if (target !== undefined) return target
    }
    return undefined
  }

  /** The target of a logical name, compared exactly. */
  ofAudience(audience: string): string | undefined {
    return this.#audiences.get(audience)
  }
}

function claimAll(index: Map<string, string>, names: readonly string[], target: string): Array<{ name: string; owner: string }> {
  return names.flatMap(name => {
    const owner = index.get(name)
    if (owner === undefined) index.set(name, target)
    return owner === undefined || owner === target ? [] : [{ name, owner }]
  })
}

function withoutQuery(resource: string): string {
  const query = resource.indexOf('?')
  return query === -1 ? resource : resource.slice(0, query)
}

/**
 * Why a resource cannot be compared safely; undefined when it can. It has to be an absolute URI without fragment (RFC 8707 §2).
 * Since prefixes are compared as text, whatever another reader would resolve or decode into another path is refused.
 */
export function resourceProblem(resource: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(resource)) return 'must be an absolute URI'
  if (resource.includes('#')) return 'must not have a fragment'
  if (/["<>\\^`{|}]/.test(resource)) return 'has characters that a URI cannot have'
  if (/%(?![0-9A-Fa-f]{2})/.test(resource)) return 'has a broken percent encoding'
  const path = withoutQuery(resource)
  if (/%(2[ef]|5c|00)/i.test(path)) return 'must not have encoded dots, slashes, backslashes or zeros in its path'
  if (/\/\.{1,2}(\/|$)/.test(path)) return 'must not have "." or ".." as a path segment'
  const authority = /^[^:]+:\/\/([^/?]*)/.exec(resource)?.[1]
  if (authority?.includes('@')) return 'must not have user information'
  if (authority === '') return 'must have a host'
  // A host or port that no address has: `https://[::1/`, `https://a:b/`.
  return URL.canParse(resource) ? undefined : 'has a host or port that cannot be'
}

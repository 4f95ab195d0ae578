import { z } from 'zod'
import { nearestName } from '../config/suggest.ts'

/**
 * Why a resource cannot be compared safely; undefined when it can. It has to be an absolute URI without fragment (RFC 8707 §2).
 * Since prefixes are compared as text, whatever another reader would resolve or decode into another path is refused.
 */
export function resourceProblem(resource: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(resource)) return 'must be an absolute URI'
  if (resource.includes('#')) return 'must not have a fragment'
  if (/["<>\\^`{|}]/.test(resource)) return 'has characters that a URI cannot have'
  if (/%(?![0-9A-Fa-f]{2})/.test(resource)) return 'has a broken percent encoding'
  const path = pathOf(resource)
  if (/%(2[def]|3[0-9]|4[1-9a-f]|5[0-9acf]|6[1-9a-f]|7[0-9ae]|00)/i.test(path))
    return 'must not have encoded letters, digits, dots, slashes, backslashes or zeros in its path'
  if (/\/\.{1,2}([/;]|$)/.test(path)) return 'must not have "." or ".." as a path segment'
  if (/[^:/]\/\//.test(path)) return 'must not have empty path segments'
  const authority = /^[^:]+:\/\/([^/?]*)/.exec(resource)?.[1]
  if (authority?.includes('@')) return 'must not have user information'
  if (authority === '') return 'must have a host'
  // A host or port that no address has: `https://[::1/`, `https://a:b/`.
  return URL.canParse(resource) ? undefined : 'has a host or port that cannot be'
}

/** The part of a resource in front of its query, in which prefixes are looked for. */
export function pathOf(resource: string): string {
  const query = resource.indexOf('?')
  return query === -1 ? resource : resource.slice(0, query)
}

/** Whether the resource serves every address on its host. */
export function isWholeHost(resource: string): boolean {
  return resource.endsWith('/') && new URL(resource).pathname === '/'
}

/** What an administrator cannot have meant, although a request may name it. Requests are compared with it as texts. */
function misspelling(text: string): string | undefined {
  const scheme = text.slice(0, text.indexOf(':'))
  if (/^[a-z0-9.-]+:[0-9]+(\/|$)/i.test(text)) return `has no scheme: write "https://${text}"`
  if (!/^https?$/.test(scheme) && text.startsWith(`${scheme}://`)) {
    const meant = nearestName(scheme, ['https', 'http'])
    if (meant !== undefined) return `has the scheme "${scheme}"; did you mean "${meant}"?`
  }
  if (!/^https?:\/\//.test(text)) return undefined
  if (text.endsWith('/*')) return `is no pattern: "${text.slice(0, -1)}" serves everything below it`
  const { origin } = new URL(text)
  return text === origin || (/^[/?]/.test(text.slice(origin.length)) && text.startsWith(origin))
    ? undefined
    : `is to be written with "${origin}", as clients write it`
}

/** A resource in a configuration file. */
export const resource = z
  .string()
  .refine(text => resourceProblem(text) === undefined, {
    error: issue => `this resource ${resourceProblem(String(issue.input)) ?? 'cannot be used'}`,
    abort: true,
  })
  .refine(text => misspelling(text) === undefined, { error: issue => `this resource ${misspelling(String(issue.input)) ?? ''}` })
  .meta({ description: 'An absolute URI; one that ends in "/" serves everything below it' })

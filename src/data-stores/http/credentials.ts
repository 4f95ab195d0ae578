import { parseOutsidersObject } from '../../json.ts'
import type { GuardedFetch, GuardedRequest } from '../../keys/guarded-fetch.ts'
import type { Instant } from '../../outside.ts'

/** How this server says to a service who it is. */
export interface Credentials {
  /** The headers that say it. */
  headers(limits: Pick<GuardedRequest, 'maxMilliseconds'>): Promise<Readonly<Record<string, string>>>
  /** The service did not take them. Whether others may do. */
  refused(): boolean
}

/** Credentials that stay the same. */
export function fixedCredentials(headers: Readonly<Record<string, string>>): Credentials {
  return { headers: async () => headers, refused: () => false }
}

/** RFC 7617. */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** Where an access token comes from (RFC 6749 §4.4), and as whom it is asked for. */
export interface TokenSource {
  readonly tokenEndpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string | undefined
  readonly resource: string | undefined
  readonly request: Pick<GuardedRequest, 'allowPrivateNetwork' | 'agent'>
}

// One that says nothing of its end is not kept for long, and every one is renewed before it ends.
const unknownLifetime = 60
const renewal = 10

/** An access token that is fetched when it is needed, once for all who wait, and used until shortly before it ends. */
export class ClientCredentials implements Credentials {
  readonly #source: TokenSource
  readonly #fetch: GuardedFetch
  readonly #now: () => Instant
  #token: { readonly text: string; readonly until: Instant } | undefined
  #coming: Promise<string> | undefined

  constructor(source: TokenSource, fetch: GuardedFetch, now: () => Instant) {
    this.#source = source
    this.#fetch = fetch
    this.#now = now
  }

  async headers({ maxMilliseconds = 5_000 }: Pick<GuardedRequest, 'maxMilliseconds'>): Promise<Readonly<Record<string, string>>> {
    const known = this.#token
    if (known !== undefined && this.#now() < known.until) return { authorization: `Bearer ${known.text}` }
    this.#coming ??= this.#obtain(maxMilliseconds).finally(() => {
      this.#coming = undefined
    })
    return { authorization: `Bearer ${await this.#coming}` }
  }

  refused(): boolean {
    this.#token = undefined
    return true
  }

  async #obtain(maxMilliseconds: number): Promise<string> {
    const { tokenEndpoint, clientId, clientSecret, scope, resource, request } = this.#source
    const form = new URLSearchParams({ grant_type: 'client_credentials' })
    if (scope !== undefined) form.set('scope', scope)
    if (resource !== undefined) form.set('resource', resource)
    const authorization = basicAuthorization(formEncoded(clientId), formEncoded(clientSecret))
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await this.#fetch(tokenEndpoint, { method: 'POST', headers, body: form.toString(), maxMilliseconds, ...request })
    const said = answer.status === 200 ? parseOutsidersObject(await answer.text()) : undefined
    const { access_token: text, token_type: type, expires_in: seconds } = said ?? {}
    if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text) || String(type).toLowerCase() !== 'bearer')
      throw new Error(`the token endpoint answered ${answer.status}, and no bearer token`)
    const lifetime = typeof seconds === 'number' && seconds > 0 ? seconds : unknownLifetime
    this.#token = { text, until: this.#now() + Math.max(lifetime / 2, lifetime - renewal) }
    return text
  }
}

/** RFC 6749 §2.3.1. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import type { Instant } from '../outside.ts'
import { terminal } from '../terminal.ts'
import { type ExchangeRequest, exchange, nameOf, type ObtainedToken } from './exchange-request.ts'
import type { TokenCache } from './token-cache.ts'

/** What obtaining a token needs of the world. */
export interface Workstation {
  readonly fetch: GuardedFetch
  readonly now: () => Instant
  /** Undefined: nothing is kept. */
  readonly cache: TokenCache | undefined
}

// Whoever takes it has to finish what he does with it.
const ahead = 300
const least = 30

/** The token of a request: the kept one while it is good for a while, or a new one. Where none is to be had, the kept one until it ends. */
export async function obtain(request: ExchangeRequest, { fetch, now, cache }: Workstation): Promise<ObtainedToken> {
  const renew = () => exchange(request, fetch, now())
  if (cache === undefined) return await renew()
  const problem = await cache.problem()
  if (problem !== undefined) {
    terminal.complain(`cambist: nothing can be kept (${problem})`)
    return await renew()
  }
  const name = nameOf(request)
  const fresh = (token: ObtainedToken | undefined) => (token !== undefined && token.expiresAt - now() > ahead ? token : undefined)
  const kept = await cache.get(name)
  return (
    fresh(kept) ?? (await cache.alone(name, async () => fresh(await cache.get(name)) ?? (await renewed(renew, kept, name, cache, now()))))
  )
}

async function renewed(
  renew: () => Promise<ObtainedToken>,
  kept: ObtainedToken | undefined,
  name: string,
  cache: TokenCache,
  now: Instant,
): Promise<ObtainedToken> {
  try {
    const token = await renew()
    await cache.put(name, token)
    return token
  } catch (error) {
    if (kept === undefined || kept.expiresAt - now < least) throw error
    terminal.complain(`cambist: ${(error as Error).message}; what was obtained before is used until it ends`)
    return kept
  }
}

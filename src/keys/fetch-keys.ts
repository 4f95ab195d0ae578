import { type JsonObject, parseOutsidersObject } from '../json.ts'
import { addressProblem } from './addresses.ts'
import type { GuardedAnswer, GuardedFetch } from './guarded-fetch.ts'
import { readPublicKeys, type WantedKeys } from './public-keys.ts'
import type { FetchedKeys } from './remote-keys.ts'

/** Where and how the keys of an issuer are fetched. */
export interface KeyFetching {
  readonly fetch: GuardedFetch
  readonly allowPrivateNetwork: boolean
  readonly wanted: WantedKeys
}

const age = { fewest: 60, usual: 600, most: 86_400 }

/** Fetches a JWK Set (RFC 7517 §5). A set without a single usable key is a failure, so that it never replaces a good one. */
export async function fetchKeys(uri: string, fetching: KeyFetching): Promise<FetchedKeys> {
  const { set, maxAge } = await fetchKeySet(uri, fetching)
  const keys = readPublicKeys(set, fetching.wanted)
  if (keys === undefined) throw new Error(`${uri} is not a JWK Set`)
  if (keys.size === 0)
    throw new Error(
      `${uri} has no key that can be used${keys.defects.map(({ index, message }) => `; keys[${index}]: ${message}`).join('')}`,
    )
  return { keys, maxAge }
}

/** A JWK Set as it was fetched. Nothing of it has been looked at. */
export interface FetchedSet {
  readonly set: JsonObject
  readonly maxAge: number
}

/** Fetches the JSON object of a JWK Set, whatever its keys are for. */
export async function fetchKeySet(uri: string, fetching: Omit<KeyFetching, 'wanted'>): Promise<FetchedSet> {
  const answer = await get(uri, fetching)
  return { set: await objectOf(answer, uri), maxAge: maxAgeOf(answer.headers.get('cache-control')) }
}

/** Finds an issuer's `jwks_uri` by its metadata (OpenID Connect Discovery §4, else RFC 8414 §3) and fetches from there. */
export async function discoverKeys(issuer: string, fetching: KeyFetching): Promise<FetchedKeys> {
  const [openid, oauth] = metadataAddresses(issuer)
  const metadata = (await metadataAt(openid, fetching)) ?? (await metadataAt(oauth, fetching))
  if (metadata === undefined) throw new Error(`${issuer} has no metadata`)
  // RFC 8414 §3.3: otherwise one issuer could speak for another.
  if (metadata.issuer !== issuer) throw new Error(`the metadata of ${issuer} are those of another issuer`)
  const { jwks_uri: uri } = metadata
  if (typeof uri !== 'string') throw new Error(`the metadata of ${issuer} name no jwks_uri`)
  return await fetchKeys(uri, fetching)
}

/** The two places of an issuer's metadata: appended to the issuer, and inserted before its path. */
export function metadataAddresses(issuer: string): readonly [openid: string, oauth: string] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`]
}

async function metadataAt(address: string, fetching: KeyFetching): Promise<JsonObject | undefined> {
  const answer = await fetching.fetch(address, { allowPrivateNetwork: fetching.allowPrivateNetwork })
  if (answer.status === 404) return undefined
  return await objectOf(expectOk(answer, address), address)
}

async function get(address: string, { fetch, allowPrivateNetwork }: Omit<KeyFetching, 'wanted'>): Promise<GuardedAnswer> {
  // The guard asks this again; here it also holds for whatever `fetch` a test brings.
  const problem = addressProblem(address, allowPrivateNetwork)
  if (problem !== undefined) throw new Error(`${address} ${problem}`)
  return expectOk(await fetch(address, { allowPrivateNetwork }), address)
}

function expectOk(answer: GuardedAnswer, address: string): GuardedAnswer {
  if (answer.status !== 200) throw new Error(`${address} answered ${answer.status}`)
  return answer
}

async function objectOf(answer: GuardedAnswer, address: string): Promise<JsonObject> {
  const object = parseOutsidersObject(await answer.text())
  if (object === undefined) throw new Error(`${address} did not answer with a JSON object`)
  return object
}

/** `max-age` of Cache-Control (RFC 9111 §5.2.2.1) within our bounds; without one, ten minutes. */
export function maxAgeOf(cacheControl: string | null): number {
  if (cacheControl === null) return age.usual
  if (/(^|[\s,])(no-store|no-cache)([\s,=]|$)/i.test(cacheControl)) return age.fewest
  const seconds = /(?:^|[\s,])max-age="?(\d{1,10})/i.exec(cacheControl)?.[1]
  return seconds === undefined ? age.usual : Math.min(Math.max(Number(seconds), age.fewest), age.most)
}

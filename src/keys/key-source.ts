import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { duration, ExternalText, externalText, webAddress } from '../config/values.ts'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import type { Parts } from '../plugin.ts'
import { addressProblem } from './addresses.ts'
import { discoverKeys, fetchKeys } from './fetch-keys.ts'
import { PublicKeys, readPublicKeys, type WantedKeys } from './public-keys.ts'
import { type IssuerKeys, RemoteKeys } from './remote-keys.ts'

/** The members of a setting that say where somebody's public keys come from; exactly one of the first three stands there. */
export const keySourceShape = {
  jwksUri: webAddress.optional().meta({ description: 'Where the JWK Set is fetched from' }),
  discovery: z.literal(true).optional().meta({ description: 'The JWK Set is found by the metadata of the issuer' }),
  jwks: z
    .union([
      z.object({ keys: z.array(z.record(z.string(), z.json())).min(1).meta({ description: 'The keys, each a JWK' }) }).catchall(z.json()),
      externalText,
    ])
    .optional()
    .meta({ description: 'The JWK Set itself (public keys), or where it stands' }),
  maxStale: duration
    .default(86_400)
    .meta({ description: 'How long the last good keys serve while no new ones can be fetched (default "24h")' }),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether keys may be fetched from private and loopback addresses, there also by plain http' }),
}

/** Where somebody's public keys come from. */
export interface KeySource {
  readonly jwksUri?: string | undefined
  readonly discovery?: true | undefined
  readonly jwks?: JsonObject | ExternalText | undefined
  readonly maxStale: number
  readonly allowPrivateNetwork: boolean
}

/** Whether exactly one source is named: the refinement of the object that has `keySourceShape`. */
export function namesOneSource({ jwksUri, discovery, jwks }: Partial<KeySource>): boolean {
  return [jwksUri, discovery, jwks].filter(source => source !== undefined).length === 1
}

/** The message for settings that do not. */
export const oneSourceMessage = 'expected exactly one of "jwksUri", "discovery" and "jwks"'

/** The keys of an issuer from wherever its settings, which stand at `path`, say. What cannot work is reported as a problem. */
export function openKeySource(issuer: string, source: KeySource, wanted: WantedKeys, parts: Parts, path: Path): IssuerKeys {
  if (source.jwks !== undefined) return configuredKeys(source.jwks, wanted, parts, [...path, 'jwks'])
  checkAddress(issuer, source, parts, path)
  const { jwksUri, maxStale, allowPrivateNetwork } = source
  const { fetch, now, log, fetches } = parts.outside
  const fetching = { fetch, allowPrivateNetwork, wanted }
  const fetchNow = () => (jwksUri === undefined ? discoverKeys(issuer, fetching) : fetchKeys(jwksUri, fetching))
  parts.probe({
    path: [...path, jwksUri === undefined ? 'discovery' : 'jwksUri'],
    what: `the keys of ${issuer}`,
    run: async () => `usable keys: ${(await fetchNow()).keys.size}`,
  })
  const name = ['keys', issuer, jwksUri ?? null, maxStale, allowPrivateNetwork, [...wanted.algorithms], [...(wanted.uses ?? [])]]
  return parts.kept.of(name, () => {
    const heard = fetches?.of({ kind: 'keys', issuer, address: jwksUri ?? issuer })
    return new RemoteKeys({
      fetchKeys: fetchNow,
      now,
      maxStale,
      onSuccess({ keys, maxAge }) {
        heard?.succeeded()
        log.debug({ issuer, keys: keys.size, unusable: keys.defects, maxAge }, 'the keys of an issuer were fetched')
      },
      onFailure(error) {
        heard?.failed()
        log.warn({ err: error, issuer }, 'the keys of an issuer could not be fetched')
      },
      onClose: () => heard?.forgotten(),
    })
  })
}

function checkAddress(issuer: string, source: KeySource, parts: Parts, path: Path): void {
  const { jwksUri, allowPrivateNetwork } = source
  if (jwksUri === undefined && !/^https?:\/\//.test(issuer)) {
    parts.problem([...path, 'discovery'], 'this issuer is no web address: say "jwksUri" or "jwks" instead')
    return
  }
  const problem = addressProblem(jwksUri ?? issuer, allowPrivateNetwork)
  if (problem !== undefined) parts.problem([...path, jwksUri === undefined ? 'discovery' : 'jwksUri'], problem)
  if (allowPrivateNetwork) {
    parts.warn('private-network', [...path, 'allowPrivateNetwork'], 'the keys may be fetched from addresses of private networks')
  }
}

// In a set of the configuration every key is meant: one that cannot be used is a mistake, not the issuer's business.
function configuredKeys(jwks: JsonObject | ExternalText, wanted: WantedKeys, parts: Parts, path: Path): PublicKeys {
  const set = jwks instanceof ExternalText ? parseOutsidersObject(parts.text(jwks)) : jwks
  const keys = set === undefined ? undefined : readPublicKeys(set, wanted)
  if (keys === undefined) {
    parts.problem(path, 'is not a JWK Set: a JSON object with the member "keys"')
    return new PublicKeys([])
  }
  const inline = !(jwks instanceof ExternalText)
  for (const { index, message } of keys.defects) {
    parts.problem(inline ? [...path, 'keys', index] : path, inline ? message : `keys[${index}]: ${message}`)
  }
  if (keys.size === 0 && keys.defects.length === 0) parts.problem(path, 'has no keys')
  return keys
}

import type { JsonObject } from '../../json.ts'
import { hours, type Preset } from './preset.ts'

const trustDomain = '[a-z0-9._-]{1,255}'

/**
 * A JWT-SVID (SPIFFE JWT-SVID §2, §3). It need not have `iss`: whose keys verify it follows from the trust domain in `sub` alone, so that the
 * `issuer` of the file is the trust domain, and its keys are those of the trust domain's bundle.
 */
export const spiffe: Preset = {
  issuerForm: new RegExp(`^spiffe://${trustDomain}$`),
  issuerHint: 'a trust domain, such as "spiffe://example.org", with the "jwksUri" of its bundle',
  algorithms: ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  types: ['jwt', 'jose'],
  requiredClaims: ['aud', 'iat'],
  maxLifetime: 24 * hours,
  keyUses: ['jwt-svid'],
  issuerOf: trustDomainOf,
  claims: {
    type: 'object',
    required: ['sub'],
    properties: { sub: { type: 'string', maxLength: 2048, pattern: `^spiffe://${trustDomain}(/[a-zA-Z0-9._-]+)+$` } },
  },
}

function trustDomainOf({ sub }: JsonObject): string | undefined {
  return typeof sub === 'string' ? /^spiffe:\/\/[^/]+(?=\/)/.exec(sub)?.[0] : undefined
}

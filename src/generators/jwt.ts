import { z } from 'zod'
import { distinct, lifetime, reference } from '../config/values.ts'
import { endpoint } from '../http/documents.ts'
import type { JsonObject } from '../json.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Parts, pluginKind, SettingProblem } from '../plugin.ts'
import { bindingSettings } from '../policies/binding.ts'
import { buildContract, contractSettings } from '../policies/contract.ts'
import { warnOfLifetime } from '../policies/lifetime-warnings.ts'
import type { Contract } from '../policies/processor-policy.ts'
import { claimsForAws, contractForAws, jwtPresets, reportToAws, webIdentityRequest, withinLimit, withTransitiveTags } from './aws-jwt.ts'
import type { GeneratorGrant, JwtIssuerPublication, TokenGenerator } from './token-generator.ts'

const nonEmpty = z.string().min(1)

const shape = {
  preset: z.enum(jwtPresets).optional().meta({
    description:
      'Whose rules the tokens keep: "aws-web-identity" for AssumeRoleWithWebIdentity, "aws-identity-center" for a trusted token issuer',
  }),
  issuer: nonEmpty
    .optional()
    .meta({ description: 'The iss claim, never this server\'s own; absent: "<issuer of this server>/issuers/<id>"' }),
  audience: z.union([nonEmpty, distinct(nonEmpty).min(1)]).meta({ description: 'The aud claim: whose server takes the tokens' }),
  signingKey: reference('keys').meta({ description: 'The key that signs, or any key of its line of succession' }),
  typ: nonEmpty.default('JWT').meta({ description: 'The typ header (default "JWT")' }),
  lifetime: lifetime.meta({ description: 'How long a token lives at most' }),
  outlivesSubject: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether a token may live longer than the subject token that it was exchanged from' }),
  binding: bindingSettings,
  contract: contractSettings,
}
type Settings = z.output<z.ZodObject<typeof shape>>

/** What the pipeline decides cannot be mapped (protocol decisions, "Tokens of this server"). */
const decidedByThePipeline = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'act', 'cnf']

/** JWTs for somebody else's server (RFC 7519, RFC 8693 §2.2.1), by an issuer of their own: none of them is an access token of this server. */
export const jwt = pluginKind('jwt', shape, (settings, parts): TokenGenerator => {
  const { preset, audience, lifetime, outlivesSubject, typ } = settings
  const issuer = issuerOf(settings, parts)
  const { active, published } = parts.signingKey(settings.signingKey, ['signingKey'])
  const header = Buffer.from(JSON.stringify({ alg: active.algorithm, typ, kid: active.kid })).toString('base64url')
  const [only, ...more] = typeof audience === 'string' ? [audience] : audience
  const aud = more.length === 0 ? only : audience
  if (preset !== undefined) reportToAws({ issuer, audiences: [audience].flat(), algorithm: active.algorithm }, parts)
  if (preset !== undefined && settings.binding !== 'optional')
    parts.problem(['binding'], 'AWS knows no bound tokens: with a preset, none can be demanded')
  const contract = checkedContract(settings, parts)
  warnOfLifetime(settings, parts)
  return {
    id: parts.id,
    type: 'jwt',
    tokenType: tokenTypes.jwt,
    contract,
    lifetime,
    outlivesSubject,
    expressesActor: true,
    binding: { rule: settings.binding, path: ['binding'] },
    // AWS does not look at cnf: with the presets, a token is a bearer token whatever it says.
    binds: () => preset === undefined,
    publication: publicationOf(issuer, parts, published, claimNamesOf(settings)),
    roleRequest: preset === 'aws-web-identity' ? webIdentityRequest : undefined,
    async generate(grant) {
      const id = parts.outside.random(16).toString('base64url')
      const claims: JsonObject = { iss: issuer, ...claimsOf(grant, preset), aud, jti: id }
      const signed = await active.signCompact(header, JSON.stringify(claims))
      const token = preset === undefined ? signed : withinLimit(signed)
      return { token, id, tokenType: 'N_A', expiresAt: grant.expiresBy, content: { claims } }
    },
  }
})

// Whole seconds: some receivers refuse fractions (AWS among them).
function claimsOf({ attributes, delegation, binding, expiresBy, now }: GeneratorGrant, preset: Settings['preset']): JsonObject {
  const known = Object.entries(attributes).filter(([, value]) => value !== null)
  return {
    ...claimsForPreset(preset, Object.fromEntries(known)),
    iat: Math.floor(now),
    exp: Math.floor(expiresBy),
    ...(delegation.act !== undefined && { act: delegation.act }),
    ...(binding.confirmation !== undefined && { cnf: binding.confirmation }),
  }
}

function claimsForPreset(preset: Settings['preset'], attributes: JsonObject): JsonObject {
  return preset === 'aws-web-identity' ? claimsForAws(attributes) : attributes
}

function claimNamesOf({ preset, contract }: Settings): string[] {
  return Object.keys(claimsForPreset(preset, Object.fromEntries(Object.keys(contract).map(name => [name, '']))))
}

// With our own issuer it would pass for an access token of ours, wherever `typ` and `aud` are not looked at.
function issuerOf({ issuer }: Settings, parts: Parts): string {
  const named = issuer ?? endpoint(parts.issuer, `issuers/${encodeURIComponent(parts.id)}`)
  const withoutSlash = (text: string) => text.replace(/\/$/, '')
  if (withoutSlash(named) === withoutSlash(parts.issuer))
    throw new SettingProblem(['issuer'], 'is the issuer of this server; access tokens are made by access token managers only')
  return named
}

function checkedContract({ preset, contract }: Settings, parts: Parts): Contract {
  for (const name of decidedByThePipeline) {
    if (Object.hasOwn(contract, name))
      parts.problem(['contract', name], `the claim "${name}" is decided by the exchange and cannot be mapped`)
  }
  if (contract.sub?.type !== 'string') parts.problem(['contract'], 'the contract needs the attribute "sub" with "type": "string"')
  if (preset === undefined) return buildContract(contract, parts, ['contract'])
  return withTransitiveTags(buildContract(contractForAws(preset, contract, parts, ['contract']), parts, ['contract']))
}

/** The documents of the issuer (OpenID Connect Discovery §3, §4; RFC 7517 §5), in the form that AWS and others look for. */
function publicationOf(issuer: string, parts: Parts, keys: readonly SigningKey[], claims: readonly string[]): JwtIssuerPublication {
  const configuration = {
    issuer,
    // Always an address of ours, also where the issuer is a name of somebody else's.
    jwks_uri: endpoint(parts.issuer, `issuers/${encodeURIComponent(parts.id)}/jwks`),
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(key => key.algorithm))],
    claims_supported: [...new Set(['iss', 'sub', 'aud', 'exp', 'iat', 'jti', ...claims])],
  }
  return {
    as: 'jwt-issuer',
    issuer,
    openidConfiguration: JSON.stringify(configuration),
    jwks: JSON.stringify({ keys: keys.map(key => key.publicJwk) }),
  }
}

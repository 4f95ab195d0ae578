import { reference as referenceTo } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { isCompactJwe } from '../keys/compact-jwe.ts'
import { CompactJwsReader, decodeJsonObject } from '../keys/compact-jws.ts'
import { openRecipient, recipientSettings } from '../keys/open-recipient.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { pluginKind } from '../plugin.ts'
import type { AccessTokenManager } from './access-token-manager.ts'
import { KeptTokens } from './kept-tokens.ts'
import { accessTokenOf, claimsOf, managerBasics, managerSettings, tokenTypeOf } from './manager-settings.ts'
import { Revocations } from './revocations.ts'

const shape = {
  ...managerSettings,
  signingKey: referenceTo('keys').meta({ description: 'The key that signs, or any key of its line of succession' }),
  encryption: recipientSettings.optional().meta({ description: 'For whom the signed tokens are encrypted; absent: they are not' }),
}

/**
 * JWT access tokens (RFC 9068). Issuing one writes nothing to the store; reading one asks it for revocations. One that is encrypted
 * (RFC 7519 §5.2) cannot be opened here any more, so the store keeps its claims.
 */
export const jwt = pluginKind('jwt', shape, async (settings, parts): Promise<AccessTokenManager> => {
  const { store, random } = parts.outside
  const basics = managerBasics(settings, parts)
  const line = parts.signingKey(settings.signingKey, ['signingKey'])
  const header = protectedHeader(line.active, parts.id)
  const genuine = claimReader(line.published, parts.id)
  const revocations = new Revocations(store)
  const reader = settings.encryption && (await openRecipient(settings.encryption, parts, ['encryption']))
  // What is only described goes to nobody, so that policy tests need no reader's server.
  const recipient = parts.outside.effects === undefined ? undefined : reader
  const encrypted = new KeptTokens(store, parts.id)
  const mine = (audience: string) =>
    settings.audience === 'requested' ? isServed(audience, settings.resources) : settings.audience.includes(audience)

  const current = (claims: JsonObject, now: Instant) => {
    const read = accessTokenOf(parts.id, claims)
    return read.issuer === parts.issuer && read.audiences.some(mine) && isCurrent(claims, now) ? read : undefined
  }

  return {
    ...basics,
    type: 'jwt',
    ...(recipient !== undefined && { ready: () => recipient.ready() }),
    async generate(grant) {
      const id = random(16).toString('base64url')
      const claims = claimsOf(grant, { issuer: parts.issuer, id, audience: basics.audienceFor(grant.target.resources) })
      const signed = await line.active.signCompact(header, JSON.stringify(claims))
      const token = recipient === undefined ? signed : await recipient.encrypt(signed)
      if (reader !== undefined) await encrypted.keep(token, claims, grant)
      return { token, id, tokenType: tokenTypeOf(grant), expiresAt: grant.expiresBy, content: { claims } }
    },
    async read(token, now) {
      const claims = isCompactJwe(token) ? await encrypted.find(token) : genuine(token)
      const read = claims && current(claims, now)
      if (read === undefined) return undefined
      return (await revocations.reach(read.id, read.ancestors)) ? undefined : read
    },
    assume: current,
  }
})

// `atm` names the manager, so that a token of one manager is never read by the rules of another with the same key.
function protectedHeader(key: SigningKey, manager: string): string {
  const header = { alg: key.algorithm, typ: 'at+jwt', kid: key.kid, atm: manager }
  return Buffer.from(JSON.stringify(header)).toString('base64url')
}

/** Gives the claims of a token that one of the keys signed for this manager (RFC 9068 §4). */
function claimReader(keys: readonly SigningKey[], manager: string): (token: string) => JsonObject | undefined {
  const reader = new CompactJwsReader()
  const verifying = new Map(keys.map(key => [key.kid, key.verifying]))
  return token => {
    const jws = readCompact(reader, token)
    if (jws === undefined || jws.header.type !== 'at+jwt' || jws.header.members.atm !== manager) return undefined
    const key = verifying.get(jws.header.kid ?? '')
    if (key === undefined || key.algorithm !== jws.header.alg || !key.verify(jws.signingInput, jws.signature)) return undefined
    return decodeJsonObject(jws.encodedPayload)
  }
}

function readCompact(reader: CompactJwsReader, token: string) {
  try {
    return reader.read(token)
  } catch (error) {
    if (error instanceof TokenRejected) return undefined
    throw error
  }
}

function isCurrent({ exp, jti }: JsonObject, now: Instant): boolean {
  return typeof exp === 'number' && now < exp && typeof jti === 'string'
}

function isServed(audience: string, resources: readonly string[]): boolean {
  return resources.some(resource => audience === resource || (resource.endsWith('/') && audience.startsWith(resource)))
}

import { z } from 'zod'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import { pluginKind } from '../plugin.ts'
import type { AccessTokenManager } from './access-token-manager.ts'
import { KeptTokens } from './kept-tokens.ts'
import { accessTokenOf, claimsOf, managerBasics, managerSettings, tokenTypeOf } from './manager-settings.ts'
import { Revocations } from './revocations.ts'

const shape = {
  ...managerSettings,
  length: z.int().min(20).max(128).default(32).meta({ description: 'Bytes of entropy; at least 20 (160 bits)' }),
}

const absent = { encryption: 'a reference token is random text, in which there is nothing to hide' }

/** Reference tokens: random text that means something to this server only, which keeps the claims under a hash of it. */
export const reference = pluginKind(
  'reference',
  shape,
  (settings, parts): AccessTokenManager => {
    const { store, random } = parts.outside
    const revocations = new Revocations(store)
    const tokens = new KeptTokens(store, parts.id)
    const basics = managerBasics(settings, parts)
    const current = (claims: JsonObject, now: Instant) => {
      const read = accessTokenOf(parts.id, claims)
      return read.issuer === parts.issuer && now < read.expiresAt ? read : undefined
    }
    return {
      ...basics,
      type: 'reference',
      async generate(grant) {
        const token = random(settings.length).toString('base64url')
        const id = random(16).toString('base64url')
        const claims = claimsOf(grant, { issuer: parts.issuer, id, audience: basics.audienceFor(grant.target.resources) })
        await tokens.keep(token, claims, grant)
        return { token, id, tokenType: tokenTypeOf(grant), expiresAt: grant.expiresBy, content: { claims } }
      },
      async read(token, now) {
        const claims = token.includes('.') ? undefined : await tokens.find(token)
        const read = claims && current(claims, now)
        if (read === undefined) return undefined
        return (await revocations.reach(read.id, read.ancestors)) ? undefined : read
      },
      assume: current,
    }
  },
  absent,
)

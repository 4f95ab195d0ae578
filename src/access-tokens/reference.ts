import { hash } from 'node:crypto'
import { z } from 'zod'
import type { JsonObject } from '../json.ts'
import type { Instant } from '../outside.ts'
import { pluginKind } from '../plugin.ts'
import type { AccessTokenManager } from './access-token-manager.ts'
import { accessTokenOf, claimsOf, managerBasics, managerSettings, tokenTypeOf } from './manager-settings.ts'
import { Revocations } from './revocations.ts'

interface Kept {
  readonly manager: string
  readonly claims: JsonObject
}

const shape = {
  ...managerSettings,
  length: z.int().min(20).max(128).default(32).meta({ description: 'Bytes of entropy; at least 20 (160 bits)' }),
}

/** Reference tokens: random text that means something to this server only, which keeps the claims under a hash of it. */
export const reference = pluginKind('reference', shape, (settings, parts): AccessTokenManager => {
  const { store, random } = parts.outside
  const revocations = new Revocations(store)
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
      const kept: Kept = { manager: parts.id, claims }
      await store.put(keyOf(token), JSON.stringify(kept), Math.ceil(grant.expiresBy - grant.now))
      return { token, id, tokenType: tokenTypeOf(grant), expiresAt: grant.expiresBy, content: { claims } }
    },
    async read(token, now) {
      const text = token.includes('.') ? undefined : await store.get(keyOf(token))
      if (text === undefined) return undefined
      const { manager, claims } = JSON.parse(text) as Kept
      const read = manager === parts.id ? current(claims, now) : undefined
      if (read === undefined) return undefined
      return (await revocations.reach(read.id, read.ancestors)) ? undefined : read
    },
    assume: current,
  }
})

// Whoever reads the store cannot use what is in it.
function keyOf(token: string): string {
  return `token:${hash('sha256', token, 'base64url')}`
}

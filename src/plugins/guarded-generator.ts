import { z } from 'zod'
import { lifetime } from '../config/values.ts'
import type { IssuedToken } from '../exchange/grant.ts'
import type { GeneratorGrant, TokenGenerator } from '../generators/token-generator.ts'
import type { JsonObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { Parts } from '../plugin.ts'
import { buildContract, contractSettings } from '../policies/contract.ts'
import { warnOfLifetime } from '../policies/lifetime-warnings.ts'
import type { Actor, Authentication } from '../processors/processor.ts'
import { type Border, called, NotExpressible } from './border.ts'
import { checkedIssue } from './facts.ts'
import { brokenPromise } from './fault.ts'
import { checkedBuilt } from './promised.ts'

/** The settings that every token generator of a plug-in has. The server applies them. */
export const tokenGeneratorSettings = {
  lifetime: lifetime.meta({ description: 'How long a token lives at most' }),
  outlivesSubject: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether a token may live longer than the subject token that it was exchanged from' }),
  contract: contractSettings,
}
type Settings = z.output<z.ZodObject<typeof tokenGeneratorSettings>>

/** What has been decided for a new token, as a plug-in is told. */
export interface PluginGrant {
  /** The attributes of the contract, mapped and checked. */
  readonly attributes: JsonObject
  readonly client: { readonly id: string }
  /** Who acts for the subject; undefined: nobody. */
  readonly delegation: { readonly act: Actor | undefined }
  /** When the token ends at the latest. */
  readonly expiresBy: Instant
  /** How the subject authenticated, as the inbound token tells. */
  readonly authentication: Authentication | undefined
  readonly now: Instant
}

/** A token that a plug-in made (see `IssuedToken`). */
export type PluginIssuedToken = Pick<IssuedToken, 'token' | 'id' | 'expiresAt' | 'content'> & { readonly tokenType: 'Bearer' | 'N_A' }

/** What the builder of a token generator gives: the rest of a `TokenGenerator` is in its settings. */
export interface PluginTokenGenerator extends Pick<TokenGenerator, 'tokenType' | 'expressesActor'> {
  generate(grant: PluginGrant): Promise<PluginIssuedToken>
}

const promised = z.looseObject({
  tokenType: z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, 'expected a URI'),
  expressesActor: z.boolean(),
  generate: z.custom(value => typeof value === 'function', 'expected a function'),
})

/** A token generator of a plug-in behind the border: it is told what has been decided, and what it makes is checked. */
export function guardedGenerator(
  value: unknown,
  settings: object,
  parts: Parts,
  { type, ...border }: Border & { type: string },
): TokenGenerator {
  const built = checkedBuilt(promised, value) as unknown as PluginTokenGenerator
  const { contract, lifetime, outlivesSubject } = settings as Settings
  warnOfLifetime({ lifetime, outlivesSubject }, parts)
  const { tokenType, expressesActor } = built
  return {
    ...{ id: parts.id, type, tokenType, expressesActor, lifetime, outlivesSubject },
    contract: buildContract(contract, parts, ['contract']),
    async generate(grant) {
      const token = await generated(border, () => built.generate(grantForPlugin(grant)))
      return acceptedToken(token, { border, grant, tokenType: 'N_A' })
    },
  }
}

/** What a plug-in may know of a grant. */
export function grantForPlugin({ attributes, client, delegation, expiresBy, authentication, now }: GeneratorGrant): PluginGrant {
  return { attributes, client: { id: client.id }, delegation: { act: delegation.act }, expiresBy, authentication, now }
}

/** Waits for a token; what its kind cannot express is a refusal. */
export async function generated(border: Border, generate: () => Promise<unknown>): Promise<unknown> {
  try {
    return await called(border, 'generate', '', generate)
  } catch (error) {
    if (!(error instanceof NotExpressible)) throw error
    throw new OAuthError('contract-not-met', error.message)
  }
}

interface Decided {
  readonly border: Border
  readonly grant: Pick<GeneratorGrant, 'expiresBy' | 'now'>
  readonly tokenType: 'Bearer' | 'N_A'
}

/** The token, if it is one and does not outlive what was decided. */
export function acceptedToken(value: unknown, { border, grant, tokenType }: Decided): IssuedToken {
  const blame = { plugin: border.plugin, call: 'generate' }
  const issued = checkedIssue(blame, value)
  if (issued.tokenType !== tokenType) throw brokenPromise(blame, `tokenType: expected "${tokenType}"`)
  if (issued.expiresAt > grant.expiresBy) throw brokenPromise(blame, 'expiresAt: later than expiresBy')
  if (issued.expiresAt <= grant.now) throw brokenPromise(blame, 'expiresAt: the token has ended already')
  return issued as IssuedToken
}

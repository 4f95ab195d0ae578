import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import type { Parts } from '../plugin.ts'
import type { TokenMaker } from './target.ts'

/** How `binding` is said in the files of clients, access token managers and `jwt` generators. */
export const bindingSettings = z.enum(['optional', 'dpop', 'mtls', 'any']).default('optional').meta({
  description:
    'To whose key tokens are bound: "dpop" (always to that of a DPoP proof), "mtls" (always to the client certificate), "any" (always to one of the two), "optional" (default: to that of a DPoP proof where one is sent)',
})

/** `rebind` of a mapping that takes an actor token. */
export const rebindSettings = z.boolean().default(false).meta({
  description:
    'Whether a subject token that is bound to a key is taken without proof of it, and the new token bound to the key that the request proves',
})

/** `unbound` of what is issued by a token generator. */
export const unboundSettings = z
  .boolean()
  .default(false)
  .meta({ description: 'Whether the token is bound to no key also where the request proves one: whoever gets hold of it can use it' })

/** Only who is proved to act for the subject may take its token to another key; and that is warned about. */
export function reportRebind(
  { rebind, actorTokenType }: { rebind: boolean; actorTokenType?: string | undefined },
  path: Path,
  parts: Parts,
): void {
  if (!rebind) return
  if (actorTokenType === undefined)
    parts.problem(
      [...path, 'rebind'],
      'needs an actor token: otherwise whoever stole a bound token could have it bound to a key of his own',
    )
  else
    parts.warn(
      'binding-moved',
      [...path, 'rebind'],
      'a stolen token that is bound to a key can be exchanged by every actor that this mapping takes',
    )
}

/** An access token says by its type that it is bound; and what must be bound cannot be unbound. */
export function reportUnbound(maker: TokenMaker, kind: string, path: Path, parts: Parts): void {
  const at = [...path, 'unbound']
  if (kind === 'access-token-managers') parts.problem(at, 'is for token generators: every access token can be bound to a key')
  else if (maker.binding !== undefined && maker.binding.rule !== 'optional')
    parts.problem(at, `contradicts "${maker.id}", whose tokens are always bound to a key`)
  else
    parts.warn(
      'binding-dropped',
      at,
      'the token can be used by whoever gets hold of it, also where the one it comes from is bound to a key',
    )
}

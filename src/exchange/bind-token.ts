import { settingOf } from '../config/folders.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { DecidedBinding, SelectedTarget, UnrestrictedTokens } from './grant.ts'
import type { BindingRule, KeyConfirmation, Possession } from './possession.ts'

/** A rule, and the setting that has it. */
export interface RuledBy {
  readonly rule: BindingRule
  readonly setting: string
}

/**
 * Step 8: to which key the new token is bound (RFC 9449 §5, RFC 8705 §3): to the one of a DPoP proof where one is sent; to the certificate
 * where a rule asks for that, or where an inbound token was bound to it. A binding is never lost silently: a target that cannot
 * express it refuses, unless the policy says `"unbound": true`.
 */
export function bindToken(
  rules: readonly RuledBy[],
  target: SelectedTarget,
  tokens: UnrestrictedTokens,
  possession: Possession,
): DecidedBinding {
  const { maker, unbound } = target.mapping
  const applying = [...rules, ...ruleOfMaker(target)]
  for (const each of applying) requireProof(each, possession)
  const confirmation = confirmationFor(applying, tokens, possession)
  if (confirmation === undefined || unbound) return { confirmation: undefined, certificate: undefined } as DecidedBinding
  const binding = { confirmation, certificate: confirmation['x5t#S256'] === undefined ? undefined : possession.certificate?.x509 }
  if (maker.binds?.(binding) !== true) {
    const why = 'the new token could not be bound to the key that the request proves: nothing of its kind can'
    throw new OAuthError('binding-not-available', why, { setting: target.mapping.fulfilment.setting })
  }
  return binding as DecidedBinding
}

/** The rule of a client, where there is one. */
export function ruleOfClient({
  id,
  tokenExchange,
}: {
  readonly id: string
  readonly tokenExchange: { readonly binding: BindingRule }
}): RuledBy {
  return { rule: tokenExchange.binding, setting: settingOf('clients', id, 'tokenExchange', 'binding') }
}

function ruleOfMaker({ target, mapping: { maker } }: SelectedTarget): readonly RuledBy[] {
  if (maker.binding === undefined) return []
  const folder = target.kind === 'access-token-manager' ? 'access-token-managers' : 'token-generators'
  return [{ rule: maker.binding.rule, setting: settingOf(folder, maker.id, ...maker.binding.path) }]
}

function requireProof({ rule, setting }: RuledBy, { jkt, certificate }: Possession): void {
  if (rule === 'dpop' && jkt === undefined) throw new OAuthError('dpop-proof-missing', 'a DPoP proof is required here', { setting })
  if (rule === 'mtls' && certificate === undefined)
    throw new OAuthError('certificate-missing', 'a client certificate is required here', { setting })
  if (rule === 'any' && jkt === undefined && certificate === undefined)
    throw new OAuthError('dpop-proof-missing', 'a DPoP proof or a client certificate is required here', { setting })
}

// A proof is sent to have something bound to its key. A certificate may be there for another reason, such as to authenticate the client.
function confirmationFor(
  rules: readonly RuledBy[],
  tokens: UnrestrictedTokens,
  { jkt, certificate }: Possession,
): KeyConfirmation | undefined {
  const isWanted = rules.some(({ rule }) => rule === 'mtls' || (rule === 'any' && jkt === undefined))
  const wasBound = [tokens.subject, tokens.actor].some(token => boundTo(token?.proof.confirmation, jkt))
  const thumbprint = isWanted || wasBound ? certificate?.thumbprint : undefined
  if (jkt === undefined && thumbprint === undefined) return undefined
  return { ...(jkt !== undefined && { jkt }), ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }) }
}

/** Whether a token that was bound so has to go on being bound to the certificate: to what it was, or to all that is proved now. */
function boundTo(confirmation: KeyConfirmation | undefined, jkt: string | undefined): boolean {
  return confirmation !== undefined && (confirmation['x5t#S256'] !== undefined || jkt === undefined)
}

import { settingOf } from '../config/folders.ts'
import type { SelectedConnection, SelectedTarget } from '../exchange/grant.ts'
import type { Witness } from '../exchange/witness.ts'
import { OAuthError, type RefusalReason } from '../oauth/errors.ts'
import type { GeneratorMapping } from '../policies/idp-connection.ts'
import type { TargetMapping } from '../policies/processor-policy.ts'
import type { TrustRequest } from './read-request.ts'

/**
 * Step 6: which token generator makes the token, by AppliesTo (compared exactly) and TokenType, among those that the addressed virtual
 * server may use. That no request fits two was found out before (`policies/generator-mappings.ts`).
 */
export function selectGenerator(selected: SelectedConnection, request: TrustRequest, witness: Witness): SelectedTarget {
  const { connection, virtualServerId } = selected
  witness.considered('target', () =>
    connection.generators.map(generator => ({ name: nameOf(generator), because: misfit(generator, virtualServerId, request) })),
  )
  if (connection.processing === 'validate')
    throw refusal(selected, 'operation-not-available', 'the connection validates tokens, and issues none', 'processing')
  const usable = connection.generators.filter(generator => generator.virtualServerIds.includes(virtualServerId))
  const addressed = usable.filter(generator => isAddressed(generator, request))
  if (addressed.length === 0) throw refusal(selected, 'target-unknown', 'AppliesTo is unknown here', 'generators')
  const fitting = addressed.filter(generator => makes(generator, request))
  if (fitting.length === 0) {
    if (request.appliesTo === undefined && usable.some(generator => makes(generator, request)))
      throw refusal(selected, 'target-missing', 'a token of this TokenType needs AppliesTo', 'generators')
    throw refusal(selected, 'type-not-available', 'no token of this TokenType is made for it', 'generators')
  }
  const [only, another] = fitting
  const chosen = fitting.find(({ isDefault }) => isDefault) ?? (another === undefined ? only : undefined)
  if (chosen === undefined)
    throw refusal(selected, 'type-not-available', 'there are tokens of several types for it: send a TokenType', 'generators')
  const mapping: TargetMapping = chosen
  return { target: connection.target, mapping, issuedTokenType: chosen.maker.tokenType, resources: request.resources } as SelectedTarget
}

function isAddressed({ appliesTo, isDefault }: GeneratorMapping, request: TrustRequest): boolean {
  return request.appliesTo === undefined ? appliesTo.length === 0 || isDefault : appliesTo.includes(request.appliesTo)
}

// Asked for nothing in particular, only the default is meant.
function makes({ maker, isDefault }: GeneratorMapping, { requestedTokenType, appliesTo }: TrustRequest): boolean {
  return requestedTokenType === undefined ? appliesTo !== undefined || isDefault : maker.tokenType === requestedTokenType
}

function misfit(generator: GeneratorMapping, virtualServerId: string, request: TrustRequest): string | undefined {
  if (!generator.virtualServerIds.includes(virtualServerId)) return 'is not for this virtual server'
  if (!isAddressed(generator, request)) return request.appliesTo === undefined ? 'needs AppliesTo' : 'is not for this AppliesTo'
  return makes(generator, request) ? undefined : 'makes tokens of another type, or is not the default'
}

function nameOf({ name, maker }: GeneratorMapping): string {
  return `${name} (${maker.id})`
}

function refusal({ connection }: SelectedConnection, reason: RefusalReason, why: string, member: string): OAuthError {
  return new OAuthError(reason, why, { setting: settingOf('idp-connections', connection.id, member) })
}

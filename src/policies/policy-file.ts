import type { z } from 'zod'
import type { Path } from '../config/problems.ts'
import type { Reference } from '../config/values.ts'
import type { Declarations } from '../expressions/compile.ts'
import { targetContextSchema } from '../expressions/context.ts'
import type { JsonObject } from '../json.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Blueprint, ifBuilt, NotBuilt, type Parts, SettingProblem } from '../plugin.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import { reportRebind, reportUnbound } from './binding.ts'
import { buildLookups } from './build-lookups.ts'
import { buildLoggedContract, contractSchema } from './contract.ts'
import { buildCriteria } from './criteria.ts'
import { buildFulfilment, checkFulfilment } from './fulfilment.ts'
import { type MappingSettings, type PolicySettings, policySettings } from './policy-settings.ts'
import { warnOfDangers, warnOfTokenTypes } from './policy-warnings.ts'
import type { Contract, ProcessorMapping, ProcessorPolicy, ScopeRule, TargetMapping } from './processor-policy.ts'
import type { TokenMaker } from './target.ts'

/** `policies/processor-policies/<id>.json`: which tokens are taken, what is learned from them, what may be issued. */
export const policyFile: z.ZodType<Blueprint<ProcessorPolicy>> = policySettings.transform(settings => ({
  type: 'processor-policy',
  settings,
  build: (parts: Parts) => buildPolicy(settings, parts),
}))

function buildPolicy(settings: PolicySettings, parts: Parts): ProcessorPolicy {
  const contract = buildPolicyContract(settings.contract, parts)
  const declared: Declarations = { policy: contract && contractSchema(contract.attributes) }
  const mappings = buildMappings(settings, contract, parts)
  const criteria = buildCriteria(settings.criteria, declared, parts, ['criteria'])
  const issues = buildIssues(settings, { ...declared, act: undefined, context: targetContextSchema }, parts)
  warnOfTokenTypes(settings.processors, parts)
  // Everything that does not depend on what is broken has been checked by now.
  if (contract === undefined || mappings === undefined || issues === undefined) throw new NotBuilt()
  const policy = { actorToken: settings.actorToken, contract, mappings, criteria, issues }
  warnOfDangers(policy, settings.scope, parts)
  return { id: parts.id, ...policy }
}

function buildPolicyContract(settings: PolicySettings['contract'], parts: Parts): Contract | undefined {
  if (Object.hasOwn(settings, 'subject') && settings.subject?.type === 'string')
    return reportingMistakes(parts, () => buildLoggedContract(settings, parts, ['contract']))
  const path = Object.hasOwn(settings, 'subject') ? ['contract', 'subject'] : ['contract']
  parts.problem(path, 'the contract needs the attribute "subject" with "type": "string"')
  return undefined
}

function reportingMistakes<Built>(parts: Parts, build: () => Built): Built | undefined {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    parts.problem(error.path, error.message)
    return undefined
  }
}

function buildMappings(settings: PolicySettings, contract: Contract | undefined, parts: Parts): ProcessorMapping[] | undefined {
  const scopeRules = new ScopeRules(settings.scope, contract, parts)
  const mappings = settings.processors.map((mapping, index) => {
    reportUnreachable(mapping, index, settings, parts)
    return buildMapping(mapping, index, contract, scopeRules, parts)
  })
  return mappings.every(mapping => mapping !== undefined) ? mappings : undefined
}

function reportUnreachable(mapping: MappingSettings, index: number, { processors, actorToken }: PolicySettings, parts: Parts): void {
  const path = ['processors', index]
  const earlier = processors
    .slice(0, index)
    .findIndex(other => other.subjectTokenType === mapping.subjectTokenType && other.actorTokenType === mapping.actorTokenType)
  if (earlier !== -1) parts.problem(path, `is never reached: processors[${earlier}] takes the same pair of token types`)
  if (mapping.actorTokenType !== undefined && actorToken === 'refused')
    parts.problem([...path, 'actorTokenType'], 'is never reached: the policy says "actorToken": "refused"')
  if (mapping.actorTokenType === undefined && actorToken === 'required')
    parts.problem(path, 'is never reached: the policy says "actorToken": "required", and this mapping has none')
}

function buildMapping(
  settings: MappingSettings,
  index: number,
  contract: Contract | undefined,
  scopeRules: ScopeRules,
  parts: Parts,
): ProcessorMapping | undefined {
  const { subjectTokenType, subjectTokenProcessor, actorTokenType, actorTokenProcessor, attributes } = settings
  const path = ['processors', index]
  const subjectProcessor = ifBuilt(() => parts.tokenProcessor(subjectTokenProcessor))
  const actorProcessor = actorTokenProcessor && ifBuilt(() => parts.tokenProcessor(actorTokenProcessor))
  reportOtherToken(subjectProcessor, subjectTokenType, [...path, 'subjectTokenProcessor'], parts)
  reportOtherToken(actorProcessor, actorTokenType, [...path, 'actorTokenProcessor'], parts)
  const tokens: Declarations = {
    subject: subjectProcessor?.attributes,
    ...(actorTokenProcessor && { actor: actorProcessor?.attributes }),
  }
  const { lookups, declared } = buildLookups(settings.lookups, tokens, parts, [...path, 'lookups'])
  const criteria = buildCriteria(settings.criteria, declared, parts, [...path, 'criteria'])
  const scope = scopeRules.ruleFor(`processors[${index}]`, tokens)
  reportRebind(settings, path, parts)
  const attributesPath = [...path, 'attributes']
  if (contract === undefined) return void checkFulfilment(attributes, declared, parts, attributesPath)
  const fulfilment = buildFulfilment(attributes, { contract, whose: 'the contract' }, declared, parts, attributesPath)
  if (subjectProcessor === undefined || lookups === undefined) return undefined
  const mapping = {
    name: `processors[${index}]`,
    subjectTokenType,
    subjectProcessor,
    rebind: settings.rebind,
    lookups,
    fulfilment,
    criteria,
    scope,
  }
  if (actorTokenType === undefined) return { ...mapping, actor: undefined }
  return actorProcessor && { ...mapping, actor: { tokenType: actorTokenType, processor: actorProcessor } }
}

// Such a mapping could only ever refuse: tokens of the type are none that the processor reads.
function reportOtherToken(processor: TokenProcessor | undefined, tokenType: string | undefined, path: Path, parts: Parts): void {
  // A password is no token that a client could have been given, and guesses at it would be made in the name of the client.
  if (processor?.form === 'username') parts.problem(path, `"${processor.id}" proves user names, which only IdP connections take`)
  if (processor?.form === 'x509')
    parts.problem(path, `"${processor.id}" proves certificates of connections, which only IdP connections take`)
  const proven = processor?.wellKnownTypes
  if (proven === undefined || tokenType === undefined || !wellKnownTypes.includes(tokenType) || proven.includes(tokenType)) return
  parts.problem(path, `"${processor?.id}" proves ${proven.join(' or ')}, and no ${tokenType}`)
}

// A type of one's own may name whatever its users agree on.
const wellKnownTypes: readonly string[] = Object.values(tokenTypes)

const listOfScopes: JsonObject = { type: 'array', items: { type: 'string' } }

/** Checks the policy's one rule for scope against the attributes of every mapping, and complains once. */
class ScopeRules {
  readonly #scope: PolicySettings['scope']
  readonly #policy: JsonObject | undefined
  readonly #parts: Parts
  #failed = false

  constructor(scope: PolicySettings['scope'], contract: Contract | undefined, parts: Parts) {
    this.#scope = scope
    this.#policy = contract && contractSchema(contract.attributes)
    this.#parts = parts
  }

  ruleFor(mapping: string, declared: Declarations): ScopeRule {
    if (this.#scope === 'subject' || this.#scope === 'client') return { from: this.#scope }
    if (this.#failed) return { from: 'subject' }
    const variables = { ...declared, policy: this.#policy }
    const compiled = this.#parts.expression(this.#scope, ['scope'], variables, listOfScopes, `for ${mapping}`)
    this.#failed = compiled === undefined
    return compiled === undefined ? { from: 'subject' } : { from: 'expression', expression: compiled }
  }
}

function buildIssues(
  { issues: settings }: PolicySettings,
  declared: Declarations,
  parts: Parts,
): ReadonlyMap<TokenMaker, TargetMapping> | undefined {
  const issues = new Map<TokenMaker, TargetMapping>()
  for (const [index, issueSettings] of settings.entries()) {
    const { kind, id } = targetNameOf(issueSettings)
    const earlier = settings.slice(0, index).findIndex(other => targetNameOf(other).kind === kind && targetNameOf(other).id === id)
    if (earlier !== -1) parts.problem(['issues', index], `is never reached: issues[${earlier}] issues to the same ${kindNames[kind]}`)
    const target = buildIssue(issueSettings, index, declared, parts)
    if (target !== undefined) issues.set(target.maker, target)
  }
  return issues.size === settings.length ? issues : undefined
}

type IssueSettings = PolicySettings['issues'][number]

const kindNames = { 'access-token-managers': 'access token manager', 'token-generators': 'token generator' } as const

// The schema has seen to it that one of the two is there.
function targetNameOf({ accessTokenManager, tokenGenerator }: IssueSettings) {
  const { kind, id } = (accessTokenManager ?? tokenGenerator) as Reference
  return { kind: kind as keyof typeof kindNames, id }
}

function buildIssue(issue: IssueSettings, index: number, cleared: Declarations, parts: Parts): TargetMapping | undefined {
  const path = ['issues', index]
  const { lookups, declared } = buildLookups(issue.lookups, cleared, parts, [...path, 'lookups'])
  const { kind, id } = targetNameOf(issue)
  const found = ifBuilt(() => makerOf(issue, parts))
  const criteria = buildCriteria(issue.criteria, declared, parts, [...path, 'criteria'])
  if (found === undefined) return void checkFulfilment(issue.attributes, declared, parts, [...path, 'attributes'])
  const { maker, expressesActor } = found
  if (issue.unbound) reportUnbound(maker, kind, path, parts)
  const target = { contract: maker.contract, whose: `the ${kindNames[kind]} "${id}"` }
  const fulfilment = buildFulfilment(issue.attributes, target, declared, parts, [...path, 'attributes'])
  const readsAct = fulfilment.expressions.some(([, { reads }]) => reads.has('act'))
  return (
    lookups && {
      name: `issues[${index}]`,
      maker,
      expressesActor: expressesActor || readsAct,
      unbound: issue.unbound,
      lookups,
      fulfilment,
      criteria,
    }
  )
}

/** What makes the tokens, and whether they name the actors of a delegation by themselves: access tokens always do. */
function makerOf({ accessTokenManager, tokenGenerator }: IssueSettings, parts: Parts): { maker: TokenMaker; expressesActor: boolean } {
  if (tokenGenerator === undefined) return { maker: parts.accessTokenManager(accessTokenManager as Reference), expressesActor: true }
  const maker = parts.tokenGenerator(tokenGenerator)
  return { maker, expressesActor: maker.expressesActor }
}

import { z } from 'zod'
import { type ExpressionSource, expression, type Reference, reference, strict } from '../config/values.ts'
import type { Declarations } from '../expressions/compile.ts'
import { targetContextSchema } from '../expressions/context.ts'
import type { JsonObject } from '../json.ts'
import { type Blueprint, type Parts, SettingProblem } from '../plugin.ts'
import { buildContract, contractSchema, contractSettings } from './contract.ts'
import { buildCriteria, criteriaSettings } from './criteria.ts'
import { buildFulfilment, fulfilmentSettings } from './fulfilment.ts'
import { warnOfDangers } from './policy-warnings.ts'
import type { Contract, ProcessorMapping, ProcessorPolicy, ScopeRule, TargetMapping } from './processor-policy.ts'
import type { TokenMaker } from './target.ts'
import { tokenType } from './token-type.ts'

const processorMapping = strict({
  description: z.string().optional(),
  subjectTokenType: tokenType,
  subjectTokenProcessor: reference('token-processors'),
  actorTokenType: tokenType.optional(),
  actorTokenProcessor: reference('token-processors').optional(),
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]),
}).refine(mapping => (mapping.actorTokenType === undefined) === (mapping.actorTokenProcessor === undefined), {
  error: '"actorTokenType" and "actorTokenProcessor" go together',
})

const issue = strict({
  description: z.string().optional(),
  accessTokenManager: reference('access-token-managers').optional(),
  tokenGenerator: reference('token-generators').optional(),
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]),
}).refine(issue => (issue.accessTokenManager === undefined) !== (issue.tokenGenerator === undefined), {
  error: 'expected exactly one of "accessTokenManager" and "tokenGenerator"',
})

const policySettings = strict({
  $schema: z.string().optional(),
  description: z.string().optional(),
  actorToken: z
    .enum(['required', 'optional', 'refused'])
    .meta({ description: 'Whether a request must, may or must not carry an actor token' }),
  contract: contractSettings,
  processors: z.array(processorMapping).min(1),
  criteria: criteriaSettings.default([]),
  scope: z
    .union([z.literal('subject'), z.literal('client'), expression])
    .default('subject')
    .meta({ description: '"subject", "client", or a CEL expression that gives a list of scopes' }),
  issues: z.array(issue).min(1),
})
type PolicySettings = z.output<typeof policySettings>
type MappingSettings = PolicySettings['processors'][number]

/** `policies/processor-policies/<id>.json`: which tokens are taken, what is learned from them, what may be issued. */
export const policyFile: z.ZodType<Blueprint<ProcessorPolicy>> = policySettings.transform(settings => ({
  type: 'processor-policy',
  settings,
  build: (parts: Parts) => buildPolicy(settings, parts),
}))

function buildPolicy(settings: PolicySettings, parts: Parts): ProcessorPolicy {
  const contract = buildContract(settings.contract, parts, ['contract'])
  if (contract.attributes.subject?.type !== 'string')
    throw new SettingProblem(['contract'], 'the contract needs the attribute "subject" with "type": "string"')
  const declared: Declarations = { policy: contractSchema(contract.attributes) }
  const mappings = buildMappings(settings, contract, parts)
  warnOfDangers(mappings, settings.scope, parts)
  return {
    id: parts.id,
    actorToken: settings.actorToken,
    contract,
    mappings,
    criteria: buildCriteria(settings.criteria, declared, parts, ['criteria']),
    issues: buildIssues(settings, { ...declared, act: undefined, context: targetContextSchema }, parts),
  }
}

function buildMappings(settings: PolicySettings, contract: Contract, parts: Parts): ProcessorMapping[] {
  const seen = new Map<string, number>()
  return settings.processors.map((mapping, index) => {
    const path = ['processors', index]
    const pair = `${mapping.subjectTokenType} ${mapping.actorTokenType ?? ''}`
    const earlier = seen.get(pair)
    if (earlier !== undefined) parts.problem(path, `is never reached: processors[${earlier}] takes the same pair of token types`)
    else seen.set(pair, index)
    const actor = mapping.actorTokenType !== undefined
    if (actor && settings.actorToken === 'refused')
      parts.problem([...path, 'actorTokenType'], 'is never reached: the policy says "actorToken": "refused"')
    if (!actor && settings.actorToken === 'required')
      parts.problem(path, 'is never reached: the policy says "actorToken": "required", and this mapping has none')
    return buildMapping(mapping, settings.scope, contract, parts, path)
  })
}

function buildMapping(
  settings: MappingSettings,
  scope: PolicySettings['scope'],
  contract: Contract,
  parts: Parts,
  path: PropertyKey[],
): ProcessorMapping {
  const subjectProcessor = parts.tokenProcessor(settings.subjectTokenProcessor)
  const actorProcessor = settings.actorTokenProcessor && parts.tokenProcessor(settings.actorTokenProcessor)
  const declared: Declarations = { subject: subjectProcessor.attributes, ...(actorProcessor && { actor: actorProcessor.attributes }) }
  const target = { contract, whose: 'the contract' }
  return {
    name: `processors[${String(path[1])}]`,
    subjectTokenType: settings.subjectTokenType,
    subjectProcessor,
    actor:
      actorProcessor && settings.actorTokenType !== undefined
        ? { tokenType: settings.actorTokenType, processor: actorProcessor }
        : undefined,
    fulfilment: buildFulfilment(settings.attributes, target, declared, parts, [...path, 'attributes']),
    criteria: buildCriteria(settings.criteria, declared, parts, [...path, 'criteria']),
    scope: buildScopeRule(scope, { ...declared, policy: contractSchema(contract.attributes) }, parts),
  }
}

function buildScopeRule(scope: 'subject' | 'client' | ExpressionSource, declared: Declarations, parts: Parts): ScopeRule {
  if (scope === 'subject' || scope === 'client') return { from: scope }
  const listOfScopes: JsonObject = { type: 'array', items: { type: 'string' } }
  const compiled = parts.expression(scope, ['scope'], declared, listOfScopes)
  return compiled === undefined ? { from: 'subject' } : { from: 'expression', expression: compiled }
}

function buildIssues(settings: PolicySettings, declared: Declarations, parts: Parts): ReadonlyMap<TokenMaker, TargetMapping> {
  const issues = new Map<TokenMaker, TargetMapping>()
  for (const [index, issue] of settings.issues.entries()) {
    const path = ['issues', index]
    const { maker, whose, expressesActor } = makerOf(issue, parts)
    const earlier = issues.get(maker)
    if (earlier !== undefined) parts.problem(path, `is never reached: ${earlier.name} issues to ${whose}, too`)
    const fulfilment = buildFulfilment(issue.attributes, { contract: maker.contract, whose }, declared, parts, [...path, 'attributes'])
    issues.set(maker, {
      name: `issues[${index}]`,
      maker,
      expressesActor: expressesActor || fulfilment.expressions.some(([, { reads }]) => reads.has('act')),
      fulfilment,
      criteria: buildCriteria(issue.criteria, declared, parts, [...path, 'criteria']),
    })
  }
  return issues
}

function makerOf({ accessTokenManager, tokenGenerator }: PolicySettings['issues'][number], parts: Parts) {
  if (tokenGenerator !== undefined) {
    const generator = parts.tokenGenerator(tokenGenerator)
    return { maker: generator, whose: `the token generator "${generator.id}"`, expressesActor: generator.expressesActor }
  }
  const manager = parts.accessTokenManager(accessTokenManager as Reference)
  return { maker: manager, whose: `the access token manager "${manager.id}"`, expressesActor: true }
}

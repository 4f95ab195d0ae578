import { z } from 'zod'
import { didYouMean } from '../config/suggest.ts'
import { distinct, everyFile, reference, strict } from '../config/values.ts'
import type { Declarations } from '../expressions/compile.ts'
import { connectionContextSchema, generatorContextSchema } from '../expressions/context.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Blueprint, ifBuilt, NotBuilt, type Parts, SettingProblem } from '../plugin.ts'
import type { TokenProcessor } from '../processors/processor.ts'
import { reportUnbound, unboundSettings } from './binding.ts'
import { buildLookups } from './build-lookups.ts'
import { buildLoggedContract, contractSchema, contractSettings } from './contract.ts'
import { buildCriteria, criteriaSettings } from './criteria.ts'
import { buildFulfilment, checkFulfilment, fulfilmentSettings } from './fulfilment.ts'
import { reportAmbiguousGenerators } from './generator-mappings.ts'
import type { GeneratorMapping, IdpConnection } from './idp-connection.ts'
import { lookupsSettings } from './lookup-settings.ts'
import type { Contract, ProcessorMapping } from './processor-policy.ts'
import { connectionTarget } from './target.ts'

const name = z.string().min(1)

const generatorMapping = strict({
  description: z.string().optional().meta({ description: 'What this mapping is for, in your own words' }),
  tokenGenerator: reference('token-generators'),
  unbound: unboundSettings,
  default: z.boolean().default(false).meta({ description: 'Whether it is used where a request names neither AppliesTo nor TokenType' }),
  appliesTo: distinct(name)
    .default([])
    .meta({ description: 'Values of AppliesTo that it is for, compared exactly; they are never called' }),
  virtualServerIds: distinct(name)
    .min(1)
    .optional()
    .meta({ description: 'The virtual servers that may use it; absent: all of the connection' }),
  lookups: lookupsSettings,
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]).meta({ description: 'What must be true for this mapping; the first that is not refuses' }),
})

const connectionSettings = strict({
  ...everyFile,
  entityId: name.meta({ description: 'Whose tokens are taken: the issuer of the incoming token' }),
  virtualServerIds: distinct(name)
    .min(1)
    .optional()
    .meta({ description: 'Names by which this server is addressed, of which the incoming token must name the one (absent: its issuer)' }),
  tokenProcessor: reference('token-processors'),
  actorTokenProcessor: reference('token-processors')
    .optional()
    .meta({ description: 'What proves the token of the one who acts, beside ActAs' }),
  processing: z
    .enum(['validate', 'validate-and-issue'])
    .meta({ description: '"validate" only tells whether a token is valid, "validate-and-issue" also makes tokens of ours from it' }),
  contract: contractSettings.meta({
    description: 'What is known of every subject: attributes, each with its JSON Schema; "log": true lets the record show its value',
    required: ['TOKEN_SUBJECT'],
  }),
  lookups: lookupsSettings,
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]).meta({ description: 'What must be true of the incoming token; the first that is not refuses' }),
  generators: z
    .array(generatorMapping)
    .default([])
    .meta({ description: 'The token generators that make its tokens, one of them the default' }),
})
type ConnectionSettings = z.output<typeof connectionSettings>
type GeneratorSettings = ConnectionSettings['generators'][number]

/** `policies/idp-connections/<id>.json`: a WS-Trust partner, and the token generators that are mapped for its tokens. */
export const connectionFile: z.ZodType<Blueprint<IdpConnection>> = connectionSettings.transform(settings => ({
  type: 'idp-connection',
  settings,
  build: (parts: Parts) => buildConnection(settings, parts),
}))

function buildConnection(settings: ConnectionSettings, parts: Parts): IdpConnection {
  const contract = buildConnectionContract(settings.contract, parts)
  const policy = contract && contractSchema(contract.attributes)
  const virtualServerIds = settings.virtualServerIds ?? [parts.issuer]
  checkProcessing(settings, parts)
  const mappings = buildMappings(settings, contract, parts)
  const generators = settings.generators.map((generator, index) => buildGenerator(generator, index, virtualServerIds, policy, parts))
  if (contract === undefined || mappings === undefined || !generators.every(generator => generator !== undefined)) throw new NotBuilt()
  if (settings.processing === 'validate-and-issue') reportAmbiguousGenerators(generators, virtualServerIds, parts)
  return {
    id: parts.id,
    entityId: settings.entityId,
    virtualServerIds: virtualServerIds as [string, ...string[]],
    processing: settings.processing,
    contract,
    ...mappings,
    generators,
    target: connectionTarget(parts.id, generators),
  }
}

function buildConnectionContract(settings: ConnectionSettings['contract'], parts: Parts): Contract | undefined {
  if (settings.TOKEN_SUBJECT?.type !== 'string') {
    const path = Object.hasOwn(settings, 'TOKEN_SUBJECT') ? ['contract', 'TOKEN_SUBJECT'] : ['contract']
    return void parts.problem(path, 'the contract needs the attribute "TOKEN_SUBJECT" with "type": "string"')
  }
  try {
    return buildLoggedContract(settings, parts, ['contract'])
  } catch (error) {
    if (!(error instanceof SettingProblem)) throw error
    return void parts.problem(error.path, error.message)
  }
}

function checkProcessing({ processing, generators }: ConnectionSettings, parts: Parts): void {
  if (processing === 'validate' && generators.length > 0)
    parts.problem(['generators'], 'are never reached: the connection says "processing": "validate"')
  if (processing === 'validate-and-issue' && generators.length === 0)
    parts.problem(['generators'], 'must have at least one entry, since the connection says "processing": "validate-and-issue"')
}

type Mappings = Pick<IdpConnection, 'mapping' | 'actorMapping' | 'form'>

function buildMappings(settings: ConnectionSettings, contract: Contract | undefined, parts: Parts): Mappings | undefined {
  const { tokenProcessor, actorTokenProcessor, entityId, attributes } = settings
  const processor = ifBuilt(() => parts.tokenProcessor(tokenProcessor))
  const actorProcessor = actorTokenProcessor && ifBuilt(() => parts.tokenProcessor(actorTokenProcessor))
  const token: Declarations = { assertion: processor?.attributes, context: connectionContextSchema }
  const { lookups, declared } = buildLookups(settings.lookups, token, parts, ['lookups'])
  const criteria = buildCriteria(settings.criteria, declared, parts, ['criteria'])
  if (contract === undefined) return void checkFulfilment(attributes, declared, parts, ['attributes'])
  const fulfilment = buildFulfilment(attributes, { contract, whose: 'the contract' }, declared, parts, ['attributes'])
  if (processor === undefined || lookups === undefined || (actorTokenProcessor !== undefined && actorProcessor === undefined))
    return undefined
  if (actorProcessor?.form === 'username' || actorProcessor?.form === 'x509')
    parts.problem(
      ['actorTokenProcessor'],
      `"${actorProcessor.id}" proves ${actorProcessor.form === 'x509' ? 'certificates' : 'user names'}; the one who acts is known by another token, or as the client`,
    )
  if (!processor.issuers.includes(entityId))
    parts.problem(['entityId'], `"${processor.id}" takes no tokens of this issuer${didYouMean(entityId, processor.issuers)}`)
  const subjectTokenType = typeOf(processor)
  const mapping: ProcessorMapping = {
    ...{ name: 'attributes', subjectTokenType, subjectProcessor: processor, subjectIssuer: entityId, actor: undefined },
    ...{ rebind: false, lookups, fulfilment, criteria, scope: { from: 'client' } },
  }
  const actor = actorProcessor && { tokenType: typeOf(actorProcessor), processor: actorProcessor }
  return { form: processor.form ?? 'text', mapping, actorMapping: actor && { ...mapping, actor } }
}

/** What records and expressions call a token that came in this form. */
function typeOf({ form, origin }: TokenProcessor): string {
  if (form !== undefined && form !== 'text') return form
  return origin === 'own' ? tokenTypes.accessToken : tokenTypes.jwt
}

function buildGenerator(
  settings: GeneratorSettings,
  index: number,
  served: readonly string[],
  policy: Declarations['policy'],
  parts: Parts,
): GeneratorMapping | undefined {
  const path = ['generators', index]
  for (const [at, id] of (settings.virtualServerIds ?? []).entries()) {
    if (!served.includes(id))
      parts.problem([...path, 'virtualServerIds', at], `the connection has no virtual server "${id}"${didYouMean(id, served)}`)
  }
  const cleared: Declarations = { policy, act: undefined, context: generatorContextSchema }
  const { lookups, declared } = buildLookups(settings.lookups, cleared, parts, [...path, 'lookups'])
  const maker = ifBuilt(() => parts.tokenGenerator(settings.tokenGenerator))
  const criteria = buildCriteria(settings.criteria, declared, parts, [...path, 'criteria'])
  if (maker === undefined) return void checkFulfilment(settings.attributes, declared, parts, [...path, 'attributes'])
  if (settings.unbound) reportUnbound(maker, 'token-generators', path, parts)
  const whose = { contract: maker.contract, whose: `the token generator "${maker.id}"` }
  const fulfilment = buildFulfilment(settings.attributes, whose, declared, parts, [...path, 'attributes'])
  const readsAct = fulfilment.expressions.some(([, { reads }]) => reads.has('act'))
  if (lookups === undefined) return undefined
  return {
    ...{
      name: `generators[${index}]`,
      maker,
      lookups,
      fulfilment,
      criteria,
      expressesActor: maker.expressesActor || readsAct,
      unbound: settings.unbound,
    },
    ...{ appliesTo: settings.appliesTo, virtualServerIds: settings.virtualServerIds ?? served, isDefault: settings.default },
  }
}

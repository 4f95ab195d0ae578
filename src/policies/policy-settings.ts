import { z } from 'zod'
import { everyFile, expression, reference, strict } from '../config/values.ts'
import { rebindSettings, unboundSettings } from './binding.ts'
import { contractSettings } from './contract.ts'
import { criteriaSettings } from './criteria.ts'
import { fulfilmentSettings } from './fulfilment.ts'
import { lookupsSettings } from './lookup-settings.ts'
import { tokenType } from './token-type.ts'

const mappingDescription = z.string().optional().meta({ description: 'What this mapping is for, in your own words' })

const processorMapping = strict({
  description: mappingDescription,
  subjectTokenType: tokenType,
  subjectTokenProcessor: reference('token-processors'),
  actorTokenType: tokenType.optional(),
  actorTokenProcessor: reference('token-processors').optional(),
  rebind: rebindSettings,
  lookups: lookupsSettings,
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]).meta({ description: 'What must be true of the tokens; the first that is not refuses' }),
}).superRefine(({ actorTokenType, actorTokenProcessor }, context) => {
  if ((actorTokenType === undefined) === (actorTokenProcessor === undefined)) return
  const [there, absent] =
    actorTokenType === undefined ? ['actorTokenProcessor', 'actorTokenType'] : ['actorTokenType', 'actorTokenProcessor']
  context.addIssue({ code: 'custom', message: `"${absent}" is missing beside "${there}"` })
})
const mappingsDescription = 'One for each pair of token types that is taken: which processors prove them, and what is learned from them'
const actorPair = { dependentRequired: { actorTokenType: ['actorTokenProcessor'], actorTokenProcessor: ['actorTokenType'] } }

const issue = strict({
  description: mappingDescription,
  accessTokenManager: reference('access-token-managers').optional(),
  tokenGenerator: reference('token-generators').optional(),
  unbound: unboundSettings,
  lookups: lookupsSettings,
  attributes: fulfilmentSettings,
  criteria: criteriaSettings.default([]).meta({ description: 'What must be true for this target; the first that is not refuses' }),
}).refine(
  ({ accessTokenManager, tokenGenerator }) => (accessTokenManager === undefined) !== (tokenGenerator === undefined),
  'expected exactly one of "accessTokenManager" and "tokenGenerator"',
)
const oneTarget = { oneOf: [{ required: ['accessTokenManager'] }, { required: ['tokenGenerator'] }] }

/** The members of a processor policy's file. */
export const policySettings = strict({
  ...everyFile,
  actorToken: z
    .enum(['required', 'optional', 'refused'])
    .meta({ description: 'Whether a request must, may or must not carry an actor token' }),
  contract: contractSettings.meta({
    description: 'What is known of every subject: attributes, each with its JSON Schema; "log": true lets the record show its value',
    required: ['subject'],
  }),
  processors: z.array(processorMapping.meta(actorPair)).min(1).meta({ description: mappingsDescription }),
  criteria: criteriaSettings.default([]).meta({ description: 'What must be true of the contract, whatever the mapping' }),
  scope: z
    .union(
      [z.literal('subject'), z.literal('client'), expression],
      'expected "subject", "client" or a CEL expression that gives a list of scopes',
    )
    .default('subject')
    .meta({ description: '"subject", "client", or a CEL expression that gives a list of scopes' }),
  issues: z.array(issue.meta(oneTarget)).min(1).meta({ description: 'For whom tokens may be issued, and what stands in them' }),
})
/** The same, parsed. */
export type PolicySettings = z.output<typeof policySettings>
/** One of its processor mappings, parsed. */
export type MappingSettings = PolicySettings['processors'][number]

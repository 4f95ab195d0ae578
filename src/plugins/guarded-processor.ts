import { z } from 'zod'
import type { CompiledSchema } from '../config/json-schema.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { AssumedToken } from '../processors/assumed.ts'
import { foreignSettings, limitSettings, limitsOf } from '../processors/common-settings.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from '../processors/processor.ts'
import { type Border, called, calledAtOnce } from './border.ts'
import { checkedProof } from './facts.ts'
import { brokenPromise } from './fault.ts'
import { checkedBuilt } from './promised.ts'

/** The settings that every token processor of a plug-in has. The server applies them; the plug-in states facts only. */
export const tokenProcessorSettings = {
  ...limitSettings,
  audiences: foreignSettings.audiences,
  expiry: foreignSettings.expiry,
}
type Settings = z.output<z.ZodObject<typeof tokenProcessorSettings>>

/** What the builder of a token processor gives: the rest of a `TokenProcessor` is in its settings. */
export type PluginTokenProcessor = Pick<TokenProcessor, 'issuers' | 'attributes' | 'wellKnownTypes'> & {
  process(token: string, request: ProcessorRequest): Promise<Proof>
  assume(token: AssumedToken): Proof
}

const texts = z.array(z.string().min(1))
const promised = z.looseObject({
  issuers: texts.min(1),
  attributes: z.record(z.string(), z.json()).optional(),
  wellKnownTypes: texts.optional(),
  process: z.custom(value => typeof value === 'function', 'expected a function'),
  assume: z.custom(value => typeof value === 'function', 'expected a function'),
})

/** A token processor of a plug-in behind the border: what it states is checked, and its settings are kept whatever it does. */
export function guardedProcessor(value: unknown, settings: object, parts: Parts, border: Border): TokenProcessor {
  const built = checkedBuilt(promised, value) as unknown as PluginTokenProcessor
  const { audiences, expiry, ...limits } = settings as Settings
  const issuers = [...built.issuers]
  if (issuers.includes(parts.issuer)) parts.problem(['type'], 'it takes tokens of this server, which come in by "access-token" only')
  const schema = built.attributes && parts.jsonSchema(built.attributes, ['type'])
  if (expiry === 'optional') parts.warn('no-expiry', ['expiry'], 'tokens without an end are taken; they bound the lifetime of nothing')
  const accepted = (call: string, stated: unknown) =>
    acceptedProof(checkedProof({ ...border, call }, stated), { issuers, expiry, schema, border, call })
  return {
    id: parts.id,
    limits: limitsOf(limits),
    issuers,
    origin: 'foreign',
    audiences,
    attributes: built.attributes,
    ...(built.wellKnownTypes !== undefined && { wellKnownTypes: [...built.wellKnownTypes] }),
    process: async (token, request) =>
      accepted('process', await called(border, 'process', token, () => built.process(token, { ...request }))),
    assume: token =>
      accepted(
        'assume',
        calledAtOnce(border, 'assume', '', () => built.assume(token)),
      ),
  }
}

interface Rules {
  readonly issuers: readonly string[]
  readonly expiry: Settings['expiry']
  /** Of the attributes. */
  readonly schema: CompiledSchema | undefined
  readonly border: Border
  readonly call: string
}

function acceptedProof(proof: Proof, { issuers, expiry, schema, border, call }: Rules): Proof {
  // Policies tell subjects apart by their issuer: a proof of somebody else's would be a stranger with a known name.
  if (!issuers.includes(proof.issuer)) throw brokenPromise({ ...border, call }, 'issuer: none of the issuers that it takes tokens of')
  // Its author has handed on the claims of a bound token, and said nothing of the key: anybody could use it (RFC 7800 §3.1).
  if (proof.attributes.cnf !== undefined && proof.confirmation === undefined)
    throw brokenPromise({ ...border, call }, 'confirmation: missing, though attributes have cnf')
  if (expiry === 'required' && proof.expiresAt === undefined)
    throw new TokenRejected('the token does not say when it ends', { member: 'expiry' })
  // Expressions are checked with the schema, and would take one thing for another.
  const problem = schema?.problem(proof.attributes, 'attributes')
  if (problem !== undefined) throw new TokenRejected(`what it says is not what its processor declares: ${problem}`, { member: 'type' })
  return proof
}

import assert from 'node:assert/strict'
import { TokenRejected } from '../oauth/errors.ts'
import type { Proof, TokenProcessor } from '../processors/processor.ts'
import { alterationsOf, type Check, garbage, requireMembers } from './check.ts'
import type { ProcessorSample, SampleToken } from './samples.ts'
import type { Stage } from './stage.ts'

/** What every token processor does. */
export function processorChecks(processor: TokenProcessor, sample: ProcessorSample, stage: Stage): readonly Check[] {
  const { id } = processor
  const process = (token: string) => processor.process(token, { now: stage.now() })
  const made = async (token: SampleToken) => (typeof token === 'string' ? token : token(stage.now()))
  const checks: Check[] = sample.genuine.flatMap(({ token, proves }, index) => [
    { name: `${id} proves genuine[${index}]`, run: async () => requireMembers(await process(await made(token)), proves) },
    { name: `${id} proves the same of genuine[${index}] every time`, run: async () => provesTheSame(process, await made(token)) },
    { name: `${id} refuses genuine[${index}] with any character changed`, run: async () => refusesAltered(process, await made(token)) },
  ])
  for (const [what, token] of Object.entries(sample.refused)) {
    checks.push({ name: `${id} refuses a token ${what}`, run: async () => refuses(process, await made(token)) })
  }
  checks.push({ name: `${id} refuses what is no token`, run: async () => refusesAll(process, garbage) })
  const { assumed } = sample
  if (assumed !== undefined)
    checks.push({
      name: `${id} assumes what a policy test says`,
      run: async () => {
        const token = { says: assumed.says, audience: stage.issuer, id: 'assumed', now: stage.now() }
        requireMembers(processor.assume(token), assumed.proves)
      },
    })
  return checks
}

type Process = (token: string) => Promise<Proof>

async function provesTheSame(process: Process, token: string): Promise<void> {
  assert.deepEqual(await process(token), await process(token))
}

// Where an encoding leaves bits unused, a changed token may be the same token.
async function refusesAltered(process: Process, token: string): Promise<void> {
  const proof = await process(token)
  for (const altered of alterationsOf(token)) {
    const proven = await process(altered).catch(requireRejection(altered))
    if (proven !== undefined) assert.deepEqual(proven, proof, 'a changed token proves something else')
  }
}

async function refusesAll(process: Process, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) await refuses(process, token)
}

async function refuses(process: Process, token: string): Promise<void> {
  const proof = await process(token).catch(requireRejection(token))
  assert.equal(proof, undefined, 'the token was taken')
}

// Anything else would be answered as a bug of the server.
function requireRejection(token: string): (error: unknown) => undefined {
  return error => {
    if (!(error instanceof TokenRejected)) throw error
    assert.ok(error.message !== '', 'a rejection says why')
    assert.ok(token.length < 12 || !error.message.includes(token), 'a rejection repeats the token')
  }
}

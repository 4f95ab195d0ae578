import assert from 'node:assert/strict'
import type { IssuedToken } from '../exchange/grant.ts'
import type { TokenGenerator } from '../generators/token-generator.ts'
import type { Check } from './check.ts'
import { type Decision, sampleGrant } from './sample-grant.ts'
import type { GeneratorSample } from './samples.ts'
import type { Stage } from './stage.ts'

/** What every token generator does. */
export function generatorChecks(generator: TokenGenerator, { attributes }: GeneratorSample, stage: Stage): readonly Check[] {
  const { id, expressesActor } = generator
  const decision = (): Decision => ({ attributes, now: stage.now() })
  const generate = (decided: Decision) => generator.generate(sampleGrant(generator, decided))
  const checks: Check[] = [
    {
      name: `${id} has a contract that the sample keeps`,
      run: async () => assert.equal(generator.contract.problem(attributes)?.message, undefined),
    },
    {
      name: `${id} makes a token that ends in time`,
      run: async () => requireBounded(await generate(decision()), sampleGrant(generator, decision())),
    },
    {
      name: `${id} makes another token with another id each time`,
      run: async () => requireDifferent(await generate(decision()), await generate(decision())),
    },
  ]
  if (expressesActor)
    checks.push({
      name: `${id} names the actor of a delegation`,
      run: async () => {
        const act = { iss: 'https://actors.example', sub: 'conformance-actor' }
        const { content } = await generate({ ...decision(), act })
        assert.ok(JSON.stringify(content).includes(act.sub), 'the content of the token does not name the actor')
      },
    })
  return checks
}

/** Fails unless the token ends no later than was decided, in whole seconds. */
export function requireBounded({ token, expiresAt }: IssuedToken, grant: { readonly expiresBy: number; readonly now: number }): void {
  assert.ok(token.length > 0, 'the token is empty')
  // The clock may have gone on by a second between the two.
  assert.ok(expiresAt <= grant.expiresBy + 1 && expiresAt > grant.now - 1, 'the token does not end when it was decided')
}

/** Fails unless these are two tokens. */
export function requireDifferent(one: IssuedToken, other: IssuedToken): void {
  assert.notEqual(one.token, other.token, 'two tokens are the same')
  assert.notEqual(one.id, other.id, 'two tokens have one id')
}

import assert from 'node:assert/strict'
import type { AccessTokenManager } from '../access-tokens/access-token-manager.ts'
import { alterationsOf, type Check, garbage, requireMembers } from './check.ts'
import { requireBounded, requireDifferent } from './generator-checks.ts'
import { type Decision, sampleGrant } from './sample-grant.ts'
import type { ManagerSample } from './samples.ts'
import type { Stage } from './stage.ts'

const confirmation = { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' }
const act = { iss: 'https://actors.example', sub: 'conformance-actor' }

/** What every access token manager does. */
export function managerChecks(manager: AccessTokenManager, { attributes, scope = [] }: ManagerSample, stage: Stage): readonly Check[] {
  const { id } = manager
  const decision = (): Decision => ({ attributes, scope, act, ancestors: ['an-ancestor'], confirmation, now: stage.now() })
  const grant = () => sampleGrant(manager, decision())
  const generate = () => manager.generate(grant())
  return [
    { name: `${id} makes a token that ends in time`, run: async () => requireBounded(await generate(), grant()) },
    { name: `${id} makes another token with another id each time`, run: async () => requireDifferent(await generate(), await generate()) },
    { name: `${id} reads its own tokens`, run: async () => readsItsOwn(manager, decision(), stage) },
    { name: `${id} reads no token after its end`, run: async () => readsNoneAfterItsEnd(manager, decision()) },
    { name: `${id} reads no token with any character changed`, run: async () => readsNoneAltered(manager, decision()) },
    { name: `${id} reads nothing that is no token`, run: async () => readsNoGarbage(manager, stage) },
    { name: `${id} assumes what it reads`, run: async () => assumesWhatItReads(manager, decision()) },
  ]
}

// What is not read back is lost: without its ancestors, a token outlives their revocation.
async function readsItsOwn(manager: AccessTokenManager, decision: Decision, { issuer }: Stage): Promise<void> {
  const grant = sampleGrant(manager, decision)
  const issued = await manager.generate(grant)
  const read = await manager.read(issued.token, decision.now)
  assert.ok(read !== undefined, 'it does not read what it has made')
  requireMembers(read, { id: issued.id, manager: manager.id, issuer, subject: decision.attributes.sub, clientId: grant.client.id })
  requireMembers(read, { audiences: manager.audienceFor(grant.target.resources), scope: grant.scope, ancestors: grant.ancestors })
  requireMembers(read, { issuedAt: Math.floor(decision.now), expiresAt: issued.expiresAt })
  requireMembers(read.claims, { ...decision.attributes, act, cnf: confirmation })
}

async function readsNoneAfterItsEnd(manager: AccessTokenManager, decision: Decision): Promise<void> {
  const { token, expiresAt } = await manager.generate(sampleGrant(manager, decision))
  assert.equal(await manager.read(token, expiresAt), undefined)
}

async function readsNoneAltered(manager: AccessTokenManager, decision: Decision): Promise<void> {
  const { token } = await manager.generate(sampleGrant(manager, decision))
  const read = await manager.read(token, decision.now)
  for (const altered of alterationsOf(token)) {
    const other = await manager.read(altered, decision.now)
    if (other !== undefined) assert.deepEqual(other, read, 'a changed token says something else')
  }
}

// Tokens of others come here too, at introspection and revocation: to throw would fail these.
async function readsNoGarbage(manager: AccessTokenManager, { now }: Stage): Promise<void> {
  for (const token of garbage) assert.equal(await manager.read(token, now()), undefined)
}

async function assumesWhatItReads(manager: AccessTokenManager, decision: Decision): Promise<void> {
  const { token } = await manager.generate(sampleGrant(manager, decision))
  const read = await manager.read(token, decision.now)
  assert.ok(read !== undefined, 'it does not read what it has made')
  const { ancestors: _known, ...assumed } = manager.assume(read.claims, decision.now) ?? {}
  const { ancestors: _read, ...wanted } = read
  assert.deepEqual(assumed, wanted)
}

import { didYouMean } from '../config/suggest.ts'
import type { Server } from '../server.ts'
import type { PolicyCase } from './cases.ts'
import type { CaseMistake } from './check-cases.ts'
import type { IssuedExpectation } from './expectation.ts'
import { impossibleContents } from './impossible-contents.ts'

/**
 * What a case names and nothing here has, so that it can never come out as expected. What policies decide today is no matter of this:
 * that is what the case is played for. `files` are those of the configuration.
 */
export function impossibleExpectations(policyCase: PolicyCase, server: Server, files: readonly string[]): readonly CaseMistake[] {
  const { expect } = policyCase
  // What is asked for may be what a refusal is about.
  if (expect.error !== undefined) return strangeSetting(expect.setting, files)
  const asked = [
    ...strangeConnection(policyCase, expect.idpConnection),
    ...strangeMessage(policyCase, server),
    ...strangeRequest(policyCase, server),
  ]
  if (expect.status !== undefined) return [...strangeSetting(expect.setting, files), ...asked]
  return [...asked, ...strangeScope(expect, server), ...impossibleContents(expect, server)]
}

/** A setting is a part of a name, which begins with a file: `clients/orders.json scopes`. */
function strangeSetting(setting: string | undefined, files: readonly string[]): readonly CaseMistake[] {
  const file = /^\S*\.json(?= |$)/.exec(setting ?? '')?.[0]
  if (file === undefined || files.some(each => each.endsWith(file))) return []
  const known = file.includes('/') ? files : files.map(each => each.slice(each.lastIndexOf('/') + 1))
  return [{ path: ['expect', 'setting'], message: `there is no file ${file}${didYouMean(file, known)}` }]
}

function strangeConnection({ message }: PolicyCase, expected: IssuedExpectation['idpConnection']): readonly CaseMistake[] {
  if (expected === undefined || message?.connection === undefined || expected.id === message.connection) return []
  return [{ path: ['expect', 'idpConnection'], message: `the message goes to the connection "${message.connection}"` }]
}

function strangeMessage({ message }: PolicyCase, { connections }: Server): readonly CaseMistake[] {
  const { connection: id, virtualServerId = '', appliesTo = '' } = message ?? {}
  const connection = connections.get(id ?? '')
  const services = [...connections.values()].flatMap(({ generators }) => generators.flatMap(generator => generator.appliesTo))
  return [
    ...strangeName('virtualServerId', virtualServerId, connection?.virtualServerIds, `the connection "${id}" has no virtual server`),
    ...strangeName('AppliesTo', appliesTo, services, 'no connection issues anything for'),
  ].map(({ path, message }) => ({ path: ['message', ...path], message }))
}

function strangeRequest({ message, request }: PolicyCase, { targets, policies }: Server): readonly CaseMistake[] {
  if (message !== undefined) return []
  const { subject_token_type: type, requested_token_type: wanted, resource = [], audience = [] } = request
  const taken = [...policies.values()].flatMap(({ mappings }) => mappings.map(({ subjectTokenType }) => subjectTokenType))
  const made = targets.all.flatMap(({ tokenTypes }) => tokenTypes)
  const audiences = targets.all.flatMap(target => target.audiences)
  const resources = targets.all.flatMap(target => target.resources)
  const unserved = [resource].flat().filter(each => targets.ofResource(each) === undefined)
  return [
    ...strangeName('subject_token_type', type, taken, 'no policy takes tokens of the type'),
    ...strangeName('requested_token_type', wanted, made, 'nothing makes tokens of the type'),
    ...[audience].flat().flatMap(each => strangeName('audience', each, audiences, 'no target has the audience')),
    ...unserved.flatMap(each => strangeName('resource', each, resources, 'no target has the resource')),
  ].map(({ path, message }) => ({ path: ['request', ...path], message }))
}

function strangeName(
  member: string,
  name: string | readonly string[] | undefined,
  known: readonly string[] | undefined,
  why: string,
): readonly CaseMistake[] {
  if (typeof name !== 'string' || name === '' || known === undefined || known.includes(name)) return []
  return [{ path: [member], message: `${why} "${name}"${didYouMean(name, known)}` }]
}

function strangeScope({ scope = '' }: IssuedExpectation, { clients }: Server): readonly CaseMistake[] {
  const known = [...clients.values()].flatMap(client => client.scopes)
  const mistakes = scope.split(' ').flatMap(each => strangeName('scope', each, known, 'no client has the scope'))
  return mistakes.map(({ path, message }) => ({ path: ['expect', ...path], message }))
}

import { fileOf } from '../config/folders.ts'
import { didYouMean, nearestName } from '../config/suggest.ts'
import type { TokenMaker } from '../policies/target.ts'
import type { Server } from '../server.ts'
import type { CaseMistake } from './check-cases.ts'
import type { IssuedExpectation } from './expectation.ts'

/** What a case expects in a token and nothing here could ever write; or not whoever is expected to make it. */
export function impossibleContents(expected: IssuedExpectation, server: Server): readonly CaseMistake[] {
  const all = everyMaker(server)
  const { accessTokenManager, tokenGenerator } = expected
  const meant = accessTokenManager ?? tokenGenerator
  const makers = meant === undefined ? all : all.filter(maker => fileOfMaker(maker, server) === fileOf(meant.kind, meant.id))
  const what = meant === undefined ? 'no token of this server has' : `no token of "${meant.id}" has`
  // What is not there at all is reported as a reference to nothing.
  return makers.length === 0 ? [] : [...unknownNames(expected, makers, what), ...neverThere(expected, all)]
}

function everyMaker({ targets, connections, policies }: Server): readonly TokenMaker[] {
  const mapped = [...connections.values()].flatMap(({ generators }) => generators.map(({ maker }) => maker))
  const issued = [...policies.values()].flatMap(({ issues }) => [...issues.keys()])
  return [...new Set([...targets.all.flatMap(({ makers }) => makers), ...mapped, ...issued])]
}

function fileOfMaker(maker: TokenMaker, { accessTokenManagers }: Server): string {
  return fileOf(accessTokenManagers.get(maker.id) === maker ? 'access-token-managers' : 'token-generators', maker.id)
}

// RFC 9068 §2.2, RFC 8693 §4: what the exchange decides stands in no contract.
const claimsOfTheExchange = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'client_id', 'scope', 'act', 'cnf', 'anc']

function unknownNames(expected: IssuedExpectation, makers: readonly TokenMaker[], what: string): readonly CaseMistake[] {
  const mapped = attributesOf(makers)
  const unknown = (member: 'claims' | 'attributes', known: readonly string[]) => {
    const names = Object.keys(expected[member] ?? {}).filter(name => !known.includes(name))
    return names.map(name => ({ path: ['expect', member, name], message: `${what} "${name}"${didYouMean(name, known)}` }))
  }
  const claims = makers.every(writesItsContract) ? unknown('claims', [...mapped, ...claimsOfTheExchange]) : []
  return [...claims, ...unknown('attributes', mapped)]
}

// That a name is never there may be the point; only what is nearly another one must be misspelt.
function neverThere({ absent = [] }: IssuedExpectation, makers: readonly TokenMaker[]): readonly CaseMistake[] {
  const known = [...attributesOf(makers), ...claimsOfTheExchange]
  if (!makers.every(writesItsContract)) return []
  return absent.flatMap((name, index) => {
    const meant = known.includes(name) ? undefined : nearestName(name, known)
    if (meant === undefined) return []
    const message = `no token of this server has "${name}", so that this proves nothing; did you mean "${meant}"?`
    return [{ path: ['expect', 'absent', index], message }]
  })
}

function attributesOf(makers: readonly TokenMaker[]): readonly string[] {
  return makers.flatMap(({ contract }) => Object.keys(contract.attributes))
}

// What plug-ins write into their tokens is their own affair, and AWS has claims of its own.
function writesItsContract(maker: TokenMaker): boolean {
  const { type, roleRequest } = maker as { readonly type?: string; readonly roleRequest?: unknown }
  return ['jwt', 'reference', 'saml2', 'saml11'].includes(type ?? '') && roleRequest === undefined
}

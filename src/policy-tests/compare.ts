import { isDeepStrictEqual } from 'node:util'
import type { JsonObject, JsonValue } from '../json.ts'
import { type OAuthError, refusals } from '../oauth/errors.ts'
import { faultNameOf } from '../sts/faults.ts'
import type { PolicyCase } from './cases.ts'
import type { IssuedExpectation, RefusalExpectation, StatusExpectation } from './expectation.ts'
import type { Outcome } from './play.ts'

/** One thing that is not as a case expects it; undefined is nothing at all. */
export interface Difference {
  readonly what: string
  readonly expected: JsonValue | undefined
  readonly actual: JsonValue | undefined
  /** How the actual value came about. */
  readonly notes?: readonly string[]
}

/** Where the setting of that name stands. */
export type PlaceOfSetting = (setting: string) => string

/** What differs between a case and what came of it; empty when it is as expected. */
export function compare(policyCase: Compared, outcome: Outcome, placeOf: PlaceOfSetting): readonly Difference[] {
  const { expect } = policyCase
  if (outcome.is === 'failed') return [{ what: 'the case', expected: 'can be played', actual: outcome.why }]
  const came = { policyCase, placeOf }
  if (expect.error !== undefined)
    return outcome.is === 'refused'
      ? compareRefusals(expect, outcome.refusal, came)
      : [somethingElse(outcome, `refused: ${expect.error}`, came)]
  if (expect.status !== undefined)
    return 'isValid' in outcome && outcome.isValid !== undefined
      ? compareStatus(expect, outcome.isValid, outcome, came)
      : [somethingElse(outcome, `status/${expect.status}`, came)]
  return outcome.is === 'issued' ? compareIssued(expect, outcome) : [somethingElse(outcome, 'a token', came)]
}

type Compared = Pick<PolicyCase, 'expect' | 'message'>
type Played = Exclude<Outcome, { is: 'failed' }>
type Issued = Extract<Outcome, { is: 'issued' }>

interface Came {
  readonly policyCase: Compared
  readonly placeOf: PlaceOfSetting
}

function somethingElse(outcome: Played, expected: string, { policyCase, placeOf }: Came): Difference {
  const refusal = 'refusal' in outcome ? outcome.refusal : undefined
  const actual = {
    issued: () => `a token (${(outcome as Issued).answer.issued_token_type})`,
    refused: () => `refused: ${refusal && codeOf(refusal, policyCase)}`,
    judged: () => `status/${refusal === undefined ? 'valid' : 'invalid'}`,
  }[outcome.is]()
  return { what: 'the answer', expected, actual, ...(refusal && { notes: notesOf(refusal, placeOf) }) }
}

/** In which words a refusal goes out: a code, or the name of a fault. */
function codeOf({ reason }: OAuthError, { message }: Compared): string {
  return message === undefined ? refusals[reason].error : faultNameOf(reason)
}

function compareRefusals(expected: RefusalExpectation, refusal: OAuthError, { policyCase, placeOf }: Came): readonly Difference[] {
  const { reason, message, setting } = refusal
  return explained(
    [
      differentWord('error', expected.error, codeOf(refusal, policyCase)),
      differentWord('reason', expected.reason, reason),
      lacking('error_description', expected.error_description, message),
      lacking('setting', expected.setting, setting),
    ],
    notesOf(refusal, placeOf),
  )
}

function compareStatus(
  expected: StatusExpectation,
  isValid: boolean,
  { facts, ...outcome }: Played,
  { placeOf }: Came,
): readonly Difference[] {
  const refusal = 'refusal' in outcome ? outcome.refusal : undefined
  return explained(
    [
      differentWord('status', expected.status, isValid ? 'valid' : 'invalid'),
      differentWord('idpConnection', expected.idpConnection?.id, facts.connection),
      differentWord('reason', expected.reason, refusal?.reason),
      lacking('setting', expected.setting, refusal?.setting),
    ],
    refusal === undefined ? [] : notesOf(refusal, placeOf),
  )
}

function explained(found: ReadonlyArray<Difference | false>, notes: readonly string[]): readonly Difference[] {
  return found.filter(each => each !== false).map((each, at) => (at === 0 && notes.length > 0 ? { ...each, notes } : each))
}

function notesOf({ reason, message, setting, cause }: OAuthError, placeOf: PlaceOfSetting): readonly string[] {
  const because = typeof cause === 'string' ? ` (${cause})` : ''
  return [`${reason}: ${message}${because}`, ...(setting === undefined ? [] : [`decided by ${placeOf(setting)}`])]
}

function lacking(what: string, part: string | undefined, whole: string | undefined): Difference | false {
  return part !== undefined && whole?.includes(part) !== true && { what, expected: part, actual: whole }
}

function differentWord(what: string, expected: string | undefined, actual: string | undefined): Difference | false {
  return expected !== undefined && expected !== actual && { what, expected, actual }
}

function compareIssued(expected: IssuedExpectation, { answer, content, attributes, facts }: Issued): readonly Difference[] {
  const claims = 'claims' in content ? content.claims : undefined
  const { target, generator, policy } = facts
  const found: Array<Difference | false> = [
    differentWord('processorPolicy', expected.processorPolicy?.id, policy),
    differentWord('idpConnection', expected.idpConnection?.id, facts.connection),
    differentWord('accessTokenManager', expected.accessTokenManager?.id, generator === undefined ? target : undefined),
    differentWord('generatorGroup', expected.generatorGroup?.id, generator === undefined ? undefined : target),
    differentWord('tokenGenerator', expected.tokenGenerator?.id, generator),
    differentWord('issued_token_type', expected.issued_token_type, answer.issued_token_type),
    expected.expires_in !== undefined &&
      expected.expires_in !== answer.expires_in && { what: 'expires_in', expected: expected.expires_in, actual: answer.expires_in },
    differentScope(expected.scope, answer.scope),
    expected.act !== undefined && different('act', expected.act ?? undefined, facts.act),
    expected.wouldRefuse !== undefined &&
      different(
        'wouldRefuse',
        expected.wouldRefuse,
        (facts.wouldRefuse ?? []).map(({ reason }) => reason),
      ),
    expected.claims !== undefined &&
      claims === undefined && {
        what: 'claims',
        expected: expected.claims as JsonObject,
        actual: undefined,
        notes: ['the token is an assertion, which has no claims: expect "attributes"'],
      },
  ]
  const named = [
    ...(claims === undefined ? [] : compareMembers('claims', expected.claims, claims, expected.exactly && expected.claims !== undefined)),
    ...compareMembers('attributes', expected.attributes, attributes, expected.exactly && expected.attributes !== undefined),
    ...unwanted(expected.absent ?? [], claims ?? attributes, claims === undefined ? 'attributes' : 'claims'),
  ]
  return [...found.filter(each => each !== false), ...named]
}

function differentScope(expected: string | undefined, actual: string | undefined): Difference | false {
  const listOf = (scope: string) => scope.split(' ').filter(Boolean).sort()
  return (
    expected !== undefined &&
    !isDeepStrictEqual(listOf(expected), listOf(actual ?? '')) && { what: 'scope', expected, actual: actual ?? '' }
  )
}

function different(what: string, expected: JsonValue | undefined, actual: JsonValue | undefined): Difference | false {
  return !isDeepStrictEqual(expected, actual) && { what, expected, actual }
}

const differsEveryTime = ['iat', 'nbf', 'exp', 'jti']

function compareMembers(where: string, expected: object | undefined, actual: JsonObject, exactly: boolean): readonly Difference[] {
  const wanted = (expected ?? {}) as JsonObject
  const others = exactly ? Object.keys(actual).filter(name => !Object.hasOwn(wanted, name) && !differsEveryTime.includes(name)) : []
  return [
    ...Object.entries(wanted).map(([name, value]) => different(`${where}.${name}`, value, ownMember(actual, name))),
    ...others.map(name => different(`${where}.${name}`, undefined, actual[name])),
  ].filter(each => each !== false)
}

function unwanted(absent: readonly string[], actual: JsonObject, where: string): readonly Difference[] {
  return absent
    .filter(name => ownMember(actual, name) !== undefined)
    .map(name => ({ what: `${where}.${name}`, expected: undefined, actual: actual[name] }))
}

function ownMember(members: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

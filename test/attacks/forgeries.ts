import { foreignKeys, guessedSecrets, publicKeyAsSecret, renamedAlgorithms, thumbprints, unsigned } from './forged-algorithms.ts'
import { audiences, beginnings, expiries, issuers, otherPayloads, oversized, restrictions, subjects, twice } from './forged-claims.ts'
import { encrypted, otherForms, respelled } from './forged-encodings.ts'
import {
  ambiguousHeaders,
  broughtKeys,
  broughtSecrets,
  extensions,
  headerBytes,
  injectedKids,
  misleadingIssuers,
  otherKinds,
  wrongKids,
} from './forged-headers.ts'
import { changedContents, changedSignatures, mixedUp, numbersOutOfRange } from './forged-signatures.ts'
import type { Forgery, Victim } from './forging.ts'

/** What is particular to one use of JWTs. */
export interface Use {
  /** Values of `typ` that are in order. */
  readonly types: readonly string[]
  /** Audiences that are refused in this use only. */
  readonly wrongAudiences: readonly unknown[]
}

/** Every forgery that we know of, by what it tries. */
export async function forgeriesOf(victim: Victim, use: Use): Promise<Map<string, Forgery[]>> {
  return new Map([
    ['no signature', unsigned(victim)],
    ['a public key as the secret of a MAC', publicKeyAsSecret(victim)],
    ['a secret that can be guessed', guessedSecrets(victim)],
    ['an algorithm under another name', renamedAlgorithms(victim)],
    ['a key of the attacker', [...foreignKeys(victim), ...thumbprints(victim)]],
    ['a key that the token brings', [...broughtKeys(victim), ...broughtSecrets(victim)]],
    ['an issuer that the token brings', misleadingIssuers(victim)],
    ['a kid that does something', [...injectedKids(victim), ...wrongKids(victim)]],
    ['numbers out of range', numbersOutOfRange(victim)],
    ['a changed signature', changedSignatures(victim)],
    ['changed contents', changedContents(victim)],
    ['keys and algorithms mixed up', mixedUp(victim)],
    ['another kind of JWT', otherKinds(victim, use.types)],
    ['an extension', extensions(victim)],
    ['an ambiguous header', [...ambiguousHeaders(victim), ...headerBytes(victim)]],
    ['another issuer', issuers(victim)],
    ['another audience', audiences(victim, use.wrongAudiences)],
    ['no subject', subjects(victim)],
    ['a time', [...expiries(victim), ...beginnings(victim)]],
    ['a restriction', restrictions(victim)],
    ['a claim twice', twice(victim)],
    ['another payload', otherPayloads(victim)],
    ['size and depth', oversized(victim)],
    ['another spelling', respelled(victim)],
    ['another form', otherForms(victim)],
    ['an encrypted token', await encrypted(victim)],
  ])
}

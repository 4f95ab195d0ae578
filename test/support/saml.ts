import { expect } from 'chai'
import {
  assertion11,
  assertion20,
  makeSigner,
  now,
  partner,
  type SignatureChanges,
  type Signer,
  signed,
  token,
  type Unsigned,
} from '../saml/forge.ts'
import { certifiedKey } from './certificates.ts'
import { type Files, type Patch, patched } from './configuration.ts'
import { types } from './oauth.ts'
import type { Parameters, WorldOutside } from './running-server.ts'
import { type Issued, serverFor, type World } from './world.ts'

/** The issuer of the assertions that the server under test makes. */
export const samlIssuer = 'https://sts.example.com/saml'

const text = { type: 'string' }
const texts = { type: 'array', items: text }

type Policy = { processors: Array<Record<string, unknown>>; issues: object[] }

/** The policy of the usual files with further mappings. */
export function withMappings(files: Files, processors: readonly object[], issues: readonly object[] = []): Files {
  const policy = files['policies/processor-policies/people.json'] as Policy
  return patched(files, {
    'policies/processor-policies/people.json': {
      processors: [...policy.processors, ...processors],
      issues: [...policy.issues, ...issues],
    },
  })
}

/** What is read of an assertion, also where it has no attributes. */
export const fromAssertion = {
  subject: 'subject.nameId.value',
  email: "subject.nameId.value + '@partner.example'",
  groups: 'has(subject.attributes.groups) ? subject.attributes.groups : []',
}

/** The usual mapping to a SAML generator. */
export const intoAssertion = { SAML_SUBJECT: 'policy.subject', email: 'policy.email', groups: 'policy.groups' }

/** The usual files with SAML both ways: the partner's assertions are taken, and the group `ledger` makes SAML 2.0, SAML 1.1 and a foreign JWT. */
export function samlFiles(files: Files, signer: Signer): Files {
  const issuers = [{ entityId: partner, certificates: [{ file: 'secrets/partner.crt' }] }]
  const claims = { type: 'object', properties: { email: text, groups: texts } }
  const { privateKeyPem, certificatePem } = certifiedKey('ES256', 'saml', 7300)
  const generator = {
    issuer: samlIssuer,
    audience: 'https://ledger.example.com',
    signingKey: 'saml',
    lifetime: '5m',
    contract: { SAML_SUBJECT: text, email: text, groups: texts },
  }
  const [person] = (files['policies/processor-policies/people.json'] as Policy).processors
  const assertion = { subjectTokenProcessor: 'partner', subjectTokenType: types.saml2, attributes: fromAssertion }
  const withFiles = patched(files, {
    'policies/token-processors/partner.json': { type: 'saml2', issuers, claims },
    'policies/token-processors/partner11.json': { type: 'saml11', issuers, claims },
    'policies/token-generators/ledger-saml.json': { ...generator, type: 'saml2', subject: { recipient: 'https://ledger.example.com/acs' } },
    'policies/token-generators/ledger-saml11.json': { ...generator, type: 'saml11', attributeNamespace: 'urn:example' },
    'policies/token-generators/ledger-jwt.json': {
      type: 'jwt',
      audience: 'https://ledger.example.com',
      signingKey: 'api',
      lifetime: '5m',
      contract: { sub: text, email: text },
    },
    'policies/generator-groups/ledger.json': {
      resources: ['https://ledger.example.com/'],
      audiences: ['ledger'],
      generators: { [types.saml2]: 'ledger-saml', [types.saml1]: 'ledger-saml11', [types.jwt]: 'ledger-jwt' },
      default: types.saml2,
    },
    'keys/saml.json': {
      algorithm: 'ES256',
      status: 'active',
      privateKey: { file: 'secrets/saml.pem' },
      certificate: { file: 'secrets/saml.crt' },
    },
    'secrets/saml.pem': privateKeyPem,
    'secrets/saml.crt': certificatePem,
    'secrets/partner.crt': signer.certificate,
  })
  return withMappings(
    withFiles,
    [
      assertion,
      { ...assertion, subjectTokenType: types.saml1, subjectTokenProcessor: 'partner11' },
      { ...assertion, actorTokenType: types.saml2, actorTokenProcessor: 'partner' },
      { ...assertion, actorTokenType: types.jwt, actorTokenProcessor: 'agents' },
      { ...person, actorTokenType: types.saml2, actorTokenProcessor: 'partner' },
      { ...person, actorTokenType: types.saml1, actorTokenProcessor: 'partner11' },
    ],
    [
      { tokenGenerator: 'ledger-saml', attributes: intoAssertion },
      { tokenGenerator: 'ledger-saml11', attributes: intoAssertion },
      { tokenGenerator: 'ledger-jwt', attributes: { sub: 'policy.subject', email: 'policy.email' } },
    ],
  )
}

/** The world of the SAML tests: its clock stands where the forged assertions are valid. */
export function samlServerFor(
  signer: Signer = makeSigner(),
  patch: Patch | ((files: Files) => Files) = {},
  options: WorldOutside = {},
): World {
  const change = (files: Files) =>
    typeof patch === 'function' ? patch(samlFiles(files, signer)) : patched(samlFiles(files, signer), patch)
  return serverFor(change, { clock: () => now, ...options })
}

/** A document as the subject token. */
export function subjectOf(xml: string | Buffer, more: Parameters = {}): Parameters {
  return { subject_token: Buffer.from(xml).toString('base64url'), subject_token_type: types.saml2, ...more }
}

/** An assertion of the partner, signed, as the parameters of a request. */
export function signedSubject(
  signer: Signer,
  document: Unsigned = assertion20(),
  more: Parameters = {},
  changes: SignatureChanges = {},
): Parameters {
  return subjectOf(signed(document, signer, changes), more)
}

/** The same of SAML 1.1. */
export function signedSubject11(signer: Signer, more: Parameters = {}): Parameters {
  return { subject_token: token(signed(assertion11(), signer)), subject_token_type: types.saml1, ...more }
}

/** An assertion of the partner as actor token. */
export function signedActor(signer: Signer, document: Unsigned = assertion20()): Parameters {
  return { actor_token: token(signed(document, signer)), actor_token_type: types.saml2 }
}

/** The XML of an assertion that was issued, in the only form that an answer has it (RFC 8693 §3). */
export function assertionIn({ token: issued }: Issued): string {
  expect(issued, 'base64url without padding').to.match(/^[A-Za-z0-9_-]+$/)
  const xml = Buffer.from(issued, 'base64url').toString('utf8')
  expect(Buffer.from(xml, 'utf8').toString('base64url')).to.equal(issued)
  expect(xml)
    .to.match(/^<(?:\w+:)?Assertion /)
    .and.to.not.include('<?xml')
  return xml
}

import type { JsonObject } from '../json.ts'
import type { Parts } from '../plugin.ts'
import { buildContract } from '../policies/contract.ts'
import { warnOfLifetime } from '../policies/lifetime-warnings.ts'
import type { Authentication, ProxyRestriction } from '../processors/processor.ts'
import type { AssertionContent, Confirmation } from '../saml/assertion-content.ts'
import type { UnsignedAssertion } from '../saml/sign.ts'
import type { Xml } from '../saml/write.ts'
import { authenticationFor } from './authentication.ts'
import { type AttributeName, attributeWriter, contractProblems, sharedNames, subjectName } from './saml-attributes.ts'
import type { SharedSamlSettings } from './saml-settings.ts'
import { signerOf } from './saml-signer.ts'
import { type SubjectSettings, subjectOf } from './saml-subject.ts'
import type { GeneratorGrant, TokenGenerator } from './token-generator.ts'

/** The settings of a SAML generator, as far as both versions have them. */
export interface SamlSettings extends SharedSamlSettings {
  readonly subject: SubjectSettings
  readonly contract: Readonly<Record<string, JsonObject>>
}

/** Where the versions of SAML differ. */
export interface SamlVersion {
  readonly version: '1.1' | '2.0'
  readonly type: string
  readonly tokenType: string
  readonly expressesActor: boolean
  /** How an attribute of the contract is called; undefined when that cannot be told. */
  nameOf(key: string, schema: JsonObject): AttributeName | undefined
  /** How an authentication is called. */
  authenticatedBy(authentication: Authentication): string
  /** When the confirmation of the subject ends. */
  confirmationOf(grant: GeneratorGrant): Pick<Confirmation, 'recipient' | 'notOnOrAfter'>
  /** Whether an assertion for these audiences may be made from a token with the restriction. */
  permits(restriction: ProxyRestriction, audiences: readonly string[]): boolean
  /** What only this version can say. */
  restrictionsOf(grant: GeneratorGrant): Pick<AssertionContent, 'proxyRestriction' | 'delegates'>
  write(content: AssertionContent): UnsignedAssertion
  /** The last step, after the signature. */
  seal(assertion: Xml): Xml
  /** The text of the token. Absent: the assertion in base64url (RFC 8693 §3). */
  deliver?(assertion: Xml, content: AssertionContent): string
}

/** Builds a generator of signed assertions, by the settings that both versions have and what is particular to one. */
export function samlGenerator(settings: SamlSettings, parts: Parts, version: SamlVersion): TokenGenerator {
  const { issuer, lifetime, outlivesSubject, oneTimeUse, notBefore, authnStatement } = settings
  const audiences = typeof settings.audience === 'string' ? [settings.audience] : settings.audience
  const contract = checkedContract(settings, parts)
  const attributesOf = attributeWriter(namedAttributes(settings, parts, version))
  const subject = subjectOf(settings.subject, parts)
  const { sign, keys } = signerOf(settings, parts)
  warnOfLifetime(settings, parts)

  return {
    id: parts.id,
    type: version.type,
    tokenType: version.tokenType,
    contract,
    lifetime,
    outlivesSubject,
    expressesActor: version.expressesActor,
    permits: restriction => version.permits(restriction, audiences),
    binding: subject.binding,
    binds: subject.binds,
    publication: {
      as: 'saml-entity',
      entity: { entityId: issuer, versions: [version.version], keys, nameFormats: subject.formats },
    },
    async generate(grant) {
      const { attributes, expiresBy, now, authentication } = grant
      // SAML Core §1.3.4: 160 random bits; the underscore makes it an NCName.
      const id = `_${parts.outside.random(20).toString('hex')}`
      const content: AssertionContent = {
        id,
        issuer,
        issuedAt: now,
        notBefore: now - notBefore,
        notOnOrAfter: expiresBy,
        audiences,
        oneTimeUse,
        subject: subject.nameOf(attributes),
        confirmation: { ...subject.confirmationFor(grant.binding), ...version.confirmationOf(grant) },
        authentication: authenticationFor(authnStatement, authentication, now, version.authenticatedBy),
        attributes: attributesOf(attributes),
        ...version.restrictionsOf(grant),
      }
      const unsigned = version.write(content)
      const assertion = version.seal(await sign(unsigned))
      const token = version.deliver?.(assertion, content) ?? Buffer.from(assertion, 'utf8').toString('base64url')
      return { token, id, tokenType: 'N_A', expiresAt: expiresBy, content: { xml: unsigned.before + unsigned.after } }
    },
  }
}

function checkedContract({ contract }: SamlSettings, parts: Parts) {
  if (!Object.hasOwn(contract, subjectName)) parts.problem(['contract'], `the contract needs the attribute "${subjectName}"`)
  for (const { path, message } of contractProblems(contract)) parts.problem(['contract', ...path], message)
  return buildContract(withoutAnnotations(contract), parts, ['contract'])
}

// `saml` says how an attribute is called, and nothing about its value.
function withoutAnnotations(contract: SamlSettings['contract']): Readonly<Record<string, JsonObject>> {
  return Object.fromEntries(Object.entries(contract).map(([name, { saml: _name, ...schema }]) => [name, schema]))
}

function namedAttributes({ contract }: SamlSettings, parts: Parts, version: SamlVersion): Array<readonly [string, AttributeName]> {
  const names = Object.entries(contract)
    .filter(([key]) => !key.startsWith('SAML_'))
    .flatMap(([key, schema]) => {
      const name = version.nameOf(key, schema)
      if (name === undefined) parts.problem(['contract', key], 'needs "saml": { "namespace": "…" }, or a name that is a URI with a path')
      return name === undefined ? [] : [[key, name] as const]
    })
  for (const [key, other] of sharedNames(names)) parts.problem(['contract', key], `has the same name in the assertion as "${other}"`)
  return names
}

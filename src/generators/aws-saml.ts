import { z } from 'zod'
import { type IamName, roleArn, roleNamed, samlProviderArn } from '../aws/arn.ts'
import { type Partition, regionNames, signInAddresses } from '../aws/partitions.ts'
import { demandedOf, sessionWords, tagKeysOf, tagPrefix, transitiveProblem } from '../aws/session.ts'
import { distinct, duration, lifetime, strict } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Parts, pluginKind, SettingProblem } from '../plugin.ts'
import { buildContract, jsonSchema } from '../policies/contract.ts'
import type { Contract, ContractProblem } from '../policies/processor-policy.ts'
import { writeResponse2 } from '../saml/write-response2.ts'
import { writeSaml2 } from '../saml/write-saml2.ts'
import { contextClass } from './authentication.ts'
import { allows, inherited } from './proxy-restriction.ts'
import { subjectName, subjectNameFormat } from './saml-attributes.ts'
import { encryptionSettings, sealFor } from './saml-encryption.ts'
import { type SamlSettings, samlGenerator } from './saml-generator.ts'
import { samlSettings } from './saml-settings.ts'
import type { RoleRequest, TokenGenerator } from './token-generator.ts'

// AWS takes an assertion within five minutes of its issue, whatever it says itself (AW-7).
const longestLifetime = 300
// AW-2.
const longestToken = 100_000
const attributePrefix = 'https://aws.amazon.com/SAML/Attributes/'
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'

const { issuer, signingKey, notBefore, outlivesSubject } = samlSettings

const shape = {
  ...{ issuer, signingKey, notBefore, outlivesSubject },
  lifetime: lifetime
    .refine(seconds => seconds <= longestLifetime, 'must be at most "5m": AWS takes an assertion no later than that')
    .default(longestLifetime)
    .meta({ description: 'How long an assertion can be handed to AWS (default "5m", which is the most)' }),
  role: z
    .union([roleArn, distinct(roleArn).min(1)])
    .optional()
    .meta({ description: 'The role that may be assumed, or several to choose from; absent: the contract has "Role"' }),
  provider: z
    .union([samlProviderArn, distinct(samlProviderArn).min(1)])
    .meta({ description: 'The SAML provider of IAM that has our metadata; one for each account with roles' }),
  region: z.enum(regionNames).optional().meta({ description: 'The region at which people sign in; absent: none in particular' }),
  recipient: z.string().optional().meta({ description: "Another sign-in address: that of AWS's encrypted assertions, …/saml/acs/<id>" }),
  sessionDuration: duration
    .refine(seconds => seconds >= 900 && seconds <= 43_200, 'must be from "15m" to "12h"')
    .optional()
    .meta({ description: 'How long a session at the console lasts; absent: as AWS has it, one hour' }),
  transitiveTags: distinct(z.string().min(1))
    .default([])
    .meta({ description: 'The keys of the tags that go along when the session takes another role' }),
  subject: strict({
    format: z
      .string()
      .min(1)
      .default(persistent)
      .meta({ description: 'The format of the name (default: persistent, which a trust policy can compare)' }),
  }).prefault({}),
  encryption: encryptionSettings
    .optional()
    .meta({ description: 'For whom assertions are encrypted: the certificate of the SAML provider' }),
  contract: z.record(z.string().min(1), jsonSchema).meta({
    description: `${subjectName}, RoleSessionName, and as needed Role, SourceIdentity, SessionDuration, TransitiveTagKeys and PrincipalTag:<key>`,
    required: [subjectName, sessionWords.sessionName],
  }),
}
type Settings = z.output<z.ZodObject<typeof shape>>

/** What `AssumeRoleWithSAML` and the sign-in page of AWS take: a Response with a signed assertion, in standard base64 (AW-3 to AW-13). */
export const awsSaml = pluginKind('aws-saml', shape, (settings, parts): TokenGenerator => {
  const providers = listOf(settings.provider)
  const { partition } = providers[0] as IamName
  // The certificates of a SAML provider have RSA keys (AW-18).
  if (!parts.signingKey(settings.signingKey, ['signingKey']).active.algorithm.startsWith('RS'))
    throw new SettingProblem(['signingKey'], 'AWS verifies signatures by RSA keys only: one of RS256, RS384 or RS512')
  const recipient = recipientOf(settings, partition)
  const contract = contractOf(settings, providers, parts)
  const generator = samlGenerator(samlSettingsFor(settings, partition, contract), parts, {
    version: '2.0',
    type: 'aws-saml',
    tokenType: tokenTypes.awsSamlResponse,
    expressesActor: false,
    nameOf: key => ({ name: attributePrefix + key, qualifier: 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri' }),
    authenticatedBy: contextClass,
    confirmationOf: ({ expiresBy }) => ({ recipient, notOnOrAfter: expiresBy }),
    permits: allows,
    restrictionsOf: ({ proxyRestriction }) => ({ proxyRestriction: proxyRestriction && inherited(proxyRestriction) }),
    write: writeSaml2,
    seal: sealFor(settings.encryption, parts),
    deliver(assertion, { issuer, issuedAt }) {
      const id = `_${parts.outside.random(20).toString('hex')}`
      const response = writeResponse2(assertion, { id, issuer, issuedAt, destination: recipient })
      const token = Buffer.from(response, 'utf8').toString('base64')
      if (token.length <= longestToken) return token
      throw new OAuthError('contract-not-met', `the response would be longer than the ${longestToken} characters that AWS takes`)
    },
  })
  const fixed = fixedValues(settings, providers)
  return {
    ...generator,
    contract,
    generate: grant =>
      generator.generate({ ...grant, attributes: completed(grant.attributes, fixed, providers) as typeof grant.attributes }),
    roleRequest: roleRequestOf(settings, providers),
  }
})

function samlSettingsFor(settings: Settings, { samlAudience }: Partition, contract: Contract): SamlSettings {
  return {
    ...settings,
    audience: samlAudience,
    // Some receivers take no assertion without a statement, and AWS shows one in every example.
    authnStatement: 'always',
    oneTimeUse: false,
    keyInfo: 'certificate',
    subject: { ...settings.subject, confirmation: 'bearer' },
    contract: { ...contract.attributes, ...fixedAttributes },
  }
}

// They stand in every assertion whose file has them, beside what is mapped.
const texts = { type: ['array', 'null'], items: { type: 'string' } }
const fixedAttributes = {
  [sessionWords.role]: texts,
  [sessionWords.sessionDuration]: { type: ['integer', 'null'] },
  [sessionWords.transitiveTags]: texts,
}

function listOf<Value>(value: Value | readonly Value[]): readonly Value[] {
  return Array.isArray(value) ? value : [value as Value]
}

function recipientOf({ region, recipient }: Settings, partition: Partition): string {
  const addresses = signInAddresses(partition)
  const usual = region === undefined ? addresses[0] : addresses.find(address => address.startsWith(`https://${region}.`))
  if (usual === undefined) throw new SettingProblem(['region'], `is no region of ${partition.name}, which the provider is in`)
  if (recipient === undefined) return usual
  const isKnown = addresses.some(
    address => recipient === address || (recipient.startsWith(`${address}/acs/`) && /\/acs\/[A-Za-z0-9_-]+$/.test(recipient)),
  )
  if (!isKnown) throw new SettingProblem(['recipient'], `is no sign-in address of ${partition.name}: ${usual}, or ${usual}/acs/<id>`)
  if (region !== undefined) throw new SettingProblem(['region'], 'the "recipient" names the address already')
  return recipient
}

const mappable = [
  ...[subjectName, sessionWords.role, sessionWords.sessionName, sessionWords.sessionDuration, sessionWords.sourceIdentity],
  ...[sessionWords.transitiveTags, tagPrefix],
]

function contractOf(settings: Settings, providers: readonly IamName[], parts: Parts): Contract {
  const { [subjectName]: subject, [subjectNameFormat]: format, ...session } = settings.contract
  const demanded = demandedOf(session, mappable, parts, ['contract'])
  if (!Object.hasOwn(session, sessionWords.sessionName)) {
    parts.problem(['contract'], `the contract needs the attribute "${sessionWords.sessionName}", without which AWS takes no assertion`)
  }
  reportRoles(settings, providers, parts)
  reportTwice(settings, parts)
  const special = { ...(subject && { [subjectName]: { type: 'string', ...subject } }), ...(format && { [subjectNameFormat]: format }) }
  const contract = buildContract({ ...special, ...demanded }, parts, ['contract'])
  return { ...contract, problem: values => contract.problem(values) ?? problemOf(values, providers) }
}

function reportRoles({ role, contract }: Settings, providers: readonly IamName[], parts: Parts): void {
  for (const [index, provider] of providers.entries()) {
    if (provider.partition !== providers[0]?.partition) parts.problem(['provider', index], 'is of another partition than the first one')
    if (providers.slice(0, index).some(({ account }) => account === provider.account))
      parts.problem(['provider', index], 'is a second one of this account; nothing says which of them a role has')
  }
  if ((role === undefined) !== Object.hasOwn(contract, sessionWords.role))
    throw new SettingProblem(['role'], 'expected either "role", or "Role" in the contract')
  for (const [index, each] of role === undefined ? [] : listOf(role).entries()) {
    if (providerOf(each, providers) === undefined)
      throw new SettingProblem(Array.isArray(role) ? ['role', index] : ['role'], `no "provider" is of its account, ${each.account}`)
  }
}

// Whichever of the two counted, somebody would have meant the other one.
function reportTwice({ contract, sessionDuration, transitiveTags }: Settings, parts: Parts): void {
  const inFile = { [sessionWords.sessionDuration]: sessionDuration !== undefined, [sessionWords.transitiveTags]: transitiveTags.length > 0 }
  for (const [word, isSet] of Object.entries(inFile)) {
    if (isSet && Object.hasOwn(contract, word)) parts.problem(['contract', word], 'this file says it already, for all')
  }
  const keys = tagKeysOf(contract)
  for (const [index, key] of transitiveTags.entries()) {
    if (!keys.includes(key)) parts.problem(['transitiveTags', index], `the contract has no "${tagPrefix}${key}"`)
  }
}

function providerOf(role: IamName | undefined, providers: readonly IamName[]): IamName | undefined {
  return providers.find(({ account, partition }) => account === role?.account && partition === role.partition)
}

// What a JSON Schema cannot say.
function problemOf(values: JsonObject, providers: readonly IamName[]): ContractProblem | undefined {
  const { [sessionWords.role]: role, [sessionWords.transitiveTags]: keys } = values
  if (typeof role === 'string' && providerOf(roleNamed(role), providers) === undefined)
    return { attribute: sessionWords.role, message: `${sessionWords.role} is of an account that no provider here is for` }
  const message = Array.isArray(keys) ? transitiveProblem(keys as readonly string[], values) : undefined
  return message === undefined ? undefined : { attribute: sessionWords.transitiveTags, message }
}

function fixedValues({ role, sessionDuration, transitiveTags }: Settings, providers: readonly IamName[]): JsonObject {
  return {
    ...(role !== undefined && { [sessionWords.role]: listOf(role).map(each => pair(each, providers)) }),
    ...(sessionDuration !== undefined && { [sessionWords.sessionDuration]: sessionDuration }),
    ...(transitiveTags.length > 0 && { [sessionWords.transitiveTags]: transitiveTags }),
  }
}

function completed(attributes: JsonObject, fixed: JsonObject, providers: readonly IamName[]): JsonObject {
  const { [sessionWords.role]: role, [sessionWords.transitiveTags]: _keys } = attributes
  const mapped = typeof role === 'string' ? { [sessionWords.role]: [pair(roleNamed(role), providers)] } : {}
  return { ...attributes, ...fixed, ...mapped }
}

// AW-12: the role first, no blanks.
function pair(role: IamName | undefined, providers: readonly IamName[]): string {
  const provider = providerOf(role, providers)
  if (role === undefined || provider === undefined)
    throw new OAuthError('contract-not-met', `"${sessionWords.role}" is no role that can be assumed`)
  return `${role.arn},${provider.arn}`
}

// With several roles in it, an assertion does not say which one is meant.
function roleRequestOf({ role }: Settings, providers: readonly IamName[]): RoleRequest | undefined {
  const roles = role === undefined ? [] : listOf(role)
  if (roles.length > 1) return undefined
  return {
    action: 'AssumeRoleWithSAML',
    partition: (providers[0] as IamName).partition,
    parametersOf(token, attributes) {
      const named = roles[0] ?? roleNamed(String(attributes[sessionWords.role]))
      const [RoleArn = '', PrincipalArn = ''] = pair(named, providers).split(',')
      return { RoleArn, PrincipalArn, SAMLAssertion: token }
    },
  }
}

import {
  assertionSeconds,
  federationAttributes as attributeNames,
  isSessionName,
  isSourceIdentity,
  isTagKey,
  isTagValue,
  longestAssertion,
  mostTags,
  readRoleChoice,
  sessionSeconds,
} from '../../aws/federation.ts'
import { type PartitionName, partitions, signInAddresses } from '../../aws/partitions.ts'
import type { JsonObject, JsonValue } from '../../json.ts'
import { TokenRejected } from '../../oauth/errors.ts'
import type { SamlPreset } from './saml-preset.ts'

const text = { type: 'string' }
const list = { type: 'array', items: text }

/** The assertion that one signs in to AWS with (AW-43): what it says to AWS is checked as AWS does, and read as `subject.aws`. */
export function awsFederation(partitionName: PartitionName): SamlPreset {
  const partition = partitions[partitionName]
  const addresses = signInAddresses(partition)
  return {
    name: 'aws-federation',
    audiences: [partition.samlAudience, ...addresses],
    recipients: addresses,
    // Where AWS has a key to decrypt with, the address ends with the id of the provider (AW-9).
    isRecipient: address => addresses.includes(address.replace(/\/acs\/[A-Za-z0-9_-]{1,128}$/, '')),
    maxSize: (longestAssertion / 4) * 3,
    maxAge: assertionSeconds,
    facts: {
      type: 'object',
      required: ['aws'],
      properties: {
        aws: {
          type: 'object',
          required: ['roles', 'providers', 'roleSessionName', 'principalTags', 'transitiveTagKeys'],
          properties: {
            roles: list,
            providers: list,
            roleSessionName: text,
            sourceIdentity: text,
            sessionDuration: { type: 'number' },
            principalTags: { type: 'object', additionalProperties: text },
            transitiveTagKeys: list,
          },
        },
      },
    },
    read: attributes => ({ aws: readSession(attributes) }),
  }
}

/** What the attributes say to AWS (AW-12), by short names. `providers[i]` is the provider that may assume `roles[i]`. */
function readSession(attributes: JsonObject): JsonObject {
  const choices = valuesOf(attributes, attributeNames.role).map(
    value => readRoleChoice(value) ?? fail('Role has no role with its provider'),
  )
  if (choices.length === 0) fail('Role is missing')
  const sourceIdentity = optional(attributes, 'sourceIdentity', isSourceIdentity)
  const duration = optional(attributes, 'sessionDuration', isSessionDuration)
  return {
    roles: choices.map(({ role }) => role),
    providers: choices.map(({ provider }) => provider),
    roleSessionName: optional(attributes, 'roleSessionName', isSessionName) ?? fail('RoleSessionName is missing'),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    ...(duration !== undefined && { sessionDuration: Number(duration) }),
    principalTags: readTags(attributes),
    transitiveTagKeys: valuesOf(attributes, attributeNames.transitiveTagKeys),
  }
}

function readTags(attributes: JsonObject): JsonObject {
  const names = Object.keys(attributes).filter(name => name.startsWith(attributeNames.principalTag))
  if (names.length > mostTags) fail(`there are more than ${mostTags} tags`)
  const tags = names.map(name => {
    const key = name.slice(attributeNames.principalTag.length)
    const [value, ...others] = valuesOf(attributes, name)
    if (value === undefined || others.length > 0) fail('a PrincipalTag has not one value')
    if (!isTagKey(key) || !isTagValue(value)) fail('a PrincipalTag has characters that AWS takes in no tag, or too many')
    return [key, value] as const
  })
  return Object.fromEntries(tags)
}

function optional(
  attributes: JsonObject,
  member: 'roleSessionName' | 'sourceIdentity' | 'sessionDuration',
  isGood: (value: string) => boolean,
) {
  const name = attributeNames[member].split('/').at(-1)
  const [value, ...others] = valuesOf(attributes, attributeNames[member])
  if (others.length > 0) fail(`${name} has several values`)
  if (value !== undefined && !isGood(value)) fail(`${name} is not as AWS takes it`)
  return value
}

function isSessionDuration(value: string): boolean {
  return /^[1-9]\d{2,4}$/.test(value) && Number(value) >= sessionSeconds.fewest && Number(value) <= sessionSeconds.most
}

// The file's `claims` may have made a single value, or a number, of what the assertion has as a list of texts.
function valuesOf(attributes: JsonObject, name: string): readonly string[] {
  const value: JsonValue | undefined = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return values.map(each => (each === null ? fail('a value is nil') : String(each)))
}

function fail(what: string): never {
  throw new TokenRejected(`the assertion is none for AWS: ${what}`, { member: 'preset' })
}

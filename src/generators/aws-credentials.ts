import { z } from 'zod'
import { roleArn, roleNamed } from '../aws/arn.ts'
import { assumeRole, type StsEndpoint, type StsParameters } from '../aws/assume-role.ts'
import { partitionOfRegion, regionNames, stsHost, stsHosts } from '../aws/partitions.ts'
import { demandedOf, sessionWords } from '../aws/session.ts'
import type { RoleCredentials } from '../aws/sts-answer.ts'
import { duration, reference, webAddress } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { addressProblem } from '../keys/addresses.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Parts, pluginKind, SettingProblem } from '../plugin.ts'
import { buildContract, jsonSchema } from '../policies/contract.ts'
import type { Contract, ContractProblem } from '../policies/processor-policy.ts'
import type { GeneratorGrant, RoleRequest, TokenGenerator } from './token-generator.ts'

// AW-2.
const shortestSession = 900
const longestSession = 43_200

const shape = {
  tokenGenerator: reference('token-generators').meta({
    description: 'What AWS is shown: a generator of type "aws-saml", or of type "jwt" with the preset "aws-web-identity"',
  }),
  region: z.enum(regionNames).meta({ description: 'The region whose security token service is asked' }),
  role: roleArn.optional().meta({ description: 'The role, for a JWT; absent: the contract has "Role". In an assertion it stands already' }),
  lifetime: duration
    .refine(seconds => seconds >= shortestSession && seconds <= longestSession, 'must be from "15m" to "12h", as sessions of AWS are')
    .meta({ description: 'How long the credentials are asked for; the role has a maximum of its own' }),
  outlivesSubject: z
    .literal(true, 'must be true: the shortest session of AWS is fifteen minutes, whenever the subject token ends')
    .meta({ description: 'That the credentials may live longer than the subject token, said aloud' }),
  endpoint: webAddress.optional().meta({ description: 'Another address of that region: an interface endpoint of a VPC, FIPS or IPv6' }),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the service may be at a private or loopback address, there also by plain http' }),
  contract: z
    .record(z.string().min(1), jsonSchema)
    .default({})
    .meta({ description: 'Beside the contract of the token generator: Policy, PolicyArns, and for a JWT RoleSessionName and Role' }),
}
type Settings = z.output<z.ZodObject<typeof shape>>

/** Temporary credentials of AWS, which this server fetches for the client (AW-1, AW-5; flow A2). */
export const awsCredentials = pluginKind('aws-credentials', shape, (settings, parts): TokenGenerator => {
  const shown = parts.tokenGenerator(settings.tokenGenerator)
  const request = requestOf(shown, settings)
  const endpoint = endpointOf(settings, parts)
  const contract = contractOf(settings, shown, request, parts)
  parts.warn('outlives-subject', ['outlivesSubject'], 'its credentials stay valid after the subject token has ended')
  const { random, effects } = parts.outside
  return {
    id: parts.id,
    type: 'aws-credentials',
    tokenType: tokenTypes.awsCredentials,
    contract,
    lifetime: settings.lifetime,
    outlivesSubject: true,
    // AWS knows of nobody who acts for another, unless the name of the session or a tag says so.
    expressesActor: false,
    permits: restriction => shown.permits?.(restriction) ?? false,
    async generate(grant) {
      const parameters = sessionParameters(settings, request, grant)
      const { token } = await shown.generate(grantFor(shown, grant))
      const asked = (proof: string) => ({ ...parameters, ...request.parametersOf(proof, grant.attributes) })
      // What is asked of AWS; the proof has an explanation of its own, and the credentials have none.
      const content = { claims: { endpoint: endpoint.url, ...asked('(made when AWS is asked)') } }
      if (effects === undefined)
        return { token: 'AWS was not asked', id: 'explained', tokenType: 'N_A', expiresAt: grant.expiresBy, content }
      const credentials = await assumeRole(endpoint, asked(token), effects)
      const id = credentials.requestId ?? random(16).toString('base64url')
      // Its clock may be a second ahead of ours; what was decided here is not exceeded.
      const expiresAt = Math.min(credentials.expiresAt, grant.expiresBy)
      return { token: asJson(credentials), id, tokenType: 'N_A', expiresAt, content }
    },
  }
})

function requestOf({ id, roleRequest }: TokenGenerator, { region, role }: Settings): RoleRequest {
  if (roleRequest === undefined) {
    const needed = 'an "aws-saml" generator with one role, or a "jwt" generator with the preset "aws-web-identity"'
    throw new SettingProblem(['tokenGenerator'], `AWS issues no credentials for what "${id}" makes: needed is ${needed}`)
  }
  const partition = partitionOfRegion(region)
  const wanted = roleRequest.partition ?? role?.partition ?? partition
  if (wanted !== partition) throw new SettingProblem(['region'], `is a region of ${partition?.name}, and the role is in ${wanted?.name}`)
  return roleRequest
}

function endpointOf({ region, endpoint, allowPrivateNetwork }: Settings, parts: Parts): StsEndpoint {
  const url = endpoint ?? `https://${stsHost(region)}/`
  const problem = addressProblem(url, allowPrivateNetwork)
  if (problem !== undefined) throw new SettingProblem(['endpoint'], problem)
  if (allowPrivateNetwork) parts.warn('private-network', ['allowPrivateNetwork'], 'AWS may be at an address of a private network')
  if (!isOfAws(new URL(url), region))
    parts.warn('aws-endpoint', ['endpoint'], 'is no address of AWS in that region, and is shown what proves the subject there')
  return { url, allowPrivateNetwork }
}

// An interface endpoint is `<name>.sts.<region>.vpce.<suffix>`.
function isOfAws({ protocol, host }: URL, region: string): boolean {
  const suffix = partitionOfRegion(region)?.dnsSuffix
  return protocol === 'https:' && (stsHosts(region).includes(host) || host.endsWith(`.sts.${region}.vpce.${suffix}`))
}

const narrowing = [sessionWords.policy, sessionWords.policyArns]

function contractOf({ contract, role, region }: Settings, shown: TokenGenerator, { action }: RoleRequest, parts: Parts): Contract {
  const isJwt = action === 'AssumeRoleWithWebIdentity'
  const demanded = demandedOf(contract, isJwt ? [sessionWords.sessionName, sessionWords.role, ...narrowing] : narrowing, parts, [
    'contract',
  ])
  if (isJwt && !Object.hasOwn(contract, sessionWords.sessionName))
    parts.problem(['contract'], `the contract needs the attribute "${sessionWords.sessionName}"`)
  if (isJwt && (role === undefined) !== Object.hasOwn(contract, sessionWords.role))
    parts.problem(['role'], 'expected either "role", or "Role" in the contract')
  if (!isJwt && role !== undefined) parts.problem(['role'], `what "${shown.id}" makes names the role already`)
  for (const name of Object.keys(demanded).filter(each => Object.hasOwn(shown.contract.attributes, each)))
    parts.problem(['contract', name], `"${shown.id}" has this attribute already`)
  const own = buildContract(demanded, parts, ['contract'])
  return {
    attributes: { ...shown.contract.attributes, ...demanded },
    loggable: [],
    problem: values => shown.contract.problem(values) ?? own.problem(values) ?? problemOf(values, region),
  }
}

// What a JSON Schema cannot say.
function problemOf({ [sessionWords.policy]: policy, [sessionWords.role]: role }: JsonObject, region: string): ContractProblem | undefined {
  if (typeof policy === 'string' && !isJson(policy))
    return { attribute: sessionWords.policy, message: `${sessionWords.policy} is not JSON` }
  if (typeof role === 'string' && roleNamed(role)?.partition !== partitionOfRegion(region))
    return { attribute: sessionWords.role, message: `${sessionWords.role} is no role that can be assumed in this region` }
  return undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function sessionParameters({ role }: Settings, { action }: RoleRequest, { attributes, expiresBy, now }: GeneratorGrant): StsParameters {
  const seconds = expiresBy - Math.floor(now)
  if (seconds < shortestSession)
    throw new OAuthError('no-lifetime-left', `less than ${shortestSession} seconds are left, and sessions of AWS are not shorter`)
  const { [sessionWords.sessionName]: sessionName, [sessionWords.policy]: policy, [sessionWords.policyArns]: policyArns } = attributes
  const named = role?.arn ?? attributes[sessionWords.role]
  return {
    Action: action,
    DurationSeconds: String(seconds),
    // An assertion has both in it.
    ...(action === 'AssumeRoleWithWebIdentity' && { RoleArn: String(named), RoleSessionName: String(sessionName) }),
    ...(typeof policy === 'string' && { Policy: policy }),
    ...Object.fromEntries((Array.isArray(policyArns) ? policyArns : []).map((arn, at) => [`PolicyArns.member.${at + 1}.arn`, String(arn)])),
  }
}

// What is shown is made of its own contract, and lives no longer than it has to.
function grantFor({ contract, lifetime }: TokenGenerator, grant: GeneratorGrant): GeneratorGrant {
  const own = Object.entries(grant.attributes).filter(([name]) => Object.hasOwn(contract.attributes, name))
  return {
    ...grant,
    attributes: Object.fromEntries(own) as typeof grant.attributes,
    expiresBy: Math.min(grant.expiresBy, Math.floor(grant.now) + lifetime) as typeof grant.expiresBy,
  }
}

// As `credential_process` of the AWS tools prints it, so that nobody has to translate.
function asJson({ accessKeyId, secretAccessKey, sessionToken, expiration }: RoleCredentials): string {
  return JSON.stringify({
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration,
  })
}

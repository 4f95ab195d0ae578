import { createHash } from 'node:crypto'
import { Agent } from 'node:https'
import { z } from 'zod'
import { askCallerIdentity, type CallerIdentity } from '../aws/ask-caller-identity.ts'
import { readAws4Request } from '../aws/aws4-request.ts'
import { partitionOfRegion, partitions, regionNames, stsHosts } from '../aws/partitions.ts'
import { readPresignedUrl } from '../aws/presigned-url.ts'
import { type Principal, readPrincipal } from '../aws/principal.ts'
import { notACall, type SignedCall, signatureSeconds } from '../aws/signed-call.ts'
import { distinct, lifetime, strict } from '../config/values.ts'
import { problemsOf } from '../config/zod-problems.ts'
import type { JsonObject } from '../json.ts'
import { Outage, TokenRejected } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { Instant, Outside } from '../outside.ts'
import { type Parts, pluginKind } from '../plugin.ts'
import { type AssumedToken, AssumptionMistake, assumedTime } from './assumed.ts'
import { limitSettings } from './common-settings.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from './processor.ts'

const shape = {
  clockSkew: limitSettings.clockSkew,
  maxAge: lifetime
    .refine(seconds => seconds <= signatureSeconds, 'must be at most "15m", after which AWS takes no signature')
    .default(300)
    .meta({ description: 'How long ago the request may have been signed (default "5m")' }),
  accounts: distinct(z.string().regex(/^\d{12}$/, 'expected the number of an account, of 12 digits'))
    .min(1)
    .meta({ description: 'The AWS accounts whose principals are taken' }),
  regions: distinct(z.enum(regionNames))
    .min(1)
    .optional()
    .meta({ description: 'The regions whose STS may be asked, all of one partition (default: all of the partition "aws")' }),
  serverId: z
    .string()
    .regex(/^[\x21-\x7e]{1,256}$/, 'expected up to 256 printable ASCII characters without a space')
    .optional()
    .meta({ description: 'What the signed header must say for which server the request was made (default: the issuer of this server)' }),
}
const absent = {
  once: 'every signed request is taken once only',
  audiences: 'the signed header names "serverId"',
  maxLifetime: 'a signature is good for 15 minutes',
}

/** Whose tokens these are; stands as the issuer of actors. */
const issuer = 'https://sts.amazonaws.com'
const longestToken = 20_000

/** A signed and unsent request `GetCallerIdentity`, which proves who has signed it (AW-30 to AW-36). */
export const awsCallerIdentity = pluginKind(
  'aws-caller-identity',
  shape,
  (settings, parts): TokenProcessor => {
    const { regions = partitions.aws.regions, serverId = parts.issuer, accounts, clockSkew, maxAge } = settings
    const [partition, ...others] = new Set(regions.map(region => partitionOfRegion(region)?.name))
    // Nothing says that an account number is one account in all partitions.
    if (others.length > 0) parts.problem(['regions'], `are of several partitions (${[partition, ...others].join(', ')})`)
    if (!/^https:\/\/./.test(serverId) && settings.serverId !== undefined)
      parts.warn('server-id-not-unique', ['serverId'], 'is no https address: whatever else has this name takes the same requests')
    const agent = parts.kept.of(['aws-sts'], () => new Connections()).agent
    addProbe(regions, agent, parts)
    return new CallerIdentityProcessor({
      ...{ id: parts.id, serverId, clockSkew, maxAge, outside: parts.outside, agent },
      accounts: new Set(accounts),
      regionOf: new Map(regions.flatMap(region => stsHosts(region).map(host => [host, region] as const))),
    })
  },
  absent,
)

/** Connections to AWS that are kept open between requests, of each region its own; nothing else uses them. */
class Connections {
  readonly agent = new Agent({ keepAlive: true, maxSockets: 64, maxFreeSockets: 8, timeout: 30_000 })

  close(): void {
    this.agent.destroy()
  }
}

function addProbe(regions: readonly string[], agent: Agent, { probe, outside }: Parts): void {
  for (const region of regions.length > 3 ? regions.slice(0, 1) : regions) {
    const [host = ''] = stsHosts(region)
    probe({
      path: ['regions'],
      what: `AWS STS in ${region}`,
      // Without a signature it answers with a refusal, and shows that it is there.
      async run() {
        const { status } = await outside.fetch(`https://${host}/?Action=GetCallerIdentity&Version=2011-06-15`, { agent, maxBytes: 65_536 })
        if (status !== 403) throw new Error(`it answers ${status}, and not 403`)
        return 'it answers'
      },
    })
  }
}

interface CallerIdentityParts {
  readonly id: string
  readonly serverId: string
  readonly clockSkew: number
  readonly maxAge: number
  readonly accounts: ReadonlySet<string>
  /** By host: nothing is ever asked of another one. */
  readonly regionOf: ReadonlyMap<string, string>
  readonly outside: Outside
  readonly agent: Agent
}

/** What a policy test may say of a signed request: the ARN as AWS says it, that of a session too. */
const assumption = strict({
  arn: z.string(),
  userId: z.string().min(1).default('AIDAEXAMPLE'),
  signedAt: z.union([z.string(), z.number()]).optional(),
})

const text = { type: 'string' }

class CallerIdentityProcessor implements TokenProcessor {
  readonly id: string
  readonly limits: TokenProcessor['limits']
  readonly wellKnownTypes = [tokenTypes.awsSignedRequest, tokenTypes.awsPresignedUrl]
  readonly issuers = [issuer]
  readonly origin = 'foreign'
  readonly audiences: readonly string[]
  readonly attributes: JsonObject = {
    type: 'object',
    required: ['account', 'arn', 'userId'],
    properties: { account: text, arn: text, userId: text, role: text, session: text },
  }
  readonly #parts: CallerIdentityParts

  constructor(parts: CallerIdentityParts) {
    const { id, clockSkew, maxAge, serverId } = parts
    this.id = id
    this.limits = { clockSkew, maxAge, once: true }
    this.audiences = [serverId]
    this.#parts = parts
  }

  async process(token: string, { now }: ProcessorRequest): Promise<Proof> {
    if (token.length > longestToken) throw notACall(`it is longer than ${longestToken} characters`)
    const call = /^(?:\{|%7B)/i.test(token) ? readAws4Request(token) : readPresignedUrl(token)
    this.#requireForUs(call)
    this.#requireFresh(call, now)
    const identity = await this.#ask(call)
    return this.#prove(call, identity, this.#principalOf(call, identity))
  }

  assume({ says, id, now }: AssumedToken): Proof {
    const { success, data, error } = assumption.safeParse(says)
    if (!success) {
      const [first] = problemsOf(error, says)
      throw new AssumptionMistake(first?.path ?? [], first?.message ?? 'no signed request says this')
    }
    const principal = readPrincipal(data.arn)
    if (principal === undefined) throw new AssumptionMistake(['arn'], 'is the ARN of no role, session of a role, or user')
    this.#requireAccount(principal)
    const signedAt = assumedTime('signedAt', data.signedAt ?? Math.floor(now), now) as Instant
    return this.#prove({ signature: id, signedAt }, data, principal)
  }

  /** Before anything is sent: what was signed for another server, or for another place, is not even passed on to AWS. */
  #requireForUs({ host, credential, binding }: SignedCall): void {
    const { regionOf, serverId } = this.#parts
    const region = regionOf.get(host)
    if (region === undefined) throw new TokenRejected('the signed request is not for an AWS STS that is asked here', { member: 'regions' })
    if (region !== credential.region) throw notACall('it is signed for another region than that of its host')
    // In an address the header has no value: AWS finds out whether it was signed with ours.
    if (binding.value !== undefined && binding.value !== serverId)
      throw new TokenRejected('the signed request was made for another server', { member: 'serverId' })
  }

  // AWS looks at the date only, and takes an address for a quarter of an hour, whatever its signer has written there (AW-34).
  #requireFresh({ signedAt, usableFor = signatureSeconds }: SignedCall, now: Instant): void {
    const { clockSkew } = this.#parts
    if (now > signedAt + usableFor + clockSkew) throw new TokenRejected('the signed request has expired', { member: 'clockSkew' })
    if (now < signedAt - clockSkew) throw new TokenRejected('the signed request is of the future', { member: 'clockSkew' })
  }

  async #ask(call: SignedCall): Promise<CallerIdentity> {
    const { serverId, outside, agent } = this.#parts
    try {
      return await askCallerIdentity(call, serverId, { fetch: outside.fetch, agent })
    } catch (error) {
      if (error instanceof TokenRejected) throw error
      outside.log.warn({ err: error, processor: this.id, host: call.host }, 'AWS could not be asked who signed a request')
      throw new Outage('AWS cannot be asked now who signed the request', error)
    }
  }

  #principalOf({ credential }: SignedCall, { arn, account }: CallerIdentity): Principal {
    const principal = readPrincipal(arn)
    const isConsistent = principal?.account === account && principal.partition === partitionOfRegion(credential.region)?.name
    if (principal === undefined || !isConsistent) throw new TokenRejected('whoever signed the request is of a kind that is not known here')
    this.#requireAccount(principal)
    return principal
  }

  #requireAccount({ account }: Principal): void {
    if (!this.#parts.accounts.has(account))
      throw new TokenRejected('whoever signed the request is of an account that is not accepted here', { member: 'accounts' })
  }

  #prove(
    { signature, signedAt }: Pick<SignedCall, 'signature' | 'signedAt'>,
    { userId }: Pick<CallerIdentity, 'userId'>,
    { account, arn, role, session }: Principal,
  ): Proof {
    return {
      issuer,
      subject: arn,
      audiences: [this.#parts.serverId],
      issuedAt: signedAt,
      expiresAt: signedAt + signatureSeconds,
      id: createHash('sha256').update(signature).digest('base64url'),
      oneTimeUse: true,
      attributes: { account, arn, userId, ...(role !== undefined && { role }), ...(session !== undefined && { session }) },
    }
  }
}

import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeDesk } from '../../interop/saml-tools.ts'
import type { Federated, Iam, Role } from './iam.ts'
import { demand, Refusal } from './refusal.ts'
import { judgeSaml } from './saml.ts'
import { type SignedRequest, verifySignature } from './signature-v4.ts'
import { judgeWebIdentity, type ReadDocument } from './web-identity.ts'

/** A session of a role that was issued here. */
export interface Session extends Federated {
  readonly role: Role
  readonly arn: string
  readonly secret: string
  readonly token: string
  readonly expiresAt: number
  readonly policy: string | undefined
  readonly policyArns: readonly string[]
}

/** AWS's security token service as a test has it, over real HTTP, with an S3 that lists buckets and the sign-in of the console. */
export interface FakeAws {
  readonly url: string
  /** By access key id. */
  readonly sessions: ReadonlyMap<string, Session>
  /** The bodies of all requests. */
  readonly requests: readonly string[]
  close(): Promise<void>
}

interface Options {
  readonly iam: Iam
  readonly read?: ReadDocument
  readonly now?: () => number
}

/** Starts it. */
export async function startAws(options: Options): Promise<FakeAws> {
  const service = new Service(options)
  const server = createServer(async (incoming, outgoing) => {
    const answer = await service.answer(await requestOf(incoming))
    outgoing.writeHead(answer.status, { 'content-type': answer.type }).end(answer.text)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions: service.sessions,
    requests: service.requests,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

async function requestOf(incoming: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const url = new URL(incoming.url ?? '/', `http://${incoming.headers.host}`)
  return { method: incoming.method ?? '', url, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

class Service {
  iam: Iam
  readonly sessions = new Map<string, Session>()
  readonly requests: string[] = []
  readonly #options: Options
  readonly #now: () => number

  constructor(options: Options) {
    this.#options = options
    this.iam = options.iam
    this.#now = options.now ?? (() => Date.now() / 1000)
  }

  async answer(request: SignedRequest): Promise<Answer> {
    try {
      if (request.url.pathname === '/federation') return this.#signIn(request.url.searchParams)
      if (request.method === 'GET' && !request.url.searchParams.has('Action')) return this.#buckets(request)
      this.requests.push(request.body)
      return { status: 200, type: 'text/xml', text: await this.#act(request) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const inner = xml({ Error: { Type: 'Sender', Code: error.code, Message: error.message }, RequestId: randomUUID() })
      return { status: error.status, type: 'text/xml', text: `<ErrorResponse xmlns="${namespace}">${inner}</ErrorResponse>` }
    }
  }

  async #act(request: SignedRequest): Promise<string> {
    const parameters = new URLSearchParams(request.method === 'POST' ? request.body : request.url.search)
    if (parameters.get('Version') === '2010-05-08') return this.#administer(parameters)
    const action = parameters.get('Action') ?? ''
    demand(parameters.get('Version') === '2011-06-15', 'InvalidAction', 'Could not find operation for version')
    const results: Record<string, () => Promise<Tree> | Tree> = {
      AssumeRoleWithSAML: () => this.#withSaml(parameters),
      AssumeRoleWithWebIdentity: () => this.#withWebIdentity(parameters),
      GetCallerIdentity: () => this.#whoAmI(request),
    }
    const act = results[action]
    demand(act !== undefined && request.url.pathname === '/', 'InvalidAction', `Could not find operation ${action}`)
    const inner = xml({ [`${action}Result`]: await act(), ResponseMetadata: { RequestId: randomUUID() } })
    return `<${action}Response xmlns="${namespace}">${inner}</${action}Response>`
  }

  // Who may do so is no business of these tests.
  #administer(parameters: URLSearchParams): string {
    const action = parameters.get('Action') ?? ''
    const text = (name: string) => parameters.get(name) ?? ''
    const { iam } = this
    if (action === 'CreateSAMLProvider') {
      const metadata = text('SAMLMetadataDocument')
      // AW-18.
      demand(metadata.length >= 1000 && /<md:IDPSSODescriptor /.test(metadata), 'InvalidInput', 'Could not parse metadata')
      const arn = `arn:aws:iam::123456789012:saml-provider/${text('Name')}`
      this.iam = { ...iam, samlProviders: [...iam.samlProviders, { arn, metadata }] }
      return iamAnswer(action, { SAMLProviderArn: arn })
    }
    demand(action === 'CreateRole', 'InvalidAction', `Could not find operation ${action}`)
    const role = roleOf(text('RoleName'), JSON.parse(text('AssumeRolePolicyDocument')))
    this.iam = { ...iam, roles: [...iam.roles, role] }
    const shown = { Path: '/', RoleName: text('RoleName'), RoleId: role.id, Arn: role.arn, CreateDate: dateTime(this.#now()) }
    return iamAnswer(action, { Role: shown })
  }

  async #withSaml(parameters: URLSearchParams): Promise<Tree> {
    const { samlProviders, roles } = this.iam
    for (const name of ['RoleArn', 'PrincipalArn']) demandLength(parameters.get(name), 20, 2048, name)
    const provider = samlProviders.find(({ arn }) => arn === parameters.get('PrincipalArn'))
    demand(provider !== undefined, 'InvalidIdentityToken', 'Provider does not exist')
    const role = roles.find(({ arn }) => arn === parameters.get('RoleArn'))
    demand(role?.principals.includes(provider.arn) === true, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithSAML')
    const desk = await makeDesk()
    try {
      const federated = await judgeSaml(parameters.get('SAMLAssertion') ?? '', provider, role, this.#now(), desk)
      return this.#issue('AssumeRoleWithSAML', role, federated, parameters)
    } finally {
      await desk.clear()
    }
  }

  async #withWebIdentity(parameters: URLSearchParams): Promise<Tree> {
    const { oidcProviders, roles } = this.iam
    const { read = async () => Promise.reject(new Error('nothing can be read')) } = this.#options
    const token = parameters.get('WebIdentityToken') ?? ''
    const { provider, federated } = await judgeWebIdentity(token, parameters.get('RoleSessionName') ?? '', oidcProviders, this.#now(), read)
    const role = roles.find(({ arn }) => arn === parameters.get('RoleArn'))
    const isTrusted = role?.principals.includes(provider.arn) === true
    demand(role !== undefined && isTrusted, 'AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
    return this.#issue('AssumeRoleWithWebIdentity', role, federated, parameters)
  }

  #issue(action: string, role: Role, federated: Federated, parameters: URLSearchParams): Tree {
    // AW-14: the trust policy has to allow everything that the proof brings along.
    const needed = [
      `sts:${action}`,
      ...(Object.keys(federated.tags).length > 0 ? ['sts:TagSession'] : []),
      ...(federated.sourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
    ]
    demand(
      needed.every(each => role.actions.includes(each)),
      'AccessDenied',
      `Not authorized to perform sts:${action}`,
    )
    demand(
      federated.transitiveTagKeys.every(key => key in federated.tags),
      'InvalidParameterValue',
      'The specified transitive tag key must be included in the requested tags.',
    )
    const expiresAt = this.#expiryOf(role, federated, parameters)
    const policyArns = [...parameters].flatMap(([name, value]) => (/^PolicyArns\.member\.\d+\.arn$/.test(name) ? [value] : []))
    const policy = judgePolicies(parameters.get('Policy') ?? undefined, policyArns)
    const keyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`
    const [, , , , account = '', path = ''] = role.arn.split(':')
    const arn = `arn:aws:sts::${account}:assumed-role/${path.split('/').at(-1)}/${federated.sessionName}`
    const session: Session = {
      ...{ ...federated, role, arn, expiresAt, policy, policyArns },
      secret: randomBytes(30).toString('base64'),
      token: randomBytes(120).toString('base64'),
    }
    this.sessions.set(keyId, session)
    return {
      Credentials: { AccessKeyId: keyId, SecretAccessKey: session.secret, SessionToken: session.token, Expiration: dateTime(expiresAt) },
      AssumedRoleUser: { Arn: arn, AssumedRoleId: `${role.id}:${federated.sessionName}` },
      PackedPolicySize: '6',
      ...federated.answer,
      ...(federated.sourceIdentity !== undefined && { SourceIdentity: federated.sourceIdentity }),
    }
  }

  // AW-2, AW-13.
  #expiryOf(role: Role, { longest = Number.POSITIVE_INFINITY }: Federated, parameters: URLSearchParams): number {
    const seconds = Number(parameters.get('DurationSeconds') ?? 3600)
    demand(seconds >= 900 && seconds <= 43_200, 'ValidationError', 'durationSeconds must be between 900 and 43200')
    const message = 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
    demand(seconds <= role.maxSessionDuration, 'ValidationError', message)
    return Math.floor(this.#now()) + Math.min(seconds, longest)
  }

  #whoAmI(request: SignedRequest): Tree {
    const session = this.#signed(request)
    const [, , , , account = ''] = session.arn.split(':')
    return { Arn: session.arn, UserId: `${session.role.id}:${session.sessionName}`, Account: account }
  }

  #signed(request: SignedRequest): Session {
    const id = verifySignature(request, keyId => this.sessions.get(keyId), this.#now())
    return this.sessions.get(id) as Session
  }

  #buckets(request: SignedRequest): Answer {
    const { arn } = this.#signed(request)
    const bucket = `<Bucket><Name>reports</Name><CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket>`
    const owner = `<Owner><ID>owner</ID><DisplayName>${arn}</DisplayName></Owner>`
    const text = `<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${owner}<Buckets>${bucket}</Buckets></ListAllMyBucketsResult>`
    return { status: 200, type: 'application/xml', text }
  }

  #signIn(query: URLSearchParams): Answer {
    const { sessionId = '', sessionKey, sessionToken } = JSON.parse(query.get('Session') ?? '{}')
    const session = this.sessions.get(sessionId)
    const isKnown = session !== undefined && session.secret === sessionKey && session.token === sessionToken
    if (query.get('Action') !== 'getSigninToken' || !isKnown) return { status: 400, type: 'text/plain', text: 'Bad request' }
    return { status: 200, type: 'application/json', text: JSON.stringify({ SigninToken: `signin-${sessionId}` }) }
  }
}

function iamAnswer(action: string, result: Tree): string {
  const inner = xml({ [`${action}Result`]: result, ResponseMetadata: { RequestId: randomUUID() } })
  return `<${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">${inner}</${action}Response>`
}

function roleOf(name: string, policy: { Statement: ReadonlyArray<{ Principal: { Federated: string }; Action: string | string[] }> }): Role {
  return {
    arn: `arn:aws:iam::123456789012:role/${name}`,
    id: `AROA${name.toUpperCase()}EXAMPLE`,
    principals: policy.Statement.map(({ Principal }) => Principal.Federated),
    actions: policy.Statement.flatMap(({ Action }) => Action),
    maxSessionDuration: 3600,
  }
}

function judgePolicies(policy: string | undefined, policyArns: readonly string[]): string | undefined {
  demand(policyArns.length <= 10, 'ValidationError', 'policyArns has more than 10 members')
  if (policy === undefined) return undefined
  demandLength(policy, 1, 2048, 'Policy')
  try {
    const { Version, Statement } = JSON.parse(policy)
    if (Version === '2012-10-17' && Statement !== undefined) return policy
  } catch {}
  throw new Refusal('MalformedPolicyDocument', 'The policy is not in the valid JSON format.')
}

function demandLength(text: string | null, least: number, most: number, name: string): void {
  demand(text !== null && text.length >= least && text.length <= most, 'ValidationError', `${name} has a length that is not allowed`)
}

function dateTime(instant: number): string {
  return `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`
}

interface Tree {
  readonly [name: string]: string | Tree
}

function xml(tree: Tree): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return Object.entries(tree)
    .map(([name, content]) => `<${name}>${typeof content === 'string' ? escaped(content) : xml(content)}</${name}>`)
    .join('')
}

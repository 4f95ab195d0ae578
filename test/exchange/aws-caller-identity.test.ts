import { expect } from 'chai'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { type Caller, type StsRig, startSts } from '../support/aws-sts/caller-identity.ts'
import { encodeRequest, kubernetesToken, presignedUrl, signedRequest } from '../support/aws-sts/signing.ts'
import { type Files, issuer, patched } from '../support/configuration.ts'
import type { Parameters } from '../support/running-server.ts'
import { World } from '../support/world.ts'

const signedPost = 'urn:ietf:params:aws:token-type:aws4_request'
const presigned = 'urn:cambist:params:oauth:token-type:aws-presigned-url'
const account = '123456789012'
const deployer: Caller = {
  ...{ accessKeyId: 'ASIADEPLOYEREXAMPLE0', secretAccessKey: 'deployer/secret+key', sessionToken: 'a-token-of-temporary-credentials' },
  ...{ account, arn: `arn:aws:sts::${account}:assumed-role/Deploy/alice@example.com`, userId: 'AROAEXAMPLEID:alice@example.com' },
}
const text = { type: 'string' }

function withAws(files: Files, more: object = {}): Files {
  const mapping = (subjectTokenType: string) => ({
    ...{ subjectTokenType, subjectTokenProcessor: 'aws' },
    attributes: { subject: 'subject.arn', role: 'subject.role', session: 'subject.session' },
    criteria: [{ require: "has(subject.role) && subject.role == 'Deploy'", otherwise: 'only deployments' }],
  })
  return patched(files, {
    'policies/token-processors/aws.json': { type: 'aws-caller-identity', accounts: [account], ...more },
    'policies/processor-policies/aws.json': {
      actorToken: 'refused',
      contract: { subject: text, role: text, session: text },
      processors: [mapping(signedPost), mapping(presigned)],
      // The tokens of a subject carry no scope of their own.
      scope: 'client',
      issues: [{ accessTokenManager: 'api', attributes: { sub: 'policy.subject', email: 'policy.session', groups: '[policy.role]' } }],
    },
    'clients/gateway.json': { tokenExchange: { enabled: true, processorPolicy: 'aws' } },
  })
}

/** Two machines with one store between them. */
class Machines {
  readonly #store: Store
  readonly worlds: readonly World[] = [new World(), new World()]
  readonly sts: StsRig

  private constructor(sts: StsRig, store: Store) {
    this.sts = sts
    this.#store = store
  }

  static async start(more: object = {}): Promise<Machines> {
    const now = () => Date.now() / 1000
    const machines = new Machines(await startSts([deployer], now), memoryStore(now))
    for (const world of machines.worlds) {
      const store = () => ({ ...shared(machines.#store), close: async () => {} })
      await world.start(files => withAws(files, more), { fetch: machines.sts.fetch, store })
    }
    return machines
  }

  async close(): Promise<void> {
    for (const world of this.worlds) await world.server.close()
    await this.sts.close()
    await this.#store.close()
  }
}

function shared(store: Store): Store {
  return {
    put: (...call) => store.put(...call),
    putIfAbsent: (...call) => store.putIfAbsent(...call),
    increment: (...call) => store.increment(...call),
    get: key => store.get(key),
    take: key => store.take(key),
    delete: key => store.delete(key),
    ping: () => store.ping(),
    close: () => store.close(),
  }
}

describe('a signed request of AWS at the token endpoint', () => {
  let machines: Machines
  let one: World
  let other: World
  before(async () => {
    machines = await Machines.start()
    ;[one, other] = machines.worlds as [World, World]
  })
  after(() => machines.close())

  // Two requests that are signed in one second are the same request: each has the youngest second that none has had.
  const taken = new Set<number>()
  const date = () => {
    let second = Math.floor(Date.now() / 1000)
    while (taken.has(second)) second--
    taken.add(second)
    return new Date(second * 1000)
  }
  const post = async (headers: Record<string, string> = { 'x-goog-cloud-target-resource': issuer }): Promise<Parameters> => {
    const request = await signedRequest({ caller: deployer, date: date(), headers })
    return { subject_token: encodeRequest(request), subject_token_type: signedPost }
  }
  const address = async (serverId: string = issuer): Promise<Parameters> => {
    const url = await presignedUrl({ caller: deployer, date: date(), headers: { 'x-k8s-aws-id': serverId } })
    return { subject_token: kubernetesToken(url), subject_token_type: presigned }
  }

  it('becomes an access token that names the role', async () => {
    for (const parameters of [await post(), await address()]) {
      const { claims } = await one.issued(parameters)
      expect(claims).to.include({ sub: `arn:aws:iam::${account}:role/Deploy`, email: 'alice@example.com' })
      expect(claims.groups).to.deep.equal(['Deploy'])
    }
  })
  it('is taken once, also when it comes to another machine', async () => {
    for (const parameters of [await post(), await address()]) {
      await one.issued(parameters)
      await one.refused(parameters, 'invalid_request', /already-used/)
      await other.refused(parameters, 'invalid_request', /already-used/)
    }
  })
  it('is taken once, when it comes to both machines at the same time', async () => {
    const parameters = await post()
    const answers = await Promise.all([...Array(6).keys()].map(index => (index % 2 === 0 ? one : other).exchange(parameters)))
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 400, 400, 400, 400, 400])
  })
  it('is the same one, when the same credentials sign it again in the same second', async () => {
    const again = { caller: deployer, date: date(), headers: { 'x-k8s-aws-id': issuer } }
    const parameters = async () => ({ subject_token: encodeRequest(await signedRequest(again)), subject_token_type: signedPost })
    await one.issued(await parameters())
    await one.refused(await parameters(), 'invalid_request', /already-used/)
  })
  it('is the same one, however it is written', async () => {
    const { subject_token: token, ...parameters } = await post()
    await one.issued({ ...parameters, subject_token: token })
    const rewritten = JSON.stringify(JSON.parse(decodeURIComponent(String(token))), null, 1)
    await other.refused({ ...parameters, subject_token: rewritten }, 'invalid_request', /already-used/)
    const wrapped = await address()
    await one.issued(wrapped)
    const plain = Buffer.from(String(wrapped.subject_token).slice('k8s-aws-v1.'.length), 'base64url').toString()
    await other.refused({ ...wrapped, subject_token: plain }, 'invalid_request', /already-used/)
  })
  it('is not used up by a request that is refused for another reason', async () => {
    const parameters = await post()
    await one.refused({ ...parameters, audience: 'unknown' }, 'invalid_target', /target-unknown/)
    await one.issued(parameters)
  })
  it('is refused when it was made for another server', async () => {
    await one.refused(
      await post({ 'x-goog-cloud-target-resource': 'https://vault.example.com' }),
      'invalid_request',
      /made for another server/,
    )
    await one.refused(await address('production-cluster'), 'invalid_request', /AWS does not take the signed request: SignatureDoesNotMatch/)
  })
  it('bounds what is issued by its quarter of an hour', async () => {
    const { claims } = await one.issued(await address())
    expect(Number(claims.exp) - Number(claims.iat)).to.be.at.most(900)
  })
  it('is refused when it was signed longer ago than the file says', async () => {
    const request = await signedRequest({ caller: deployer, date: new Date(Date.now() - 340_000), headers: { 'x-k8s-aws-id': issuer } })
    await one.refused({ subject_token: encodeRequest(request), subject_token_type: signedPost }, 'invalid_request', /too old/)
  })
  it('is answered with 503 while AWS is down or throttles, and is good afterwards', async () => {
    const parameters = await post()
    machines.sts.instead = () => ({ status: 503, body: '' })
    const { answer } = await one.refused(parameters, 'temporarily_unavailable', /unavailable/)
    expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
    machines.sts.instead = undefined
    await one.issued(parameters)
  })
  it('leaves a record that names neither key nor signature', async () => {
    const request = await signedRequest({ caller: deployer, date: date(), headers: { 'x-k8s-aws-id': issuer } })
    const { record } = await one.issued({ subject_token: encodeRequest(request), subject_token_type: signedPost })
    const line = JSON.stringify(record)
    for (const secret of [deployer.accessKeyId, deployer.sessionToken, /Signature=(\w+)/.exec(JSON.stringify(request))?.[1]])
      expect(line).to.not.include(secret)
  })
})

describe('a signed request of AWS for a server id of the file', () => {
  it('is accepted by the audience rule, and one for the issuer is not', async () => {
    const serverId = 'https://sts.example.com/aws'
    const machines = await Machines.start({ serverId })
    try {
      const [world] = machines.worlds as [World]
      const sign = async (named: string) => {
        const request = await signedRequest({ caller: deployer, date: new Date(), headers: { 'x-cambist-server-id': named } })
        return { subject_token: encodeRequest(request), subject_token_type: signedPost }
      }
      await world.issued(await sign(serverId))
      await world.refused(await sign(issuer), 'invalid_request', /made for another server/)
    } finally {
      await machines.close()
    }
  })
})

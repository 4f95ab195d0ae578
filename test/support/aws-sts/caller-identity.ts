import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type GuardedFetch, guardedFetch } from '../../../src/keys/guarded-fetch.ts'

/** Somebody with credentials of AWS. */
export interface Caller {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly account: string
  readonly arn: string
  readonly userId: string
}

/** What came in, as it was written. */
export interface Received {
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
}

/** An answer of AWS. */
export interface StsAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** STS `GetCallerIdentity` over real HTTP. It takes a signature for a quarter of an hour, as AWS does, and looks at nothing else of the time (AW-34). */
export interface StsRig {
  readonly url: string
  readonly received: Received[]
  /** What it answers instead of the truth. */
  instead: ((truth: StsAnswer) => StsAnswer) | undefined
  /** Sends whatever is meant for AWS to this rig, and nothing elsewhere. */
  readonly fetch: GuardedFetch
  /** The addresses that were asked for. */
  readonly addresses: string[]
  close(): Promise<void>
}

/** Starts it. */
export async function startSts(callers: readonly Caller[], now: () => number): Promise<StsRig> {
  const received: Received[] = []
  const addresses: string[] = []
  const server = createServer(async (incoming, outgoing) => {
    const request = await read(incoming)
    received.push(request)
    const truth = judge(request, callers, now())
    const { status, headers = {}, body } = rig.instead?.(truth) ?? truth
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = guardedFetch()
  const rig: StsRig = {
    ...{ url, received, addresses, instead: undefined },
    fetch(address, { agent: _, ...request }) {
      addresses.push(address)
      const { pathname, search } = new URL(address)
      return send(`${url}${pathname}${search}`, { ...request, allowPrivateNetwork: true })
    },
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return rig
}

async function read(incoming: IncomingMessage): Promise<Received> {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const { rawHeaders, method = '', url: target = '' } = incoming
  const headers = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : []))
  return { method, target, headers, body }
}

function judge(request: Received, callers: readonly Caller[], now: number): StsAnswer {
  const [path, query = ''] = request.target.split('?')
  const parameters = new URLSearchParams(query)
  if (path !== '/' || parameters.get('Action') !== 'GetCallerIdentity') return refusal(400, 'InvalidAction')
  const signature = signatureOf(request, parameters)
  if (signature === undefined) return refusal(403, 'MissingAuthenticationToken')
  const caller = callers.find(({ accessKeyId }) => accessKeyId === signature.accessKeyId)
  if (caller === undefined || caller.sessionToken !== signature.sessionToken) return refusal(403, 'InvalidClientTokenId')
  if (expectedSignature(request, query, signature, caller) !== signature.signature) return refusal(403, 'SignatureDoesNotMatch')
  if (Math.abs(now - instantOf(signature.date)) > 900) return refusal(403, 'SignatureDoesNotMatch')
  const { account, arn, userId } = caller
  return answer({ Account: account, Arn: arn, UserId: userId })
}

/** The answer of AWS to whom it asks for JSON. */
export function answer(result: object): StsAnswer {
  const metadata = { ResponseMetadata: { RequestId: randomUUID() } }
  return { status: 200, body: JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult: result, ...metadata } }) }
}

/** A refusal of AWS. */
export function refusal(status: number, code: string): StsAnswer {
  return { status, body: JSON.stringify({ Error: { Code: code, Message: 'no', Type: 'Sender' }, RequestId: randomUUID() }) }
}

interface Signature {
  readonly accessKeyId: string
  readonly scope: string
  readonly names: string
  readonly signature: string
  readonly date: string
  readonly sessionToken: string | undefined
}

function signatureOf({ headers }: Received, query: URLSearchParams): Signature | undefined {
  const header = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1]
  const isInQuery = query.has('X-Amz-Signature')
  const [, inHeader = '', namesInHeader = '', signatureInHeader = ''] =
    /^AWS4-HMAC-SHA256 Credential=(.+), SignedHeaders=(.+), Signature=(.+)$/.exec(header('authorization') ?? '') ?? []
  const credential = isInQuery ? (query.get('X-Amz-Credential') ?? '') : inHeader
  if (credential === '') return undefined
  return {
    accessKeyId: credential.split('/')[0] ?? '',
    scope: credential.split('/').slice(1).join('/'),
    names: isInQuery ? (query.get('X-Amz-SignedHeaders') ?? '') : namesInHeader,
    signature: isInQuery ? (query.get('X-Amz-Signature') ?? '') : signatureInHeader,
    date: (isInQuery ? query.get('X-Amz-Date') : header('x-amz-date')) ?? '',
    sessionToken: (isInQuery ? query.get('X-Amz-Security-Token') : header('x-amz-security-token')) ?? undefined,
  }
}

// Of the target as it was written: whatever was encoded in another way than it was signed does not match.
function expectedSignature({ method, headers, body }: Received, query: string, { scope, names, date }: Signature, caller: Caller): string {
  const pairs = query.split('&').filter(pair => !pair.startsWith('X-Amz-Signature='))
  const lines = names.split(';').map(
    name =>
      `${name}:${headers
        .filter(([each]) => each.toLowerCase() === name)
        .map(([, value]) => value.trim())
        .join(',')}\n`,
  )
  const canonical = [method, '/', pairs.sort().join('&'), lines.join(''), names, sha256(body)].join('\n')
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${caller.secretAccessKey}`)
  return hmac(key, text).toString('hex')
}

function instantOf(date: string): number {
  return Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5')) / 1000
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

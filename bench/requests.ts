import { type createPrivateKey, randomUUID, sign } from 'node:crypto'
import { assertionSigner, inboundAssertion } from './assertions.ts'
import { type Algorithm, algorithmOf, type BenchClient, type Exchange, isSaml, names, privateKey } from './material.ts'

/** Whole requests, each with a subject token of its own that was signed just now. */
export async function makeRequests(
  count: number,
  folder: string,
  exchange: Exchange,
  path: string,
  clients: readonly BenchClient[],
): Promise<Buffer[]> {
  const make = subjectTokens(folder, exchange)
  const requests: Buffer[] = []
  for (let index = 0; index < count; index++) {
    const client = clients[index % clients.length] as BenchClient
    const token = await make(index)
    const [type, body] =
      path === '/sts' ? (['text/xml; charset=utf-8', messageOf(token)] as const) : ([formType, bodyOf(token, exchange)] as const)
    requests.push(requestOf(path, client, type, body))
  }
  return requests
}

function subjectTokens(folder: string, { inbound }: Exchange): (index: number) => string | Promise<string> {
  if (isSaml(inbound)) {
    const sign = assertionSigner(folder, 'foreign', algorithmOf(inbound))
    return async index => Buffer.from(await sign(inboundAssertion(index))).toString('base64url')
  }
  const key = privateKey(folder, 'foreign', inbound)
  return index => subjectToken(inbound, key, index)
}

function subjectToken(alg: Algorithm, key: ReturnType<typeof createPrivateKey>, index: number): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: names.foreignIssuer,
    sub: `person-${index}`,
    aud: names.server,
    ...{ iat: now, nbf: now, exp: now + 3600, jti: randomUUID() },
    azp: 'web-shop',
    scope: names.scopes.join(' '),
    name: `Person Number ${index}`,
    email: `person-${index}@acme.example`,
    email_verified: true,
    groups: names.groups,
  }
  const header = { alg, kid: `foreign-${alg}`, typ: 'JWT' }
  const input = [header, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function bodyOf(token: string, { inbound, outbound }: Exchange): string {
  return new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    resource: names.resourceOf(outbound),
    // An assertion has no scope.
    ...(!isSaml(outbound) && { scope: names.scopes[0] }),
    subject_token: token,
    subject_token_type: `urn:ietf:params:oauth:token-type:${isSaml(inbound) ? 'saml2' : 'jwt'}`,
  }).toString()
}

const formType = 'application/x-www-form-urlencoded'

/** The message of WS-Trust that asks for the same, with the assertion as it is. */
function messageOf(token: string): string {
  const trust = 'http://docs.oasis-open.org/ws-sx/ws-trust/200512'
  const assertion = Buffer.from(token, 'base64url').toString('utf8')
  const members = `<t:RequestType>${trust}/Issue</t:RequestType><t:OnBehalfOf>${assertion}</t:OnBehalfOf>`
  const request = `<t:RequestSecurityToken xmlns:t="${trust}">${members}</t:RequestSecurityToken>`
  return `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${request}</s:Body></s:Envelope>`
}

function requestOf(path: string, { id, secret }: BenchClient, type: string, body: string): Buffer {
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: sts.example.com',
    'User-Agent: bench',
    'Accept: application/json',
    `Authorization: Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
    `Content-Type: ${type}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

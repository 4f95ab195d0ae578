import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DOMParser } from '@xmldom/xmldom'
import { jwtVerify } from 'jose'
import { SignedXml } from 'xml-crypto'
import { namespaces } from '../src/saml/names.ts'
import { type Algorithm, type BenchClient, certificateFile, type Exchange, isSaml, names, privateKey } from './material.ts'
import { ask } from './plain-client.ts'
import { makeRequests } from './requests.ts'

const appGroups = names.groups.filter(group => group.startsWith('app-'))

/** What an answer has to hold before anything is measured. */
export interface Expected {
  readonly keys: string
  readonly exchange: Exchange
  /** Whether the server maps the claims, or only does the bare operations. */
  readonly mapped: boolean
}

/** Exchanges one token and looks at what comes back, so that nobody is measured who does not do the work. */
export async function probe(origin: string, path: string, clientsFile: string, { keys, exchange, mapped }: Expected): Promise<void> {
  const clients = JSON.parse(readFileSync(clientsFile, 'utf8')) as BenchClient[]
  const [head = '', body = ''] = String((await makeRequests(1, keys, exchange, path, clients))[0]).split('\r\n\r\n')
  const headers = head
    .split('\r\n')
    .slice(1)
    .map(line => line.split(': ') as [string, string])
  const sent = Object.fromEntries(headers.filter(([name]) => name !== 'Host' && name !== 'Content-Length'))
  const { status, text } = await ask(`${origin}${path}`, body, sent)
  const expected = { keys, exchange, mapped }
  const problem =
    status !== 200 ? 'refused' : path === '/sts' ? problemOfMessage(text, expected) : await problemOf(JSON.parse(text), expected)
  if (problem !== undefined) throw new Error(`${path}: ${problem}: ${text}`)
}

function problemOfMessage(text: string, expected: Expected): string | undefined {
  const assertion = /<saml:Assertion .*<\/saml:Assertion>/s.exec(text)?.[0] ?? ''
  return problemOfAssertion(Buffer.from(assertion).toString('base64url'), expected)
}

async function problemOf(answer: Record<string, unknown>, expected: Expected): Promise<string | undefined> {
  const { exchange } = expected
  const token = String(answer.access_token)
  const scope = mappedScope(expected)
  if (answer.expires_in !== 600 || answer.scope !== scope) return 'expires_in or scope is wrong'
  if (exchange.outbound === 'reference') return /^[\w-]{27,}$/.test(token) ? undefined : 'no reference token'
  return isSaml(exchange.outbound) ? problemOfAssertion(token, expected) : await problemOfJwt(token, exchange.outbound, expected)
}

// The bare servers answer with the same text always.
function mappedScope({ exchange, mapped }: Expected): string | undefined {
  return mapped && isSaml(exchange.outbound) ? undefined : names.scopes[0]
}

async function problemOfJwt(token: string, algorithm: Algorithm, { keys, exchange, mapped }: Expected): Promise<string | undefined> {
  const key = createPublicKey(privateKey(keys, 'own', algorithm))
  const { payload } = await jwtVerify(token, key, {
    ...{ issuer: names.server, audience: names.resourceOf(exchange.outbound), typ: 'at+jwt', algorithms: [algorithm] },
    requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'scope'],
  })
  const { sub, email, groups } = payload
  const expected = { sub: 'person-0', email: 'person-0@acme.example', groups: appGroups }
  return !mapped || JSON.stringify({ sub, email, groups }) === JSON.stringify(expected) ? undefined : 'the claims are wrong'
}

// xml-crypto knows no ECDSA; whether our signatures of that kind are right, the tests ask others. Here the digest and the values count.
function problemOfAssertion(token: string, { keys, exchange, mapped }: Expected): string | undefined {
  const xml = Buffer.from(token, 'base64url').toString('utf8')
  if (exchange.outbound === 'saml2-RS256' && !isGenuine(xml, readFileSync(certificateFile(keys, 'own', 'RS256'), 'utf8')))
    return 'not genuine'
  const values = [...xml.matchAll(/<saml:AttributeValue>([^<]*)</g)].map(([, value]) => value)
  const expected = ['person-0', 'person-0@acme.example', ...appGroups]
  return !mapped || values.join() === expected.join() ? undefined : 'the attributes are wrong'
}

function isGenuine(xml: string, publicCert: string): boolean {
  const signature = new DOMParser().parseFromString(xml, 'text/xml').getElementsByTagNameNS(namespaces.signature, 'Signature')[0]
  const verifier = new SignedXml({ publicCert, getCertFromKeyInfo: () => null })
  verifier.loadSignature(signature as Element)
  return verifier.checkSignature(xml)
}

import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { jwtVerify } from 'jose'
import { type BenchClient, type Exchange, makeRequests, names, privateKey } from './material.ts'

/** What an answer has to hold before anything is measured. */
export interface Expected {
  readonly keys: string
  readonly exchange: Exchange
  /** Whether the server maps the claims, or only does the bare operations. */
  readonly mapped: boolean
}

/** Exchanges one token and looks at what comes back, so that nobody is measured who does not do the work. */
export async function probe(port: number, path: string, clientsFile: string, { keys, exchange, mapped }: Expected): Promise<void> {
  const clients = JSON.parse(readFileSync(clientsFile, 'utf8')) as BenchClient[]
  const [head = '', body = ''] = String(makeRequests(1, keys, exchange, path, clients)[0]).split('\r\n\r\n')
  const headers = head
    .split('\r\n')
    .slice(1)
    .map(line => line.split(': ') as [string, string])
  const sent = Object.fromEntries(headers.filter(([name]) => name !== 'Host' && name !== 'Content-Length'))
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { ...sent, Connection: 'close' }, body })
  const answer = (await response.json()) as { access_token?: string; expires_in?: number; scope?: string }
  const problem = await problemOf(answer, { keys, exchange, mapped })
  if (response.status !== 200 || problem !== undefined) throw new Error(`${path}: ${problem}: ${JSON.stringify(answer)}`)
}

async function problemOf({ access_token: token = '', expires_in, scope }: Record<string, unknown>, { keys, exchange, mapped }: Expected) {
  if (expires_in !== 600 || scope !== names.scopes[0]) return 'expires_in or scope is wrong'
  if (exchange.outbound === 'reference') return /^[\w-]{27,}$/.test(String(token)) ? undefined : 'no reference token'
  const key = createPublicKey(privateKey(keys, 'own', exchange.outbound))
  const { payload } = await jwtVerify(String(token), key, {
    ...{ issuer: names.server, audience: names.resourceOf(exchange.outbound), typ: 'at+jwt', algorithms: [exchange.outbound] },
    requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'scope'],
  })
  const { sub, email, groups } = payload
  const expected = { sub: 'person-0', email: 'person-0@acme.example', groups: ['app-orders', 'app-ledger', 'app-reports', 'app-admin'] }
  return !mapped || JSON.stringify({ sub, email, groups }) === JSON.stringify(expected) ? undefined : 'the claims are wrong'
}

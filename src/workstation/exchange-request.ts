import { createHash } from 'node:crypto'
import { tokenTypeNamed } from '../explain/request.ts'
import { endpoint } from '../http/documents.ts'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import { UsageError } from '../usage-error.ts'
import { readText, sourceNamed, type TextSource } from './subject-token.ts'

/** The options of every command that exchanges a token of the person at this workstation. */
export const exchangeOptions = {
  server: { type: 'string' },
  client: { type: 'string' },
  'client-secret-file': { type: 'string' },
  'client-secret-env': { type: 'string' },
  'subject-token-file': { type: 'string' },
  'subject-token-env': { type: 'string' },
  'subject-token-command': { type: 'string' },
  'subject-token-type': { type: 'string', default: 'jwt' },
  resource: { type: 'string', multiple: true },
  audience: { type: 'string', multiple: true },
  scope: { type: 'string' },
  'no-cache': { type: 'boolean', default: false },
} as const

/** How these options are used, and what they mean. */
export const exchangeUsage = '--server URL --client ID OPTION …'
export const exchangeHelp = [
  '--server URL                     the issuer of the server',
  '--client ID                      the client, with --client-secret-file FILE or --client-secret-env NAME',
  '--subject-token-file FILE        whose token it is; or --subject-token-env NAME, or --subject-token-command COMMAND, which prints it',
  '--subject-token-type TYPE        jwt (the default), access_token, id_token, saml2 or a whole URI',
  '--audience NAME, --resource URI  the target of the server; each may be repeated',
  '--no-cache                       keep nothing. Else what was issued is kept in $XDG_CACHE_HOME/cambist or ~/.cache/cambist, for nobody',
  '                                 else to read, and renewed before it ends. What comes from a command is taken for the same person.',
].join('\n')

/** One exchange as it was asked for on the command line. */
export interface ExchangeRequest {
  readonly server: string
  readonly clientId: string
  readonly clientSecret: TextSource
  readonly subjectToken: TextSource
  /** Everything of the form but tokens and secrets. */
  readonly parameters: ReadonlyArray<readonly [name: string, value: string]>
}

interface ExchangeValues {
  readonly [name: string]: string | boolean | string[] | undefined
}

/** Reads these options. */
export function exchangeRequested(values: ExchangeValues, requestedTokenType: string | undefined): ExchangeRequest {
  const text = (name: string) => (typeof values[name] === 'string' ? String(values[name]) : undefined)
  const [server, clientId] = [text('server'), text('client')]
  if (server === undefined || clientId === undefined) throw new UsageError('--server and --client are needed')
  const list = (name: string) => [values[name] ?? []].flat().map(value => [name, String(value)] as const)
  const named = (what: string, ends: readonly string[]) => Object.fromEntries(ends.map(end => [`${what}-${end}`, text(`${what}-${end}`)]))
  return {
    server,
    clientId,
    clientSecret: sourceNamed('client-secret', named('client-secret', ['file', 'env'])),
    subjectToken: sourceNamed('subject-token', named('subject-token', ['file', 'env', 'command'])),
    parameters: [
      ['grant_type', tokenExchangeGrant],
      ['subject_token_type', tokenTypeNamed(text('subject-token-type') ?? 'jwt')],
      ...list('resource'),
      ...list('audience'),
      ...list('scope'),
      ...(requestedTokenType === undefined ? [] : [['requested_token_type', requestedTokenType] as const]),
    ],
  }
}

/** A name for what this request brings, under which it can be kept: for another request, or another person's token, it is another one. */
export function nameOf(request: ExchangeRequest): string {
  const { server, clientId, subjectToken, parameters } = request
  // A command may be slow, or ask somebody something, each time.
  const person = subjectToken.from === 'command' ? subjectToken.name : readText(subjectToken)
  const parts = JSON.stringify([server, clientId, subjectToken.from, person, parameters])
  return createHash('sha256').update(parts).digest('hex')
}

/** What the server issued. */
export interface ObtainedToken {
  readonly token: string
  /** Seconds since 1970. */
  readonly expiresAt: number
}

/** Exchanges (RFC 8693 §2.1). Throws an `Error` for a person, with what the server said. */
export async function exchange(request: ExchangeRequest, fetch: GuardedFetch, now: number): Promise<ObtainedToken> {
  const form = new URLSearchParams([
    ...request.parameters.map(([name, value]): [string, string] => [name, value]),
    ['subject_token', readText(request.subjectToken)],
  ])
  const encode = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
  const credentials = `${encode(request.clientId)}:${encode(readText(request.clientSecret))}`
  const answer = await fetch(endpoint(request.server, 'token'), {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: form.toString(),
    // The server of one's own company is in its network, and one that is tried out on this machine.
    allowPrivateNetwork: true,
    maxMilliseconds: 20_000,
  })
  const body = parseOutsidersObject(await answer.text()) ?? {}
  const { access_token: token, expires_in: expiresIn } = body
  if (answer.status !== 200 || typeof token !== 'string') throw new Error(refusalIn(answer.status, body))
  return { token, expiresAt: now + (typeof expiresIn === 'number' ? expiresIn : 0) }
}

function refusalIn(status: number, { error, error_description: description }: JsonObject): string {
  const words = [error, description].filter(each => typeof each === 'string').join(': ')
  // Whoever answers must not write on the terminal what he likes.
  return `the server answered ${status}${words === '' ? '' : ` ${words.replace(/[^\x20-\x7e]/g, '?')}`}`
}

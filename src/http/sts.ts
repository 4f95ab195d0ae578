import type { IncomingMessage } from 'node:http'
import type { Context, Middleware } from 'koa'
import { proofRefused } from '../dpop/refused.ts'
import { OAuthError } from '../oauth/errors.ts'
import { AuditEntry } from '../observe/audit-entry.ts'
import { type Circumstances, circumstancesOf, type Recorder } from '../observe/record.ts'
import type { Server } from '../server.ts'
import { answerRequest, type TrustAnswer } from '../sts/answer-request.ts'
import { readEnvelope } from '../sts/envelope.ts'
import { statusOfFault } from '../sts/faults.ts'
import { type Manner, mannerOf, plainManner } from '../sts/manner.ts'
import { type SoapVersion, soapMedia } from '../sts/names.ts'
import type { Destination } from '../sts/select-connection.ts'
import { writeAnswer } from '../sts/write-answer.ts'
import { writeFault } from '../sts/write-fault.ts'
import { wsdlOf } from '../sts/wsdl.ts'
import { answerDocument, answerJson } from './answer.ts'
import { readText } from './body.ts'
import { requireUnderstandable } from './caller.ts'
import { endpoint } from './documents.ts'
import { type Failure, failureOf } from './failure.ts'

/** `GET /sts…?wsdl`: the description of the service at this address. It is the same for every path, and tells nobody which connections there are. */
export function wsdlEndpoint({ issuer }: Pick<Server, 'issuer'>): Middleware {
  return ctx => {
    if (!Object.keys(ctx.query).some(name => name.toLowerCase() === 'wsdl')) return answerJson(ctx, 404, { error: 'not_found' })
    const { connection, virtualServer } = ctx.params as { connection?: string; virtualServer?: string }
    const path = ['sts', connection, virtualServer].filter(part => part !== undefined).map(encodeURIComponent)
    answerDocument(ctx, wsdlOf(endpoint(issuer, path.join('/'))), 'text/xml; charset=utf-8')
  }
}

const largestMessage = 256 * 1024

/** `POST /sts…` (WS-Trust 1.3). The record is written before the answer goes out, also when the answer is a fault. */
export function stsEndpoint(server: Server, recorder: Recorder): Middleware {
  return async ctx => {
    const entry = new AuditEntry()
    const caller = server.callers.of(ctx.req)
    const circumstances = circumstancesOf(server, caller)
    const media = mediaOf(ctx.req)
    let manner = plainManner(media?.soap ?? '1.1')
    try {
      requireUnderstandable(caller)
      requireNoProof(ctx.req)
      const text = await readText(ctx.req, largestMessage, () => requireSoap(media))
      const envelope = readEnvelope(text, manner.soap)
      manner = mannerOf(envelope)
      const { authorization } = ctx.req.headers
      const { clientIp } = circumstances
      const message = {
        envelope,
        destination: destinationOf(ctx),
        authorization,
        httpAction: media?.action,
        certificate: caller.certificate,
        clientIp,
      }
      const answer = await answerRequest(server, message, entry)
      await record(answer, recorder, entry, circumstances, entry.times.elapsed)
      const context = envelope.content.attributes.get('Context')
      answerSoap(ctx, 200, manner.soap, writeAnswer(answer, { manner, context, now: server.outside.now() }))
    } catch (error) {
      const failure = failureOf(error, ctx.req.headers.authorization !== undefined, circumstances.requestId)
      await recorder.refused(entry, circumstances, entry.times.elapsed, failure)
      answerFault(ctx, manner, failure, circumstances.requestId, server.outside.now())
    }
  }
}

// Whoever sends one means to get a token that is bound to its key, and would get one that is not.
function requireNoProof({ headers }: IncomingMessage): void {
  if (headers.dpop !== undefined) throw proofRefused('WS-Trust has none; a message can prove a client certificate only')
}

// A token that is not valid is a good answer to Validate, and a refusal to whoever reads the record.
async function record(
  { status, issued }: TrustAnswer,
  recorder: Recorder,
  entry: AuditEntry,
  circumstances: Circumstances,
  duration: number,
): Promise<void> {
  if (status?.refusal !== undefined) return recorder.refused(entry, circumstances, duration, failureOf(status.refusal, false))
  await recorder.issued(entry, circumstances, duration, issued === undefined ? 'validated' : 'issued')
}

interface Media {
  readonly soap: SoapVersion
  readonly action: string | undefined
}

/** The version of SOAP that the media type names, with the action that stands beside it (SOAP 1.1 §6.1.1, RFC 3902). */
function mediaOf({ headers }: IncomingMessage): Media | undefined {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').split(';')
  const parameter = (name: string) => {
    const found = parameters.find(each => each.trim().toLowerCase().startsWith(`${name}=`))
    return found && unquoted(found.slice(found.indexOf('=') + 1).trim())
  }
  const soap = (Object.keys(soapMedia) as SoapVersion[]).find(version => soapMedia[version] === type.trim().toLowerCase())
  if (soap === undefined || !/^utf-?8$/i.test(parameter('charset') ?? 'utf-8')) return undefined
  const header = headers.soapaction
  return { soap, action: soap === '1.2' ? parameter('action') : typeof header === 'string' ? unquoted(header.trim()) : undefined }
}

function unquoted(text: string): string {
  return /^"([^"]*)"$/.exec(text)?.[1] ?? text
}

function requireSoap(media: Media | undefined): asserts media is Media {
  if (media === undefined) throw new OAuthError('not-soap', 'send text/xml (SOAP 1.1) or application/soap+xml (SOAP 1.2), in UTF-8')
}

/** The connection and the virtual server that the path names. */
function destinationOf(ctx: Context): Destination {
  const { connection, virtualServer } = ctx.params as { connection?: string; virtualServer?: string }
  if (virtualServer === undefined) return { connection, virtualServerId: undefined }
  const virtualServerId = Buffer.from(virtualServer, 'base64url').toString('utf8')
  // What is no base64url is no virtual server's name either.
  const isEncoded = Buffer.from(virtualServerId, 'utf8').toString('base64url') === virtualServer.replace(/=+$/, '')
  return { connection, virtualServerId: isEncoded ? virtualServerId : '' }
}

function answerFault(ctx: Context, manner: Manner, failure: Failure, requestId: string, now: number): void {
  for (const [name, value] of Object.entries(failure.headers)) ctx.res.setHeader(name, value)
  ctx.res.setHeader('X-Request-Id', requestId)
  answerSoap(ctx, statusOfFault(manner.soap, failure), manner.soap, writeFault(manner, failure, requestId, now))
}

function answerSoap(ctx: Context, status: number, soap: SoapVersion, text: string): void {
  ctx.respond = false
  const headers = ['Content-Type', `${soapMedia[soap]}; charset=utf-8`, 'Cache-Control', 'no-store', 'Pragma', 'no-cache']
  const own = Object.entries(ctx.res.getHeaders()).flatMap(([name, value]) => [name, String(value)])
  ctx.res.writeHead(status, [...own, ...headers, 'Content-Length', String(Buffer.byteLength(text))]).end(text)
}

import { isAscii, isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { OAuthError } from '../oauth/errors.ts'

/**
 * Reads the body of a request as text. `refuseOther` throws for what the endpoint does not take, before anything is read. Whatever
 * could be read in two ways, or costs more than it sends, is refused.
 */
export async function readText(request: IncomingMessage, mostBytes: number, refuseOther: () => void): Promise<string> {
  try {
    refuseSecondAuthorization(request.rawHeaders)
    refuseOther()
    refuseCompression(request)
    return textOf(await readBody(request, mostBytes))
  } catch (refusal) {
    discardRest(request)
    throw refusal
  }
}

// Node gives the first of several and drops the others (RFC 9110 §5.3); whoever stands before us may have looked at another one.
function refuseSecondAuthorization(rawHeaders: readonly string[]): void {
  let found = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length !== 13 || name.toLowerCase() !== 'authorization') continue
    if (found) throw malformed('the Authorization header is there twice')
    found = true
  }
}

// Compressed, a few bytes can stand for any number of them.
function refuseCompression({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'] ?? ''
  if (encoding !== '' && encoding.toLowerCase() !== 'identity') throw malformed('the body must not be compressed')
}

/** Reads the body of a request, up to so many bytes. */
export function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers['content-length'] ?? 0) > mostBytes) return reject(tooLarge(mostBytes))
    if (request.destroyed) return reject(endedEarly())
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      // A body sent byte by byte costs hundreds of times its size; whoever does that gets no answer, only an end.
      if (chunks.length > mostChunks) {
        reject(tooLarge(mostBytes))
        request.destroy()
        return
      }
      if (size <= mostBytes) return
      request.off('data', take)
      reject(tooLarge(mostBytes))
    }
    request.on('data', take)
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)))
    request.once('error', () => reject(endedEarly()))
    // A client that goes away ends nothing: without this the promise, and all that it holds, would stay.
    request.once('close', () => request.readableEnded || reject(endedEarly()))
  })
}

/** The body as text: strict UTF-8. */
export function textOf(body: Buffer): string {
  if (isAscii(body)) return body.toString('latin1')
  if (isUtf8(body)) return body.toString('utf8')
  throw malformed('the body is not UTF-8')
}

// A whole body of the largest size comes in some two hundred.
const mostChunks = 4096

const mostDiscardedBytes = 1024 * 1024

/** To be called after a refusal: a client that is still sending would see a broken connection instead of our answer, so the rest is read and dropped; but not for ever. */
export function discardRest(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return
  let discarded = 0
  request.on('error', () => request.destroy())
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > mostDiscardedBytes) request.destroy()
  })
}

function tooLarge(mostBytes: number): OAuthError {
  return malformed(`the body is larger than ${mostBytes} bytes`)
}

function endedEarly(): OAuthError {
  return malformed('the body ended early')
}

/** The refusal of a request whose form is wrong. */
export function malformed(description: string): OAuthError {
  return new OAuthError('malformed-request', description)
}

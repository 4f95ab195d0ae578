import type { IncomingMessage } from 'node:http'

/** Hands on the body of a request when it is complete. */
export function readBody(request: IncomingMessage, done: (body: string) => void): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => done(Buffer.concat(chunks).toString('latin1')))
}

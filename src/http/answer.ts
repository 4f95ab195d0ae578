import type { Context } from 'koa'
import type { Failure } from './failure.ts'

/** Answers with JSON that nobody may keep (RFC 6749 §5.1), written at once: header by header through Koa it is 3 % of an exchange. */
export function answerJson(ctx: Context, status: number, body: object): void {
  const text = JSON.stringify(body)
  const headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', 'Pragma', 'no-cache']
  ctx.respond = false
  ctx.res.writeHead(status, [...headers, 'Content-Length', String(Buffer.byteLength(text))]).end(text)
}

/** Answers with a text that nobody may keep. */
export function answerText(ctx: Context, type: string, text: string): void {
  ctx.status = 200
  ctx.set('Content-Type', type)
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Pragma', 'no-cache')
  ctx.body = text
}

/** Answers without a body (RFC 7009 §2.2). */
export function answerEmpty(ctx: Context): void {
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.set('Pragma', 'no-cache')
  ctx.body = ''
  ctx.remove('Content-Type')
}

/** Answers with a document that may be kept for a while: metadata and keys. */
export function answerDocument(ctx: Context, text: string, type = 'application/json'): void {
  ctx.status = 200
  ctx.set('Content-Type', type)
  ctx.set('Cache-Control', 'public, max-age=300')
  ctx.body = text
}

/** Answers a failure in the standards' words. */
export function answerFailure(ctx: Context, failure: Failure): void {
  for (const [name, value] of Object.entries(failure.headers)) ctx.set(name, value)
  answerJson(ctx, failure.status, failure.body)
}

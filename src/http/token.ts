import { randomUUID } from 'node:crypto'
import type { Context, Middleware } from 'koa'
import { exchange } from '../exchange/exchange.ts'
import { AuditEntry } from '../observe/audit-entry.ts'
import type { Signals } from '../observe/signals.ts'
import type { Server } from '../server.ts'
import { answerFailure, answerJson } from './answer.ts'
import { clientAddress } from './client-address.ts'
import { presentedCredentials } from './client-credentials.ts'
import { failureOf } from './failure.ts'
import { readForm } from './form.ts'

/** `POST /token` (RFC 8693 §2). The record is written before the answer goes out, also when the answer is a refusal. */
export function tokenEndpoint(server: Server, { recorder, tracer }: Pick<Signals, 'recorder' | 'tracer'>): Middleware {
  return async ctx => {
    const entry = new AuditEntry(tracer.begin(ctx.req.headers.traceparent))
    const circumstances = { requestId: randomUUID(), version: server.version, clientIp: clientAddress(ctx.req) }
    try {
      const answer = await exchange(server, await readRequest(ctx, circumstances.clientIp), entry)
      await recorder.issued(entry, circumstances, entry.times.elapsed)
      answerJson(ctx, 200, answer)
    } catch (error) {
      const failure = failureOf(error, ctx.req.headers.authorization !== undefined)
      await recorder.refused(entry, circumstances, entry.times.elapsed, failure)
      // What an administrator needs to find the record that explains the refusal.
      ctx.set('X-Request-Id', circumstances.requestId)
      answerFailure(ctx, failure)
    }
  }
}

async function readRequest(ctx: Context, clientIp: string) {
  const form = await readForm(ctx.req)
  return {
    form,
    credentials: presentedCredentials(ctx.req.headers.authorization, form),
    clientIp,
    evidence: { dpopProofs: ctx.req.headersDistinct.dpop ?? [], certificate: undefined },
  }
}

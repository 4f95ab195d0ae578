import type { Context, Middleware } from 'koa'
import { exchange, type TokenRequest } from '../exchange/exchange.ts'
import { AuditEntry } from '../observe/audit-entry.ts'
import { circumstancesOf } from '../observe/record.ts'
import type { Signals } from '../observe/signals.ts'
import type { Server } from '../server.ts'
import { answerFailure, answerJson } from './answer.ts'
import { type Caller, requireUnderstandable } from './caller.ts'
import { presentedCredentials } from './client-credentials.ts'
import { failureOf } from './failure.ts'
import { readForm } from './form.ts'

/** `POST /token` (RFC 8693 §2). The record is written before the answer goes out, also when the answer is a refusal. */
export function tokenEndpoint(server: Server, { recorder, tracer }: Pick<Signals, 'recorder' | 'tracer'>): Middleware {
  return async ctx => {
    const entry = new AuditEntry(tracer.begin(ctx.req.headers.traceparent))
    const caller = server.callers.of(ctx.req)
    const circumstances = circumstancesOf(server, caller)
    try {
      const request = await readRequest(ctx, caller)
      const answer = await exchange(server, request, entry)
      await offerNonce(ctx, server, request)
      await recorder.issued(entry, circumstances, entry.times.elapsed)
      answerJson(ctx, 200, answer)
    } catch (error) {
      const failure = failureOf(error, ctx.req.headers.authorization !== undefined, circumstances.requestId)
      await recorder.refused(entry, circumstances, entry.times.elapsed, failure)
      // What an administrator needs to find the record that explains the refusal.
      ctx.set('X-Request-Id', circumstances.requestId)
      answerFailure(ctx, failure)
    }
  }
}

// RFC 9449 §8.2: with each answer, so that the client need not be refused to learn of a new one.
async function offerNonce(ctx: Context, { dpop, outside }: Server, { evidence }: TokenRequest): Promise<void> {
  if (evidence.dpopProofs.length === 0) return
  // The token is made; that there is no nonce now costs the client one more request.
  const nonce = await dpop.nextNonce(outside.now()).catch(() => undefined)
  if (nonce !== undefined) ctx.set('DPoP-Nonce', nonce)
}

async function readRequest(ctx: Context, caller: Caller): Promise<TokenRequest> {
  requireUnderstandable(caller)
  const { address: clientIp, certificate } = caller
  const form = await readForm(ctx.req)
  return {
    form,
    credentials: presentedCredentials(ctx.req.headers.authorization, form, certificate),
    clientIp,
    evidence: { dpopProofs: ctx.req.headersDistinct.dpop ?? [], certificate: certificate?.leaf },
  }
}

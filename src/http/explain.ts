import type { Middleware } from 'koa'
import { z } from 'zod'
import { readChain } from '../certificates/pem.ts'
import type { PresentedChain } from '../certificates/trust-anchors.ts'
import { Attempts } from '../clients/attempts.ts'
import { loggableOnly } from '../explain/disclosure.ts'
import type { Explainer } from '../explain/explainer.ts'
import type { Explanation } from '../explain/explanation.ts'
import { tokenTypeNamed } from '../explain/request.ts'
import type { Outside } from '../outside.ts'
import { answerJson } from './answer.ts'
import { discardRest, malformed, readBody, textOf } from './body.ts'
import { peerAddress } from './client-address.ts'

const mostBytes = 512 * 1024

const text = z.string()

/** What is to be explained. */
const body = z
  .strictObject({
    client: text.min(1).optional(),
    form: text.default(''),
    parameters: z.record(text, z.union([text, z.array(text)])).default({}),
    clientIp: text.default(''),
    message: text.optional(),
    connection: text.optional(),
    virtualServer: text.optional(),
    dpop: text.optional(),
    certificate: text.transform(chainOf).optional(),
  })
  .refine(
    ({ client, form, message }) => client !== undefined || form !== '' || message !== undefined,
    'name a client, or send a form or a message with its credentials',
  )
  .refine(isOfOneDoor, 'a "message" stands alone, with "connection" and "virtualServer" if its path names them')
type Description = z.output<typeof body>

function chainOf(pem: string, context: z.RefinementCtx): PresentedChain {
  const chain = readChain(pem)
  if (chain !== undefined) return chain
  context.addIssue('no certificate that can be read: it must be PEM, that of the client first')
  return z.NEVER
}

// What would have to be ignored may be what somebody wonders about.
function isOfOneDoor({ form, parameters, message, connection, virtualServer, dpop }: Readonly<Record<string, unknown>>): boolean {
  if (message === undefined) return connection === undefined && virtualServer === undefined
  return form === '' && dpop === undefined && Object.keys(parameters as object).length === 0
}

/** `POST /admin/explain`: what becomes of a request, with nothing in it that the audit record could not show. */
export function explainEndpoint(explainer: Explainer, { log, ...outside }: Pick<Outside, 'log' | 'store' | 'now'>): Middleware {
  const guarded = withAttempts(new Attempts(outside))
  return async ctx => {
    const description = await readDescription(ctx.req)
    const explanation = await guarded(description, peerAddress(ctx.req), () => explained(explainer, description))
    log.info({ client: description.client, outcome: explanation.outcome }, 'a request was explained')
    answerJson(ctx, 200, explanation)
  }
}

/** An explanation leaves no count of the secrets that it checks: they are counted here, or whoever may explain could guess without end. */
function withAttempts(attempts: Attempts) {
  return async (description: Description, address: string, explain: () => Promise<Explanation>): Promise<Explanation> => {
    const hasUserName = description.message?.includes('UsernameToken') === true
    if (description.client !== undefined && !hasUserName) return explain()
    // Counted before, not after: otherwise as many guesses as fit into one moment would be free.
    await attempts.count(guessing, address)
    const explanation = await explain()
    const reason = explanation.refusal?.reason
    const isWrong = reason === 'client-not-authenticated' || (hasUserName && reason === 'subject-token-rejected')
    if (!isWrong) await attempts.forget(guessing, address)
    return explanation
  }
}

const guessing = 'credentials in explanations'

function explained(
  explainer: Explainer,
  { form, parameters, message, connection, virtualServer, dpop, certificate, ...by }: Description,
): Promise<Explanation> {
  const { client, clientIp } = by
  if (message !== undefined)
    return explainer.explainMessage({ message, connection, virtualServer, client, clientIp, certificate }, loggableOnly)
  const described = Object.entries(parameters).map(([name, value]) => [name, valuesOf(name, value)] as const)
  return explainer.explain({ form, parameters: Object.fromEntries(described), client, clientIp, dpop, certificate }, loggableOnly)
}

async function readDescription(request: Parameters<typeof readBody>[0]): Promise<Description> {
  try {
    if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) throw malformed('the body must be application/json')
    const parsed = body.safeParse(jsonOf(textOf(await readBody(request, mostBytes))))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw malformed(`the description of the request cannot be used: ${[...(issue?.path ?? []), ''].join(': ')}${issue?.message ?? ''}`)
  } catch (error) {
    discardRest(request)
    throw error
  }
}

function jsonOf(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    throw malformed('the body is no JSON')
  }
}

function valuesOf(name: string, value: string | readonly string[]): readonly string[] {
  const values = typeof value === 'string' ? [value] : value
  return name.endsWith('_token_type') ? values.map(tokenTypeNamed) : values
}

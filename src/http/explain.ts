import type { Middleware } from 'koa'
import { z } from 'zod'
import { loggableOnly } from '../explain/disclosure.ts'
import type { Explainer } from '../explain/explainer.ts'
import { tokenTypeNamed } from '../explain/request.ts'
import type { Outside } from '../outside.ts'
import { answerJson } from './answer.ts'
import { discardRest, malformed, readBody, textOf } from './body.ts'

const mostBytes = 512 * 1024

const text = z.string()

/** What is to be explained. */
const body = z
  .strictObject({
    client: text.min(1).optional(),
    form: text.default(''),
    parameters: z.record(text, z.union([text, z.array(text)])).default({}),
    clientIp: text.default(''),
  })
  .refine(({ client, form }) => client !== undefined || form !== '', 'name a client, or send a form with its credentials')

/** `POST /admin/explain`: what becomes of a request, with nothing in it that the audit record could not show. */
export function explainEndpoint(explainer: Explainer, { log }: Pick<Outside, 'log'>): Middleware {
  return async ctx => {
    const { client, form, parameters, clientIp } = await readDescription(ctx.req)
    const described = Object.entries(parameters).map(([name, value]) => [name, valuesOf(name, value)] as const)
    const explanation = await explainer.explain({ form, parameters: Object.fromEntries(described), client, clientIp }, loggableOnly)
    log.info({ client, outcome: explanation.outcome }, 'a request was explained')
    answerJson(ctx, 200, explanation)
  }
}

async function readDescription(request: Parameters<typeof readBody>[0]): Promise<z.output<typeof body>> {
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

import { Outage, TokenRejected } from '../oauth/errors.ts'
import { AssumptionMistake } from '../processors/assumed.ts'
import { type Blame, brokenPromise, nameOf, thrownBy } from './fault.ts'

/** How long one call of a plug-in may take. */
export const usualMilliseconds = 10_000

/** Where the server ends and a plug-in begins: whose it is, and how long a call of it may take. */
export interface Border {
  readonly plugin: string
  readonly milliseconds: number
}

/**
 * Waits for a plug-in, and no longer than the border says: a request that is never answered holds a connection and hides a fault. What
 * it may throw passes, without `secret` in its messages; anything else is a `PluginFault`.
 */
export async function called<Answer>(border: Border, call: string, secret: string, run: () => Promise<Answer> | Answer): Promise<Answer> {
  const blame = { plugin: border.plugin, call }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(brokenPromise(blame, `no answer for ${border.milliseconds} ms`)), border.milliseconds)
  })
  // Only what the plug-in did itself is translated.
  const answer = (async () => run())().catch(error => Promise.reject(translated(blame, secret, error)))
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The same for what answers at once. */
export function calledAtOnce<Answer>(border: Border, call: string, secret: string, run: () => Answer): Answer {
  try {
    return run()
  } catch (error) {
    throw translated({ plugin: border.plugin, call }, secret, error)
  }
}

/** A token's content cannot be written by a plug-in's kind of token: the exchange is refused with `contract-not-met`. */
export class NotExpressible extends Error {
  override readonly name = 'NotExpressible'
}

function translated(blame: Blame, secret: string, error: unknown): Error {
  if (error instanceof TokenRejected) return rejection(secret, error)
  if (error instanceof Outage) return outage(blame, secret, error)
  if (error instanceof NotExpressible) return error
  // A mistake of a policy test, which has no token that could be repeated.
  if (error instanceof AssumptionMistake) return error
  return thrownBy(blame, error)
}

function rejection(secret: string, { message, member, cause }: TokenRejected): Error {
  const named = cause instanceof Error ? nameOf(cause) : undefined
  return new TokenRejected(repeats(message, secret) ? 'it is not acceptable' : message, {
    ...(named !== undefined && { cause: named }),
    ...(typeof member === 'string' && { member }),
  })
}

function outage(blame: Blame, secret: string, { message, cause, retryAfter }: Outage): Error {
  const seconds = Number.isInteger(retryAfter) && retryAfter > 0 ? retryAfter : undefined
  return new Outage(
    repeats(message, secret) ? `${blame.plugin} cannot find out` : message,
    cause instanceof Error ? nameOf(cause) : undefined,
    seconds,
  )
}

const tellingLength = 12

/** Whether the text has a telling part of the secret in it. */
function repeats(text: unknown, secret: string): boolean {
  if (typeof text !== 'string') return true
  for (let start = 0; start + tellingLength <= text.length; start++) {
    if (secret.includes(text.slice(start, start + tellingLength))) return true
  }
  return false
}

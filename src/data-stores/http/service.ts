import type { Agent } from 'node:http'
import type { JsonValue } from '../../json.ts'
import { AnswerTooLarge, type GuardedFetch } from '../../keys/guarded-fetch.ts'
import { Outage, SaidCause } from '../../oauth/errors.ts'
import { UnfitAnswer } from '../unfit-answer.ts'
import type { Credentials } from './credentials.ts'

/** What a service is asked. */
export interface HttpQuestion {
  readonly method: 'GET' | 'POST'
  /** Within the service: path and query. */
  readonly path: string
  readonly body: string | undefined
  readonly maxMilliseconds: number
}

/** Where a service is, and how it is asked. */
export interface ServiceParts {
  readonly url: string
  readonly allowPrivateNetwork: boolean
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes: number
  readonly credentials: Credentials
  readonly agent: Agent
  readonly fetch: GuardedFetch
}

/** A service that answers with JSON. */
export class Service {
  readonly #parts: ServiceParts

  constructor(parts: ServiceParts) {
    this.#parts = parts
  }

  /** The address of a question, for people. */
  addressOf(path: string): string {
    return this.#parts.url.replace(/\/$/, '') + path
  }

  /** The answer; undefined where it says that there is no such thing. Throws an `Outage`. */
  async ask(question: HttpQuestion): Promise<JsonValue | undefined> {
    const { status, text } = await this.status(question)
    if (missing.has(status)) return undefined
    if (status !== 200) throw (isDown(status) ? noAnswer : unreadable)(`it answered ${status}`)
    try {
      return JSON.parse(text)
    } catch {
      throw unreadable('its answer is no JSON')
    }
  }

  /** What it answers, whatever that means. Throws an `Outage`. */
  async status(question: HttpQuestion): Promise<{ readonly status: number; readonly text: string }> {
    const first = await this.#send(question)
    return first.status === 401 && this.#parts.credentials.refused() ? await this.#send(question) : first
  }

  async #send({ method, path, body, maxMilliseconds }: HttpQuestion) {
    const { allowPrivateNetwork, maxBytes, agent, fetch, credentials } = this.#parts
    const url = this.addressOf(path)
    try {
      const authorized = { ...this.#parts.headers, ...(await credentials.headers({ maxMilliseconds })) }
      const headers = body === undefined ? authorized : { ...authorized, 'content-type': 'application/json' }
      const limits = { allowPrivateNetwork, maxBytes, maxMilliseconds, agent }
      const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }), ...limits })
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      const why = withoutAddress((error as Error).message, url)
      throw error instanceof AnswerTooLarge ? unreadable(why) : noAnswer(why)
    }
  }
}

// It does not know it (404, 410), has nothing of it (204), or does not take the value (400, 422) or so long a one (413, 414, and 431 of
// servers that count the address among the headers): otherwise whoever can choose a value could make the service look as if it were down.
const missing = new Set([204, 400, 404, 410, 413, 414, 422, 431])

// Nobody is served: it fails (5xx), is too busy (408, 429), or does not know this server (401, 407). Anything else, such as the 403 of a
// filter in front of it, one value may have provoked.
function isDown(status: number): boolean {
  return status >= 500 || [401, 407, 408, 429].includes(status)
}

/** The service has answered, and nobody can go on with what it says. */
export function unreadable(why: string): UnfitAnswer {
  return new UnfitAnswer('the answer of the service cannot be used', new SaidCause(why))
}

function noAnswer(why: string): Outage {
  return new Outage('the service cannot be asked', new SaidCause(why))
}

// The address has values in it.
function withoutAddress(message: string, url: string): string {
  const { origin, pathname } = new URL(url)
  const start = message.indexOf(origin + pathname)
  return start < 0 ? message : message.slice(start + origin.length + pathname.length).replace(/^:? /, '')
}

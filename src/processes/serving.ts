import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerSettings } from '../config/server-file.ts'
import type { Server } from '../server.ts'

/** Answers one request; resolves when nothing is left to do for it. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

/** What a configuration answers, to whom. */
export interface Handlers {
  readonly clients: Handler
  /** Undefined where the configuration has nothing for administrators. */
  readonly administrators: Handler | undefined
}

/** A configuration that serves, or has served and still has requests that began on it. */
export class Serving {
  readonly server: Server
  readonly settings: ServerSettings
  readonly #handlers: Handlers
  readonly #underWay = new Set<ServerResponse>()
  #replaced = false
  #end: () => void = () => undefined
  readonly #ended = new Promise<void>(resolve => {
    this.#end = resolve
  })

  constructor(server: Server, settings: ServerSettings, handlers: Handlers) {
    this.server = server
    this.settings = settings
    this.#handlers = handlers
  }

  async answer(whom: keyof Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay.add(response)
    try {
      const handler = this.#handlers[whom]
      if (handler === undefined) response.writeHead(404, { Connection: 'close' }).end()
      else await handler(request, response)
    } finally {
      this.#underWay.delete(response)
      this.#endWhenIdle()
    }
  }

  /** Lets clients know that their connections end with the answers that they wait for. */
  part(): void {
    for (const response of this.#underWay) response.shouldKeepAlive = false
  }

  /** No request begins on it any more. Resolves when the last one that did has ended. */
  replaced(): Promise<void> {
    this.#replaced = true
    this.#endWhenIdle()
    return this.#ended
  }

  #endWhenIdle(): void {
    if (this.#replaced && this.#underWay.size === 0) this.#end()
  }
}

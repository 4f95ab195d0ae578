import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerSettings } from '../config/server-file.ts'
import type { Server } from '../server.ts'

/** Answers one request; resolves when nothing is left to do for it. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>

/** A configuration that serves, or has served and still has requests that began on it. */
export class Serving {
  readonly server: Server
  readonly settings: ServerSettings
  readonly #handler: Handler
  #underWay = 0
  #replaced = false
  #end: () => void = () => undefined
  readonly #ended = new Promise<void>(resolve => {
    this.#end = resolve
  })

  constructor(server: Server, settings: ServerSettings, handler: Handler) {
    this.server = server
    this.settings = settings
    this.#handler = handler
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#underWay++
    try {
      await this.#handler(request, response)
    } finally {
      this.#underWay--
      this.#endWhenIdle()
    }
  }

  /** No request begins on it any more. Resolves when the last one that did has ended. */
  replaced(): Promise<void> {
    this.#replaced = true
    this.#endWhenIdle()
    return this.#ended
  }

  #endWhenIdle(): void {
    if (this.#replaced && this.#underWay === 0) this.#end()
  }
}

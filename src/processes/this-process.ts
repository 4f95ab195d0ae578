import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { buildConfiguration, type Parsed } from '../config/load.ts'
import type { ServerSettings } from '../config/server-file.ts'
import { Explainer } from '../explain/explainer.ts'
import { HarmlessStore } from '../explain/harmless-store.ts'
import { closeAll, type Keeping, Kept } from '../kept.ts'
import type { Outside } from '../outside.ts'
import type { Prepared, Site } from '../reload/site.ts'
import type { Server } from '../server.ts'
import { type Handlers, Serving } from './serving.ts'

/** Serves one configuration after the other in this process. */
export class ThisProcess implements Site {
  readonly #outside: Outside
  readonly #handlersOf: (server: Server, explainer: Explainer | undefined) => Handlers
  readonly #kept = new Kept()
  #serving: Serving | undefined
  /** Those that requests are under way on. */
  readonly #all = new Set<Serving>()
  #parting = false
  #hear: (server: Server) => void = () => undefined
  /** Resolves when no request is under way on any earlier configuration. */
  #earlierEnded: Promise<unknown> = Promise.resolve()

  constructor(outside: Outside, handlersOf: (server: Server, explainer: Explainer | undefined) => Handlers) {
    this.#outside = outside
    this.#handlersOf = handlersOf
  }

  /** Every request begins on what serves when it comes, and ends on it. */
  readonly listener: RequestListener = (request: IncomingMessage, response) => {
    void this.#answer('clients', request, response)
  }

  /** The same for administrators. */
  readonly administratorsListener: RequestListener = (request, response) => {
    void this.#answer('administrators', request, response)
  }

  /** The settings that are in use. */
  get settings(): ServerSettings {
    return this.#current.settings
  }

  /** The version of the configuration that is in use. */
  get version(): string {
    return this.#current.server.version
  }

  /** The server that is in use. */
  get server(): Server {
    return this.#current.server
  }

  /** `hear` is called with each server that comes into use. */
  onReplaced(hear: (server: Server) => void): void {
    this.#hear = hear
  }

  /** From now on connections end with the answer: a client that kept one would send its next request into one that is being closed. */
  part(): void {
    this.#parting = true
    for (const serving of this.#all) serving.part()
  }

  async prepare({ parsed }: { readonly parsed: Parsed }): Promise<Prepared> {
    const draft = this.#kept.draft()
    try {
      const { server, warnings } = await buildConfiguration(parsed, this.#outside, draft)
      const explainer = server.admin && (await this.#explainerOf(parsed, draft))
      const serving = new Serving(server, parsed.settings as ServerSettings, this.#handlersOf(server, explainer))
      return {
        version: server.version,
        warnings,
        use: () => this.#replace(serving, () => draft.settle()),
        discard: () => this.#close(draft.discard()),
      }
    } catch (error) {
      this.#close(draft.discard())
      throw error
    }
  }

  /** There is nobody else to tell. */
  tell(): void {}

  get #current(): Serving {
    if (this.#serving === undefined) throw new Error('nothing serves yet')
    return this.#serving
  }

  #answer(whom: keyof Handlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#parting) response.shouldKeepAlive = false
    return this.#current.answer(whom, request, response)
  }

  // A second server of the same files, which shares with the first what was fetched and can harm nothing.
  async #explainerOf(parsed: Parsed, kept: Keeping): Promise<Explainer> {
    const store = new HarmlessStore(this.#outside.store)
    const { server } = await buildConfiguration(parsed, { ...this.#outside, store, effects: undefined }, kept)
    return new Explainer(server, store)
  }

  #replace(serving: Serving, settle: () => readonly object[]): void {
    const before = this.#serving
    this.#serving = serving
    this.#all.add(serving)
    const dropped = settle()
    if (before === undefined) return
    this.#hear(serving.server)
    const ended = before.replaced().then(() => this.#all.delete(before))
    this.#earlierEnded = Promise.all([this.#earlierEnded, ended])
    // Requests of every earlier configuration may still use what the last one has dropped.
    this.#close(this.#earlierEnded.then(() => closeAll(dropped)))
  }

  #close(closing: Promise<unknown>): void {
    closing.catch(error => this.#outside.log.error({ err: error }, 'what an earlier configuration has left cannot be closed'))
  }
}

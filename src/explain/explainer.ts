import type { Server } from '../server.ts'
import type { Disclosure } from './disclosure.ts'
import { explain, explainMessage, takenAtItsWord } from './explain.ts'
import type { Explanation } from './explanation.ts'
import type { HarmlessStore } from './harmless-store.ts'
import { type DescribedMessage, readDescribedMessage } from './message.ts'
import { type DescribedRequest, readDescribed } from './request.ts'

/** Explains requests by a server that was built on a store which nothing can harm. */
export class Explainer {
  readonly #server: Server
  readonly #store: HarmlessStore

  constructor(server: Server, store: HarmlessStore) {
    this.#server = server
    this.#store = store
  }

  explain(request: DescribedRequest, disclosure: Disclosure): Promise<Explanation> {
    const server = this.#serverFor(request.client)
    return this.#store.during(() => explain(server, () => readDescribed(request, server.callers), disclosure))
  }

  explainMessage(message: DescribedMessage, disclosure: Disclosure): Promise<Explanation> {
    const server = this.#serverFor(message.client)
    return this.#store.during(() => explainMessage(server, () => readDescribedMessage(message, server.callers), disclosure))
  }

  #serverFor(client: string | undefined): Server {
    return client === undefined ? this.#server : takenAtItsWord(this.#server, client)
  }
}

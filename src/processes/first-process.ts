import { on } from 'node:events'
import { parseSnapshot, type Snapshot } from '../config/snapshot.ts'
import type { PluginFinder } from '../plugins/plugin-package.ts'
import type { ReloadReport } from '../reload/reload-report.ts'
import type { Prepared } from '../reload/site.ts'
import type { TicketKeys } from '../tls/ticket-keys.ts'
import type { ToFirst, ToWorker } from './messages.ts'
import type { ThisProcess } from './this-process.ts'

/** What a worker starts with. */
export type Take = Extract<ToWorker, { kind: 'take' }>

/** The first process, as a worker knows it: what it says is done in order. */
export class FirstProcess {
  readonly #messages = on(process, 'message') as AsyncIterableIterator<[ToWorker]>

  /** Asks for the configuration that is in use. */
  async ask(): Promise<Take> {
    say({ kind: 'ask' })
    const { value } = await this.#messages.next()
    return value[0]
  }

  /** Does what it is told until it is told to stop. Throws when it cannot serve what the others do. */
  async follow({ site, report, findPlugins, tickets }: Following): Promise<void> {
    let ready: { readonly number: number; readonly prepared: Prepared } | undefined
    for await (const [message] of this.#messages) {
      if (message.kind === 'stop') return
      if (message.kind === 'report') report.hear(message.facts)
      if (message.kind === 'tickets') tickets.replace(message.keys)
      if (message.kind === 'take') (await prepare(site, message.snapshot, findPlugins)).use()
      if (message.kind === 'prepare') ready = await tryToPrepare(site, message, findPlugins)
      if (message.kind === 'use') {
        if (ready?.number === message.number) ready.prepared.use()
        // It was prepared by the others before this worker could hear of it.
        else say({ kind: 'ask' })
      }
      if (message.kind === 'discard' && ready?.number === message.number) ready.prepared.discard()
      if (message.kind === 'discard' || message.kind === 'use') ready = undefined
    }
  }
}

interface Following {
  readonly site: ThisProcess
  readonly report: ReloadReport
  readonly findPlugins: PluginFinder
  readonly tickets: TicketKeys
}

async function prepare(site: ThisProcess, snapshot: Snapshot, findPlugins: PluginFinder): Promise<Prepared> {
  return site.prepare({ parsed: await parseSnapshot(snapshot, findPlugins) })
}

async function tryToPrepare(
  site: ThisProcess,
  { number, snapshot }: { readonly number: number; readonly snapshot: Snapshot },
  findPlugins: PluginFinder,
) {
  try {
    const prepared = await prepare(site, snapshot, findPlugins)
    say({ kind: 'prepared', number })
    return { number, prepared }
  } catch (error) {
    say({ kind: 'unable', number, why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) })
    return undefined
  }
}

function say(message: ToFirst): void {
  process.send?.(message)
}

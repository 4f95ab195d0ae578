import type { Logger } from 'pino'
import { createAdminApp } from '../admin.ts'
import { createApp } from '../app.ts'
import type { Parsed } from '../config/load.ts'
import type { ServerSettings } from '../config/server-file.ts'
import { endpoint } from '../http/documents.ts'
import type { Condition } from '../http/health.ts'
import { type Listening, type ListeningPlace, listen } from '../listen.ts'
import type { Journal } from '../observe/journal.ts'
import { measureConfiguration } from '../observe/metrics/configuration-metrics.ts'
import { measureDataStores } from '../observe/metrics/data-store-metrics.ts'
import type { ServingSignals } from '../observe/signals.ts'
import type { ConfigurationFolder, SteadyReading } from '../reload/folder.ts'
import { sampleBanner } from '../sample/banner.ts'
import { openStore } from '../stores/open-store.ts'
import type { Store } from '../stores/store.ts'
import { terminal } from '../terminal.ts'
import type { TicketKeys } from '../tls/ticket-keys.ts'
import { outsideOf, systemTime } from '../world.ts'
import { ThisProcess } from './this-process.ts'

/** What the first process, or the only one, begins with. */
export interface Beginning {
  readonly folder: string
  readonly configuration: ConfigurationFolder
  readonly started: SteadyReading
  readonly settings: ServerSettings
  readonly journal: Journal
  readonly log: Logger
}

/** Opens the store that the settings name. */
export function openStoreOf({ texts }: Parsed, settings: ServerSettings, baseFolder: string, log: Logger): Promise<Store> {
  return openStore(settings.store, { text: external => texts.get(external) ?? '', now: systemTime, log, baseFolder })
}

/** Where this process serves, on a store and with its signals going there. */
export function siteOf(store: Store, signals: ServingSignals, condition: Condition, log: Logger): ThisProcess {
  const outside = {
    ...outsideOf(store, log),
    fetches: signals.fetches,
    onNotBelieved: (header: string) => signals.callers.ignored(header),
  }
  const site = new ThisProcess(outside, (server, explainer) => ({
    clients: createApp(server, signals, condition).callback(),
    administrators: server.admin && explainer && createAdminApp(explainer, server.admin.bearer, outside).callback(),
  }))
  measureConfiguration(signals.registry, () => ({ version: site.version, ...condition.reload.facts }))
  measureDataStores(signals.registry, () => site.server.dataStores.values())
  return site
}

/** Tells how to try the sample, where it is the sample. */
export async function announce(settings: ServerSettings, folder: string, address: string): Promise<void> {
  if (!settings.sample) return
  terminal.print(await sampleBanner(folder, { address, tokenEndpoint: endpoint(settings.issuer, 'token'), issuer: settings.issuer }))
}

/** Takes requests of clients, and of administrators where there is something for them. Closing it closes both. */
export async function listenFor(
  site: ThisProcess,
  { listen: { host, port }, admin }: ServerSettings,
  tickets: TicketKeys,
): Promise<Listening> {
  const tls = site.server.tls && { material: site.server.tls, tickets }
  const listening = await listen(site.listener, { host, port, tls })
  const all = [listening]
  // A configuration without TLS is used after a restart only; until then there is TLS, with what it had.
  site.onReplaced(({ tls: renewed }) => renewed && all.map(each => each.renew?.(renewed)))
  if (admin === undefined) return listening
  const forAdministrators = await listen(site.administratorsListener, placeForAdministrators(admin.listen, tls)).catch(async error => {
    await listening.close(0)
    throw error
  })
  all.push(forAdministrators)
  return {
    address: listening.address,
    async close(milliseconds) {
      const cutOff = await Promise.all([listening.close(milliseconds), forAdministrators.close(milliseconds)])
      return cutOff.includes(true)
    },
  }
}

// Administrators bring a token, and no certificate.
function placeForAdministrators(admin: NonNullable<ServerSettings['admin']>['listen'], tls: ListeningPlace['tls']): ListeningPlace {
  const { host, port } = admin
  if (!admin.tls || tls === undefined) return { host, port }
  return { host, port, tls: { ...tls, material: { ...tls.material, clientCertificates: 'not requested' } } }
}

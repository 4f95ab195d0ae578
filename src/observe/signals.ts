import cluster from 'node:cluster'
import type { Logger } from 'pino'
import type { Parsed } from '../config/load.ts'
import type { Instant } from '../outside.ts'
import type { Store } from '../stores/store.ts'
import type { Journal } from './journal.ts'
import { AllProcesses } from './metrics/all-processes.ts'
import { CallerMetrics } from './metrics/caller-metrics.ts'
import { ExchangeMetrics } from './metrics/exchange-metrics.ts'
import type { FamilyNumbers } from './metrics/family.ts'
import { FetchMetrics } from './metrics/fetch-metrics.ts'
import { measureProcess } from './metrics/process-metrics.ts'
import { Registry } from './metrics/registry.ts'
import { measuredStore } from './metrics/store-metrics.ts'
import { WorkerNumbers } from './metrics/worker.ts'
import { Recorder } from './record.ts'
import { OtlpExporter } from './traces/otlp-exporter.ts'
import { Tracer } from './traces/tracer.ts'

/** Where a request leaves its traces, and where they are read. */
export interface Signals {
  readonly recorder: Recorder
  readonly tracer: Tracer
  /** The numbers of all processes. */
  numbers(): Promise<readonly FamilyNumbers[]>
}

/** The signals of a process that serves, and what feeds them. */
export interface ServingSignals extends Signals {
  readonly registry: Registry
  readonly fetches: FetchMetrics
  readonly callers: CallerMetrics
  /** The same store, measured. */
  measured(store: Store): Store
  /** Sends what has not been sent yet. */
  close(): Promise<void>
}

/** What the signals of a process need. */
export interface SignalsParts {
  readonly journal: Journal
  readonly now: () => Instant
  /** Where traces go; undefined when they go nowhere. */
  readonly tracing?: Tracing | undefined
}

interface Tracing {
  readonly exporter: OtlpExporter
  readonly sampling: number
}

/** Opens the signals of a process that serves: the only one, or a worker. */
export function openSignals({ journal, now, tracing }: SignalsParts): ServingSignals {
  const registry = new Registry()
  const worker = cluster.isWorker ? new WorkerNumbers(registry) : undefined
  const tracer = new Tracer(tracing?.exporter, tracing?.sampling)
  return {
    registry,
    tracer,
    recorder: new Recorder(journal, [new ExchangeMetrics(registry), tracer]),
    fetches: new FetchMetrics(registry, now),
    callers: new CallerMetrics(registry),
    measured: store => measuredStore(store, registry),
    numbers: () => worker?.all() ?? registry.collect(),
    close: async () => await tracing?.exporter.close(),
  }
}

/** Where the configuration sends traces. */
export function tracingOf({ settings, texts }: Pick<Parsed, 'settings' | 'texts'>, log: Logger): Tracing | undefined {
  if (settings?.tracing === undefined) return undefined
  const { otlp, headers, sampling, serviceName } = settings.tracing
  const read = Object.entries(headers).map(([name, external]) => [name, texts.get(external) ?? ''])
  return { exporter: new OtlpExporter({ url: otlp, headers: Object.fromEntries(read), serviceName, log }), sampling }
}

/** In the first of several processes, which serves nothing itself: answers workers that are scraped. */
export function gatherNumbers(): void {
  const registry = new Registry()
  measureProcess(registry)
  new AllProcesses(registry)
}

import cluster from 'node:cluster'
import type { Instant } from '../outside.ts'
import type { Store } from '../stores/store.ts'
import type { Journal } from './journal.ts'
import { AllProcesses } from './metrics/all-processes.ts'
import { ExchangeMetrics } from './metrics/exchange-metrics.ts'
import type { FamilyNumbers } from './metrics/family.ts'
import { FetchMetrics } from './metrics/fetch-metrics.ts'
import { measureProcess } from './metrics/process-metrics.ts'
import { Registry } from './metrics/registry.ts'
import { measuredStore } from './metrics/store-metrics.ts'
import { WorkerNumbers } from './metrics/worker.ts'
import { Recorder } from './record.ts'

/** Where a request leaves its traces, and where they are read. */
export interface Signals {
  readonly recorder: Recorder
  /** The numbers of all processes. */
  numbers(): Promise<readonly FamilyNumbers[]>
}

/** The signals of a process that serves, and what feeds them. */
export interface ServingSignals extends Signals {
  readonly registry: Registry
  readonly fetches: FetchMetrics
  /** The same store, measured. */
  measured(store: Store): Store
}

/** Opens the signals of a process that serves: the only one, or a worker. */
export function openSignals(journal: Journal, now: () => Instant): ServingSignals {
  const registry = new Registry()
  const worker = cluster.isWorker ? new WorkerNumbers(registry) : undefined
  return {
    registry,
    recorder: new Recorder(journal, [new ExchangeMetrics(registry)]),
    fetches: new FetchMetrics(registry, now),
    measured: store => measuredStore(store, registry),
    numbers: () => worker?.all() ?? registry.collect(),
  }
}

/** In the first of several processes, which serves nothing itself: answers workers that are scraped. */
export function gatherNumbers(): void {
  const registry = new Registry()
  measureProcess(registry)
  new AllProcesses(registry)
}

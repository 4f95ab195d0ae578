import type { DataStore } from '../../data-stores/data-store.ts'
import type { Registry } from './registry.ts'

/** Shows which data stores are left alone because they have failed. Each process finds out by itself. */
export function measureDataStores(registry: Registry, stores: () => Iterable<DataStore>): void {
  const states = registry.gauge({
    name: 'cambist_data_store_state',
    help: '0 while the data store is asked, 1 while one question tells whether it is back, 2 while it is left alone.',
    labels: ['store'],
    across: 'max',
  })
  registry.beforeCollecting(() => {
    states.clear()
    for (const { id, breaker } of stores()) states.of(id).value = { closed: 0, 'half-open': 1, open: 2 }[breaker.state]
  })
}

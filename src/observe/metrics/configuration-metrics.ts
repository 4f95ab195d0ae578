import type { ReloadFacts } from '../../reload/reload-report.ts'
import type { Registry } from './registry.ts'

/** What is known of the configuration that serves. */
export interface ConfigurationFacts extends ReloadFacts {
  readonly version: string
}

/** Shows which configuration serves, and how reloads went. All processes serve the same one, so that nothing is added up. */
export function measureConfiguration(registry: Registry, facts: () => ConfigurationFacts): void {
  const info = registry.gauge({
    name: 'cambist_configuration_info',
    help: '1 for the version of the configuration that serves.',
    labels: ['version'],
    across: 'max',
  })
  const loaded = registry
    .gauge({
      name: 'cambist_configuration_loaded_timestamp_seconds',
      help: 'When the configuration that serves was loaded.',
      across: 'min',
    })
    .of()
  const failing = registry
    .gauge({
      name: 'cambist_configuration_failing',
      help: '1 when the files as they are now cannot be loaded; the configuration before serves.',
      across: 'max',
    })
    .of()
  const restart = registry
    .gauge({
      name: 'cambist_configuration_needs_restart',
      help: 'Settings of server.json whose change waits for a restart.',
      across: 'max',
    })
    .of()
  const reloads = registry.counter({
    name: 'cambist_reloads_total',
    help: 'Attempts to load a changed configuration.',
    labels: ['outcome'],
    across: 'max',
  })
  registry.beforeCollecting(() => {
    const now = facts()
    info.clear()
    info.of(now.version).value = 1
    loaded.value = now.loadedAt
    failing.value = now.failure === undefined ? 0 : 1
    restart.value = now.needsRestart.length
    reloads.of('success').set(now.succeeded)
    reloads.of('failure').set(now.failed)
  })
}

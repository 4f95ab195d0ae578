import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Registry } from './registry.ts'

/** What every process says of itself, under the names that dashboards for Node know. Of several processes, `across` says what is shown. */
export function measureProcess(registry: Registry): void {
  const cpu = registry.counter({ name: 'process_cpu_seconds_total', help: 'Processor time used, by all processes.' }).of()
  const gauge = (name: string, help: string, across: 'sum' | 'max' | 'min') => registry.gauge({ name, help, across }).of()
  const started = gauge('process_start_time_seconds', 'When the first process started.', 'min')
  const resident = gauge('process_resident_memory_bytes', 'Memory in use, of all processes.', 'sum')
  const descriptors = gauge('process_open_fds', 'Open file descriptors, of the process that has most.', 'max')
  const heap = gauge('nodejs_heap_size_used_bytes', 'Heap in use, of all processes.', 'sum')
  const delay = gauge(
    'nodejs_eventloop_lag_p99_seconds',
    'How late the event loop was since the last scrape, 99th percentile, worst process.',
    'max',
  )
  const processes = gauge('cambist_processes', 'Processes of this server, the first one among them.', 'sum')
  const loop = monitorEventLoopDelay({ resolution: 20 })
  loop.enable()
  started.value = performance.timeOrigin / 1000
  processes.value = 1
  let used = 0
  registry.beforeCollecting(() => {
    const { user, system } = process.cpuUsage()
    const now = (user + system) / 1_000_000
    cpu.add(now - used)
    used = now
    const memory = process.memoryUsage()
    resident.value = memory.rss
    heap.value = memory.heapUsed
    descriptors.value = openDescriptors()
    delay.value = Math.max(0, (loop.percentile(99) - 20_000_000) / 1e9) || 0
    loop.reset()
  })
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // Only Linux tells.
    return 0
  }
}

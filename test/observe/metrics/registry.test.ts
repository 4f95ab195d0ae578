import { expect } from 'chai'
import { exposition } from '../../../src/observe/metrics/exposition.ts'
import { Registry } from '../../../src/observe/metrics/registry.ts'
import { remains, together } from '../../../src/observe/metrics/together.ts'
import { Scraped } from './scraped.ts'

describe('observe/metrics/registry', () => {
  it('writes what Prometheus reads', async () => {
    const registry = new Registry()
    const requests = registry.counter({ name: 'requests_total', help: 'Requests.', labels: ['who', 'how'] })
    requests.of('a', 'x').add()
    requests.of('a', 'x').add(2)
    requests.of('a', 'y').add()
    requests.of('a"b\\c\nd', 'x').add()
    registry.gauge({ name: 'height', help: 'Height.', across: 'max' }).of().value = 1.5
    registry.counter({ name: 'never_total', help: 'Not once.', labels: ['who'] })
    const durations = registry.histogram({ name: 'seconds', help: 'Seconds.', labels: ['what'], bounds: [0.1, 1] }).of('read')
    for (const value of [0.05, 0.1, 0.5, 7]) durations.observe(value)
    expect(exposition(await registry.collect())).to.equal(
      [
        '# HELP requests_total Requests.',
        '# TYPE requests_total counter',
        'requests_total{who="a",how="x"} 3',
        'requests_total{who="a",how="y"} 1',
        'requests_total{who="a\\"b\\\\c\\nd",how="x"} 1',
        '# HELP height Height.',
        '# TYPE height gauge',
        'height 1.5',
        '# HELP seconds Seconds.',
        '# TYPE seconds histogram',
        'seconds_bucket{what="read",le="0.1"} 2',
        'seconds_bucket{what="read",le="1"} 3',
        'seconds_bucket{what="read",le="+Inf"} 4',
        'seconds_sum{what="read"} 7.65',
        'seconds_count{what="read"} 4',
        '',
      ].join('\n'),
    )
  })

  it('asks for numbers that nobody counts when they are wanted', async () => {
    const registry = new Registry()
    const size = registry.gauge({ name: 'size', help: 'Size.', across: 'sum' }).of()
    registry.beforeCollecting(async () => {
      size.value++
    })
    expect(exposition(await registry.collect())).to.include('\nsize 1\n')
    expect(exposition(await registry.collect())).to.include('\nsize 2\n')
  })

  it('forgets a series, and begins it anew', async () => {
    const registry = new Registry()
    const failing = registry.gauge({ name: 'failing', help: 'Failing.', labels: ['who', 'what'], across: 'max' })
    failing.of('a', 'x').value = 1
    failing.of('a', 'y').value = 1
    failing.forget('a', 'x')
    expect(new Scraped(exposition(await registry.collect())).family('failing')).to.deep.equal({ 'failing{who="a",what="y"}': 1 })
    failing.of('a', 'x').value = 0
    failing.of('a', 'y').value = 2
    expect(new Scraped(exposition(await registry.collect())).family('failing')).to.deep.equal({
      'failing{who="a",what="y"}': 2,
      'failing{who="a",what="x"}': 0,
    })
  })
})

describe('observe/metrics/together', () => {
  async function processWith(requests: number, memory: number, reachable: number) {
    const registry = new Registry()
    registry
      .counter({ name: 'requests_total', help: 'Requests.', labels: ['who'] })
      .of('a')
      .add(requests)
    registry.gauge({ name: 'memory', help: 'Memory.', across: 'sum' }).of().value = memory
    registry.gauge({ name: 'reachable', help: 'Reachable.', across: 'min' }).of().value = reachable
    registry.counter({ name: 'reloads_total', help: 'Reloads.', across: 'max' }).of().set(4)
    registry
      .histogram({ name: 'seconds', help: 'Seconds.', bounds: [1] })
      .of()
      .observe(requests)
    return registry.collect()
  }

  it('adds up what adds up, and only that', async () => {
    const both = exposition(together([await processWith(1, 10, 1), await processWith(2, 20, 0)]))
    for (const line of [
      'requests_total{who="a"} 3',
      'memory 30',
      'reachable 0',
      'reloads_total 4',
      'seconds_bucket{le="1"} 1',
      'seconds_bucket{le="+Inf"} 2',
      'seconds_sum 3',
      'seconds_count 2',
    ]) {
      expect(both).to.include(`\n${line}\n`)
    }
  })

  it('keeps the counts of a process that has ended, and nothing of its state', async () => {
    const kept = exposition(together([remains(await processWith(5, 10, 0)), await processWith(1, 20, 1)]))
    for (const line of ['requests_total{who="a"} 6', 'memory 20', 'reachable 1', 'reloads_total 4', 'seconds_count 2']) {
      expect(kept).to.include(`\n${line}\n`)
    }
  })
})

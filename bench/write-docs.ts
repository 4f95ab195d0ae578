import { readFileSync, writeFileSync } from 'node:fs'
import { chart } from './chart.ts'
import { type Measuring, machine, type Result, report } from './report.ts'

const begin = '<!-- figures: written by npm run bench -->'
const end = '<!-- end of figures -->'

/** Puts the figures of a whole run into the documentation. */
export function writeDocs(results: readonly Result[], measuring: Measuring): void {
  writeFileSync('docs/bench.svg', chart(results, machine()))
  const page = readFileSync('docs/benchmark.md', 'utf8')
  const [before = '', rest = ''] = page.split(begin)
  const after = rest.split(end)[1] ?? ''
  writeFileSync('docs/benchmark.md', `${before}${begin}\n\n${report(results, measuring, true)}\n\n${end}${after}`)
  console.log('\nWritten: docs/bench.svg and the figures of docs/benchmark.md')
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { requireProgram, run } from '../interop/tools.ts'
import { documentedMetrics } from '../observe/metrics/documented.ts'
import { writeFiles } from '../support/configuration.ts'
import { repository } from '../support/server-process.ts'

const metric = /\b(?:cambist|process|nodejs)_[a-z_0-9]+\b/g
const suffix = /_(bucket|sum|count)$/

/** Labels that are not ours: of Prometheus, of histograms and of the operator. */
const othersLabels = new Set(['instance', 'job', 'le'])

interface Panel {
  readonly title: string
  readonly id: number
  readonly gridPos: { readonly x: number; readonly w: number }
  readonly targets: ReadonlyArray<{ readonly expr: string }>
}

describe('deploy: the dashboard and the alerts', () => {
  let labels: Map<string, readonly string[]>
  let dashboard: { panels: Panel[] }
  let expressions: string[]
  before(async () => {
    labels = await documentedMetrics()
    dashboard = JSON.parse(await readFile(join(repository, 'deploy/grafana/cambist.json'), 'utf8'))
    const { groups } = parse(await readFile(join(repository, 'deploy/prometheus/alerts.yml'), 'utf8'))
    const alerts = groups.flatMap(({ rules }: { rules: Array<{ expr: string }> }) => rules.map(({ expr }) => expr))
    expressions = [...alerts, ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))]
  })

  it('ask for metrics and labels that the guide has', () => {
    expect(labels.size).to.be.above(15)
    for (const expression of expressions) {
      const names = (expression.match(metric) ?? []).map(name => (labels.has(name) ? name : name.replace(suffix, '')))
      for (const name of names) expect(labels.has(name), `${name} of ${expression}`).to.equal(true)
      const known = new Set([...names.flatMap(name => labels.get(name) ?? []), ...othersLabels])
      const grouped = [...expression.matchAll(/\bby \((.*?)\)/g)].flatMap(([, list = '']) => list.split(/, */))
      const matched = [...expression.matchAll(/([a-z_]+)(?:=~|!=|!~|=)"/g)].map(([, label = '']) => label)
      for (const label of [...grouped, ...matched]) expect(known.has(label), `${label} of ${expression}`).to.equal(true)
    }
  })

  it('use every metric of ours', () => {
    const asked = expressions.join('\n')
    for (const name of labels.keys()) expect(asked).to.include(name)
  })

  it('have panels that stand beside each other', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id))).to.have.length(dashboard.panels.length)
    for (const { title, gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w, title).to.be.at.most(24)
  })

  it('are what promtool takes', async function () {
    this.timeout(60_000)
    requireProgram(this, 'promtool', ['--version'], 'CAMBIST_REQUIRE_PROMTOOL')
    const alerts = join(repository, 'deploy/prometheus/alerts.yml')
    for (const args of [
      ['check', 'rules', alerts],
      ['test', 'rules', alerts.replace('.yml', '.test.yml')],
    ]) {
      const { code, out, complaints } = await run('promtool', args)
      expect(code, out + complaints).to.equal(0)
    }
    // The expressions of the dashboard are not rules; as rules they are checked all the same.
    const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr: expr.replaceAll('$instance', '.*') }))
    const { folder, remove } = await writeFiles({ 'panels.json': { groups: [{ name: 'panels', rules }] } })
    try {
      const { code, out, complaints } = await run('promtool', ['check', 'rules', join(folder, 'panels.json')])
      expect(code, out + complaints).to.equal(0)
    } finally {
      await remove()
    }
  })
})

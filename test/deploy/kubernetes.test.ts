import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { parse, parseAllDocuments } from 'yaml'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { readSources } from '../../src/config/read.ts'
import { generateKey } from '../../src/keys/generate-key.ts'
import { withoutStore } from '../../src/world.ts'
import { requireProgram, run } from '../interop/tools.ts'
import { type Files, writeFiles } from '../support/configuration.ts'
import { repository } from '../support/server-process.ts'

const folder = join(repository, 'deploy/kubernetes')
const labels = { 'app.kubernetes.io/name': 'cambist' }

interface Items {
  readonly name: string
  readonly items: ReadonlyArray<{ readonly key: string; readonly path: string }>
}

async function yaml(file: string) {
  return parse(await readFile(join(folder, file), 'utf8'))
}

/** The volume `/config` as the kubelet makes it, with these Secrets. */
async function mounted(configMap: Record<string, string>, secrets: Record<string, string>): Promise<Files> {
  const { volumes } = (await yaml('deployment.yaml')).spec.template.spec
  const files: Files = {}
  for (const source of volumes[0].projected.sources) {
    const { items } = (source.configMap ?? source.secret) as Items
    const texts = source.configMap === undefined ? secrets : configMap
    for (const { key, path } of items) {
      expect(texts, path).to.have.property(key)
      files[path] = texts[key]
    }
  }
  return files
}

describe('deploy/kubernetes', () => {
  const environment = { REDIS_PASSWORD: 'of-redis', METRICS_TOKEN: 'a-token-of-prometheus' }

  it('mounts a configuration without problems', async () => {
    const [{ files }] = (await yaml('kustomization.yaml')).configMapGenerator as [{ files: string[] }]
    const pairs = files.map(each => each.split('=') as [string, string])
    const texts = await Promise.all(pairs.map(async ([key, path]) => [key, await readFile(join(folder, path), 'utf8')] as const))
    for (const [key] of pairs) expect(key).to.match(/^[-._a-zA-Z0-9]+$/)
    const secrets = { 'orders.pem': (await generateKey('ES256')).privateKeyPem, 'gateway.secret': 'x'.repeat(43) }
    const config = await writeFiles(await mounted(Object.fromEntries(texts), secrets))
    try {
      const parsed = await parseConfiguration(await readSources(config.folder), config.folder, environment)
      const { server, warnings } = await buildConfiguration(parsed, withoutStore(pino({ level: 'silent' })))
      expect(warnings).to.deep.equal([])
      expect([...server.clients.keys()]).to.deep.equal(['gateway'])
      expect(parsed.sources.files.map(({ file }) => file).sort()).to.deep.equal(pairs.map(([, path]) => path.replace('config/', '')).sort())
    } finally {
      await config.remove()
    }
  })

  it('gives the server the time that it takes to stop, and no right that it does not need', async () => {
    const { spec } = (await yaml('deployment.yaml')).spec.template
    const { shutdown, listen } = JSON.parse(await readFile(join(folder, 'config/server.json'), 'utf8'))
    expect(spec.terminationGracePeriodSeconds).to.be.above(Number.parseInt(shutdown.delay, 10) + Number.parseInt(shutdown.deadline, 10) + 5)
    expect(spec.securityContext).to.include({ runAsNonRoot: true })
    expect(spec.automountServiceAccountToken).to.equal(false)
    const [container] = spec.containers
    expect(container.securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.ports[0].containerPort).to.equal(listen.port)
    expect(container.env.map(({ name }: { name: string }) => name)).to.have.members(Object.keys(environment))
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      expect(container[probe].httpGet).to.deep.equal({ path: probe === 'readinessProbe' ? '/readyz' : '/healthz', port: 'http' })
  })

  it('selects its own pods everywhere', async () => {
    const deployment = await yaml('deployment.yaml')
    expect(deployment.spec.template.metadata.labels).to.deep.equal(labels)
    expect(deployment.spec.selector.matchLabels).to.deep.equal(labels)
    expect((await yaml('service.yaml')).spec.selector).to.deep.equal(labels)
    expect((await yaml('disruption-budget.yaml')).spec.selector.matchLabels).to.deep.equal(labels)
    expect((await yaml('network-policy.yaml')).spec.podSelector.matchLabels).to.deep.equal(labels)
    expect((await yaml('monitoring/service-monitor.yaml')).spec.selector.matchLabels).to.deep.equal(labels)
  })

  it('is what kubectl builds', async function () {
    this.timeout(60_000)
    requireProgram(this, 'kubectl', ['version', '--client'], 'CAMBIST_REQUIRE_KUBECTL')
    for (const [path, kinds] of [
      [folder, ['ConfigMap', 'Service', 'Deployment', 'PodDisruptionBudget', 'NetworkPolicy']],
      [join(folder, 'monitoring'), ['ServiceMonitor']],
    ] as const) {
      const { code, out, complaints } = await run('kubectl', ['kustomize', path])
      expect(code, complaints).to.equal(0)
      const documents = parseAllDocuments(out).map(document => document.toJS())
      expect(documents.map(({ kind }) => kind)).to.have.members([...kinds])
      const map = documents.find(({ kind }) => kind === 'ConfigMap')
      if (map !== undefined) expect(map.metadata.name, 'without a hash, so that a change is a reload').to.equal('cambist-config')
    }
  })
})

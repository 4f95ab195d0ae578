import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { describe as described } from '../../src/config/problems.ts'
import { parseSnapshot } from '../../src/config/snapshot.ts'
import { pluginsFrom } from '../../src/plugins/load-plugins.ts'
import { requireSamePlugins } from '../../src/plugins/started-plugins.ts'
import { ConfigurationFolder } from '../../src/reload/folder.ts'
import { needsRestart } from '../../src/reload/needs-restart.ts'
import { writeFolder } from '../config/configuration.ts'
import { packageFiles, processorCode } from './packages.ts'

const server = (plugins: readonly string[]) =>
  JSON.stringify({ issuer: 'https://sts.example.com', store: { type: 'memory' }, plugins }, undefined, 2)
const processor = 'policies/token-processors/old.json'
const files = {
  'server.json': server(['@acme/old']),
  [processor]: '{ "type": "legacy" }',
  ...packageFiles('@acme/old', processorCode('legacy', 'return good')),
  ...packageFiles('@acme/new', processorCode('newer', 'return good')),
}

describe('plug-ins of a server that runs', () => {
  let folder: string
  let remove: () => void
  let configuration: ConfigurationFolder
  beforeEach(() => {
    const written = writeFolder(files)
    folder = written.folder
    remove = written.remove
    configuration = new ConfigurationFolder(folder, {})
  })
  afterEach(() => remove())

  it('stay as they were at the start when their code changes, which is noticed and reported', async () => {
    const started = await configuration.read()
    await appendFile(join(folder, 'node_modules/@acme/old/index.js'), '\nthrow new Error("half written")\n')
    const now = await configuration.read()
    expect(now.fingerprint).not.to.equal(started.fingerprint)
    expect(now.digest).not.to.equal(started.digest)
    expect(now.parsed.problems.map(described)).to.deep.equal([])
    expect(now.parsed.files.map(({ blueprint }) => blueprint.type)).to.include('legacy')
    expect(needsRestart(started.parsed, now.parsed)).to.deep.equal(['plugins'])
  })

  it('are not loaded when the list changes; whoever uses their types hears why', async () => {
    const started = await configuration.read()
    await writeFile(join(folder, 'server.json'), server(['@acme/old', '@acme/new']))
    const listed = await configuration.read()
    expect(listed.parsed.problems).to.deep.equal([])
    expect(needsRestart(started.parsed, listed.parsed)).to.deep.equal(['plugins'])
    await writeFile(join(folder, processor), '{ "type": "newer" }')
    const used = await configuration.read()
    expect(used.parsed.problems.map(described)).to.deep.equal([
      `${processor}:1:3 type: there is no type "newer"; expected one of "jwt", "access-token", "introspection", "saml2", "saml11", ` +
        '"aws-caller-identity", "username", "x509", "legacy"; the types of @acme/new are known after a restart only',
    ])
  })

  it('are gone from the types when they are gone from the list', async () => {
    await configuration.read()
    await writeFile(join(folder, 'server.json'), server([]))
    const [problem = ''] = (await configuration.read()).parsed.problems.map(described)
    expect(problem).to.include('there is no type "legacy"')
  })

  it('need no restart when nothing about them changes', async () => {
    const started = await configuration.read()
    await writeFile(join(folder, processor), '{ "type": "legacy", "size": 4 }')
    expect(needsRestart(started.parsed, (await configuration.read()).parsed)).to.deep.equal([])
  })

  it('are the same in every worker, or the worker does not start', async () => {
    const { snapshot } = await configuration.read()
    const inWorker = await parseSnapshot(snapshot, pluginsFrom(snapshot.plugins.folder))
    await requireSamePlugins(inWorker.plugins, snapshot.plugins.packages)
    await appendFile(join(folder, 'node_modules/@acme/old/index.js'), '\n')
    const later = await parseSnapshot(snapshot, pluginsFrom(snapshot.plugins.folder))
    const error = await requireSamePlugins(later.plugins, snapshot.plugins.packages).catch((caught: Error) => caught.message)
    expect(error).to.equal('the package "@acme/old" is not what it was when the server started; restart the server')
  })
})

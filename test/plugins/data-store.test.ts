import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { editorSchemas } from '../../src/config/editor-schemas.ts'
import { pluginsFrom } from '../../src/plugins/load-plugins.ts'
import { problemsOf, writeFolder } from '../config/configuration.ts'
import type { Files } from '../support/configuration.ts'
import { expectError, serverFor } from '../support/world.ts'
import { packageFiles } from './packages.ts'

const policy = 'policies/processor-policies/people.json'
const code = `
  import { dataStoreKind, isSlot, Outage, template, z } from 'cambist'
  export const apiVersion = 1
  export const dataStores = [
    dataStoreKind('directory', { company: z.string().min(1) }, { person: template }, settings => ({
      attributes: { number: { type: 'string' } },
      prepare(lookup, parts) {
        const { pieces } = parts.template(lookup.person, ['person'])
        if (pieces.length !== 1) parts.problem(['person'], 'expected one expression in braces, and nothing else')
        const textOf = values => pieces.map(piece => (isSlot(piece) ? values[piece.value] : piece.text)).join('')
        return {
          describe: values => 'person ' + textOf(values),
          async run(values) {
            const mail = textOf(values)
            if (mail.startsWith('down')) throw new Outage('no answer for ' + mail)
            if (mail.startsWith('bug')) throw new TypeError(mail)
            if (mail.startsWith('text')) return mail
            if (mail.startsWith('cycle')) { const row = {}; row.number = row; return [row] }
            return [{ number: settings.company + '-42' }]
          },
        }
      },
    })),
  ]`

function withStore(files: Files): Files {
  const server = files['server.json'] as object
  const people = files[policy] as { processors: Array<{ attributes: object }> }
  const [first, ...others] = people.processors
  const looking = {
    ...first,
    lookups: { hr: { dataStore: 'hr', person: '{subject.email}', attributes: ['number'] } },
    attributes: { ...first?.attributes, subject: 'lookup.hr.number' },
  }
  return {
    ...files,
    ...packageFiles('@acme/directory', code),
    'server.json': { ...server, plugins: ['@acme/directory'] },
    'policies/data-stores/hr.json': { type: 'directory', company: 'acme' },
    [policy]: { ...people, processors: [looking, ...others] },
  }
}

describe('a data store of a plug-in', () => {
  const world = serverFor(withStore)
  const exchange = async (email: string) => world.exchange({ subject_token: await world.person({ email }) })

  it('is looked up in as one of our own', async () => {
    expect((await world.issued()).claims.sub).to.equal('acme-42')
  })

  it('that cannot be asked is an outage, without what was looked for', async () => {
    expectError(await exchange('down@secret.example'), 'temporarily_unavailable')
    expect(JSON.stringify(world.lastRecord().refusal)).not.to.include('down@secret.example')
  })

  for (const does of ['bug', 'text', 'cycle']) {
    it(`fails closed: ${does}`, async () => {
      expectError(await exchange(`${does}@secret.example`), 'server_error')
      const { stack } = world.lastRecord().refusal as { stack: string }
      expect(stack).to.match(/^PluginFault: the plug-in type "directory" of @acme\/directory \(policies\/data-stores\/hr\.json\) /)
      expect(stack).not.to.include('secret.example')
    })
  }

  it('has its lookups checked, and described to editors', async () => {
    const { folder, remove } = writeFolder(packageFiles('@acme/directory', code))
    try {
      const schema = editorSchemas(await pluginsFrom(folder)(['@acme/directory']))['processor-policy.schema.json']
      expect(JSON.stringify(schema)).to.include('"person"')
      const shipped = await readFile(join(import.meta.dirname, '../../schemas/processor-policy.schema.json'), 'utf8')
      expect(shipped).not.to.include('"person"')
    } finally {
      remove()
    }
  })

  it('cannot take the names of members that every lookup has', async () => {
    const server = JSON.stringify({ issuer: 'https://sts.example.com', store: { type: 'memory' }, plugins: ['@acme/directory'] })
    const greedy = code.replace('{ person: template }', '{ person: template, timeout: z.int() }')
    const [problem = ''] = await problemsOf({ 'server.json': server, ...packageFiles('@acme/directory', greedy) })
    expect(problem).to.include('dataStores[0] of type "directory" has a member "timeout" of lookups, which every lookup has already')
  })
})

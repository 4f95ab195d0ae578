import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { editorSchemas } from '../config/editor-schemas.ts'
import { describe } from '../config/problems.ts'
import { readSources } from '../config/read.ts'
import { pluginsFrom } from '../plugins/load-plugins.ts'
import { namedPlugins, problemsOfPlugins } from '../plugins/named-plugins.ts'
import { terminal } from '../terminal.ts'
import { type Command, configOption, readOptions } from './command.ts'

/** `cambist schemas`: the schemas with which an editor completes and checks the files, also those of plug-ins. */
export const schemas: Command = {
  name: 'schemas',
  usage: 'schemas [--check] [--config DIR]',
  summary: 'write the JSON Schemas for editors, with the types of plug-ins',
  help: [
    'Writes schemas/*.schema.json into DIR, for editors that complete and check the files of the configuration while they are',
    'typed ("$schema": "../../schemas/token-processor.schema.json"). The types of the packages in "plugins" of server.json are',
    'among them. --check writes nothing, and exits 1 when the files are not what would be written.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, { ...configOption, check: { type: 'boolean', default: false } })
    const folder = resolve(values.config)
    const sources = await readSources(folder)
    const plugins = await pluginsFrom(folder)(namedPlugins(sources))
    const problems = problemsOfPlugins(plugins, sources)
    for (const problem of problems) terminal.complain(describe(problem))
    if (problems.length > 0) return 1
    const changed = await changedIn(join(folder, 'schemas'), editorSchemas(plugins))
    return values.check ? complainOf(changed) : write(join(folder, 'schemas'), changed)
  },
}

/** The texts of the schemas that are not there as they are. */
async function changedIn(folder: string, all: Readonly<Record<string, object>>): Promise<ReadonlyMap<string, string>> {
  const changed = new Map<string, string>()
  for (const [name, schema] of Object.entries(all)) {
    const text = `${JSON.stringify(schema, undefined, 2)}\n`
    if ((await readFile(join(folder, name), 'utf8').catch(() => undefined)) !== text) changed.set(name, text)
  }
  return changed
}

function complainOf(changed: ReadonlyMap<string, string>): number {
  for (const name of changed.keys()) terminal.complain(`schemas/${name} is not what "cambist schemas" would write`)
  return changed.size === 0 ? 0 : 1
}

async function write(folder: string, changed: ReadonlyMap<string, string>): Promise<number> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of changed) await writeFile(join(folder, name), text)
  terminal.print(
    changed.size === 0 ? 'the schemas are what they should be' : `wrote ${[...changed.keys()].map(name => `schemas/${name}`).join(', ')}`,
  )
  return 0
}

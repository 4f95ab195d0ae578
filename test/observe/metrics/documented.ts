import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../../support/server-process.ts'

/** The metrics that the guide has, with their labels. */
export async function documentedMetrics(): Promise<Map<string, readonly string[]>> {
  const guide = await readFile(join(repository, 'docs/guides/signals.md'), 'utf8')
  const rows = [...guide.matchAll(/^\| (`(?:cambist|process|nodejs)_.*?) \| (.*?) \|/gm)]
  const quoted = (text = '') => [...text.matchAll(/`([a-z_0-9]+)`/g)].map(([, name = '']) => name)
  return new Map(rows.flatMap(([, names, own]) => quoted(names).map(name => [name, quoted(own)] as const)))
}

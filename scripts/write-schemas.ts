import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { editorSchemas } from '../src/config/editor-schemas.ts'

// `npm run schemas` writes schemas/; with --check it only says whether they are as the code would write them.
const folder = new URL('../schemas/', import.meta.url)
const onlyCheck = process.argv.includes('--check')
await mkdir(folder, { recursive: true })
for (const [name, schema] of Object.entries(editorSchemas())) {
  const text = `${JSON.stringify(schema, null, 2)}\n`
  const written = await readFile(new URL(name, folder), 'utf8').catch(() => '')
  if (written === text) continue
  if (onlyCheck) {
    console.error(`schemas/${name} is not what the code would write; run "npm run schemas"`)
    process.exitCode = 1
  } else await writeFile(new URL(name, folder), text)
}

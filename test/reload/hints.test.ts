import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Hints } from '../../src/reload/hints.ts'
import { until } from '../stores/until.ts'

describe('hints that a configuration may have changed', () => {
  let folder: string
  let hints: Hints
  let heard = 0
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cambist-test-'))
    for (const file of ['server.json', 'secret', 'record.log']) await writeFile(join(folder, file), '')
    heard = 0
    hints = new Hints(() => {
      heard++
    })
    hints.watch({ folders: new Set([folder]), files: new Set(['secret']) })
  })
  afterEach(async () => {
    hints.close()
    await rm(folder, { recursive: true })
  })

  for (const file of ['server.json', 'secret']) {
    it(`come when ${file} is written`, async () => {
      await appendFile(join(folder, file), 'x')
      await until('it is heard', () => heard > 0)
    })
  }

  it('come when a file is put in the place of another', async () => {
    await rename(join(folder, 'record.log'), join(folder, '..data'))
    await until('it is heard', () => heard > 0)
  })

  it('do not come when a log grows that stands beside it', async () => {
    for (let line = 0; line < 100; line++) await appendFile(join(folder, 'record.log'), 'x\n')
    await appendFile(join(folder, 'server.json'), 'x')
    await until('the write after them is heard', () => heard > 0)
    expect(heard).to.be.below(10)
  })
})

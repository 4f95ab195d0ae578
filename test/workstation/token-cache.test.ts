import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises'
import { expect } from 'chai'
import { TokenCache } from '../../src/workstation/token-cache.ts'

describe('workstation/token-cache', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cambist-cache-'))
  })
  after(() => rm(folder, { recursive: true }))

  it('lets one work at a time, also where several come one after the other upon a lock that somebody left behind', async () => {
    let running = 0
    let most = 0
    const work = async () => {
      most = Math.max(most, ++running)
      await pause(5)
      running--
    }
    for (let round = 0; round < 10; round++) {
      await writeFile(join(folder, 'name.lock'), '999999999')
      const late = async (turns: number) => {
        for (let passed = 0; passed < turns; passed++) await turn()
        await new TokenCache(folder).alone('name', work)
      }
      await Promise.all(Array.from({ length: 12 }, (_, turns) => late(turns)))
    }
    expect(most).to.equal(1)
    expect(await readdir(folder)).to.deep.equal([])
  })

  it('leaves the lock of a successor alone, who found the own one too old', async () => {
    const lock = join(folder, 'name.lock')
    await new TokenCache(folder).alone('name', () => writeFile(lock, `${process.pid} successor`))
    expect(await readFile(lock, 'utf8')).to.equal(`${process.pid} successor`)
    await rm(lock)
  })

  it('gets past a lock that was left behind before anything was written in it', async () => {
    const lock = join(folder, 'name.lock')
    await writeFile(lock, '')
    const then = Date.now() / 1000 - 60
    await utimes(lock, then, then)
    expect(await new TokenCache(folder).alone('name', async () => 'done')).to.equal('done')
  })
})

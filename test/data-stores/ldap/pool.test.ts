import { expect } from 'chai'
import pino from 'pino'
import type { Connection } from '../../../src/data-stores/ldap/connection.ts'
import type { Directories, Opened } from '../../../src/data-stores/ldap/directories.ts'
import { Pool, type PoolSettings } from '../../../src/data-stores/ldap/pool.ts'

/** A connection that a directory may close without a word: whoever asks is the first to see it. */
class Closable {
  closed = false
  readonly doubtful = false
  readonly isCut: boolean
  whenClosed = () => undefined

  constructor(isCut: boolean) {
    this.isCut = isCut
  }

  close(): void {
    this.closed = true
  }
}

/** What is asked over a connection that was cut. */
async function ask(connection: Connection): Promise<string> {
  const closable = connection as unknown as Closable
  if (!closable.isCut) return 'an answer'
  closable.closed = true
  throw new Error('the directory has closed the connection')
}

describe('the connections to a directory', () => {
  const settings: PoolSettings = { min: 2, max: 2, mostWaiting: 10, idleMilliseconds: 3_600_000, checkMilliseconds: 3_600_000 }
  const pools: Pool[] = []
  afterEach(() => {
    for (const pool of pools.splice(0)) pool.close()
  })
  /** A pool whose connections are these, in this order. */
  const poolOf = (...connections: readonly Closable[]) => {
    const coming = connections.values()
    const open = async (): Promise<Opened> => ({ connection: coming.next().value as unknown as Connection, server: 0 })
    const pool = new Pool({ open } as unknown as Directories, settings, pino({ level: 'silent' }))
    pools.push(pool)
    return pool
  }
  const asked = (pool: Pool) => pool.use(new AbortController().signal, ask)

  it('are asked once more over another one when one was closed that had been idle, whether it was ever used or not', async () => {
    const pool = poolOf(new Closable(false), new Closable(true), new Closable(false))
    expect(await asked(pool)).to.equal('an answer')
    expect(pool.size).to.equal(2)
    expect(await Promise.all([asked(pool), asked(pool)])).to.deep.equal(['an answer', 'an answer'])
  })

  it('are not asked again and again when each is closed at its first question', async () => {
    const pool = poolOf(...Array.from({ length: 10 }, () => new Closable(true)))
    const failure = await asked(pool).catch(error => error)
    expect(failure).to.be.instanceOf(Error)
    expect(failure.message).to.equal('the directory has closed the connection')
  })
})

import { expect } from 'chai'
import { type Answer, type Driver, type Failure, type Question, SqlServer } from '../../../src/data-stores/sql/server.ts'
import { Outage } from '../../../src/oauth/errors.ts'

interface Line {
  readonly name: string
  /** The server has closed it; whoever asks is the first to see it. */
  isCut: boolean
}

/** A pool of one connection, and the next ones when that is gone. Each comes when it is told to. */
class ScriptedDriver implements Driver<Line> {
  readonly #coming: Array<Promise<Line>>
  #idle: Line | undefined
  readonly asked: string[] = []

  constructor(...coming: Array<Promise<Line>>) {
    this.#coming = coming
  }

  async borrow(): Promise<Line> {
    const line = this.#idle ?? (await this.#coming.shift())
    this.#idle = undefined
    if (line === undefined) throw new Error('no more connections')
    return line
  }

  giveBack(connection: Line, sound: boolean): void {
    if (sound) this.#idle = connection
  }

  async prepare(): Promise<void> {}

  async ask({ name, isCut }: Line): Promise<Answer> {
    this.asked.push(name)
    if (isCut) throw new Error('cut')
    return { columns: ['id'], rows: [[5]] }
  }

  async cancel(): Promise<void> {}

  failure(): Failure {
    return 'lost'
  }

  describe(): string {
    return 'the connection is gone'
  }

  async close(): Promise<void> {}
}

describe('data-stores/sql: the connections of a pool', () => {
  const question: Question = { text: 'SELECT 5', values: [], atMost: 2, milliseconds: 1_000 }
  const forEver = new AbortController().signal

  it('are asked over another one when one was closed in the pool, also one that came too late to be asked anything', async () => {
    let arrive: (line: Line) => void = () => undefined
    const first = new Promise<Line>(resolve => {
      arrive = resolve
    })
    const driver = new ScriptedDriver(first, Promise.resolve({ name: 'second', isCut: false }))
    const server = new SqlServer(driver)
    const given = new AbortController()
    const waiting = server.ask(question, given.signal).catch(error => error)
    given.abort()
    expect(await waiting).to.be.instanceOf(Outage)
    const late = { name: 'first', isCut: false }
    arrive(late)
    await new Promise(resolve => setImmediate(resolve))
    late.isCut = true
    expect((await server.ask(question, forEver)).rows).to.deep.equal([[5]])
    expect(driver.asked).to.deep.equal(['first', 'second'])
  })

  it('are not asked again when a new one is closed at its first question', async () => {
    const driver = new ScriptedDriver(Promise.resolve({ name: 'first', isCut: true }), Promise.resolve({ name: 'second', isCut: false }))
    const failure = await new SqlServer(driver).ask(question, forEver).catch(error => error)
    expect(failure).to.be.instanceOf(Outage)
    expect(driver.asked).to.deep.equal(['first'])
  })
})

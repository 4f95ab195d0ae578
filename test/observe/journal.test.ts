import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { pino } from 'pino'
import { Outage } from '../../src/oauth/errors.ts'
import { type Journal, type JournalOptions, openJournal } from '../../src/observe/journal.ts'
import { until } from '../stores/until.ts'

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants

describe('observe/journal', () => {
  let folder: string
  let descriptors: number[]
  let journals: Journal[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cambist-journal-'))
    descriptors = []
    journals = []
  })

  afterEach(async () => {
    await Promise.all(journals.map(journal => journal.close()))
    for (const descriptor of descriptors) closeSync(descriptor)
    await rm(folder, { recursive: true })
  })

  function journalOn(destination: number | string, options?: JournalOptions): Journal {
    const journal = openJournal(destination, options)
    journals.push(journal)
    return journal
  }

  function descriptor(path: string, flags: number): number {
    const opened = openSync(path, flags)
    descriptors.push(opened)
    return opened
  }

  const outcome = (journal: Journal) => journal.written().catch((error: unknown) => error)

  describe('on a file', () => {
    it('has a line in the file once it is written', async () => {
      const file = join(folder, 'log')
      const journal = journalOn(file)
      journal.write('one\n')
      await journal.written()
      expect(await readFile(file, 'utf8')).to.equal('one\n')
      journal.write('two\n')
      journal.write('thrée\n')
      await journal.written()
      expect(await readFile(file, 'utf8')).to.equal('one\ntwo\nthrée\n')
      expect((await stat(file)).mode & 0o777).to.equal(0o600)
    })

    it('has nothing to wait for when nothing was written', async () => {
      await journalOn(join(folder, 'log')).written()
    })

    it('keeps every line of concurrent requests, in their order', async () => {
      const file = join(folder, 'log')
      const journal = journalOn(file)
      let next = 0
      const request = async () => {
        for (let round = 0; round < 100; round++) {
          const line = `${next++}`
          journal.write(`${line}\n`)
          await journal.written()
        }
      }
      await Promise.all(Array.from({ length: 20 }, request))
      expect((await readFile(file, 'utf8')).split('\n').slice(0, -1)).to.deep.equal(Array.from({ length: 2_000 }, (_, index) => `${index}`))
    })

    it('appends to what is there', async () => {
      const file = join(folder, 'log')
      for (const line of ['one\n', 'two\n']) {
        const journal = openJournal(file)
        journal.write(line)
        await journal.close()
      }
      expect(await readFile(file, 'utf8')).to.equal('one\ntwo\n')
    })

    it('takes the lines of pino', async () => {
      const file = join(folder, 'log')
      const journal = journalOn(file)
      pino({}, journal).info({ subject: 'ünï' }, 'exchange')
      await journal.written()
      expect(JSON.parse(await readFile(file, 'utf8'))).to.include({ subject: 'ünï', msg: 'exchange' })
    })

    it('waits for the line of a request also when others follow', async () => {
      const file = join(folder, 'log')
      const journal = journalOn(file)
      journal.write('mine\n')
      const mine = journal.written()
      await pause(1)
      journal.write('theirs\n')
      await mine
      expect(await readFile(file, 'utf8')).to.contain('mine\n')
    })
  })

  describe('on a file that takes nothing', () => {
    it('is an outage for those who wait, and for nobody else', async () => {
      const journal = journalOn(descriptor('/dev/full', O_WRONLY))
      journal.write('one\n')
      const failed = await outcome(journal)
      expect(failed).to.be.instanceOf(Outage)
      expect((failed as Outage).cause).to.include({ code: 'ENOSPC' })
      journal.write('nobody waits for this line\n')
      await pause(20)
      journal.write('two\n')
      expect(await outcome(journal)).to.be.instanceOf(Outage)
    })
  })

  describe('on a pipe', () => {
    let pipe: string

    beforeEach(() => {
      pipe = join(folder, 'pipe')
      expect(spawnSync('mkfifo', [pipe]).status).to.equal(0)
    })

    /** How many bytes of what is in the pipe now were read. */
    function readNow(reader: number, into: Buffer): number {
      try {
        return readSync(reader, into)
      } catch (error) {
        expect(error).to.include({ code: 'EAGAIN' })
        return 0
      }
    }

    /** Everything that is in the pipe now. */
    function drain(reader: number): string {
      const piece = Buffer.alloc(65_536)
      let text = ''
      for (;;) {
        const length = readNow(reader, piece)
        if (length === 0) return text
        text += piece.toString('utf8', 0, length)
      }
    }

    const lineOf = (length: number) => `${'x'.repeat(length - 1)}\n`

    it('writes on when a slow reader has made room', async () => {
      const reader = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      const journal = journalOn(descriptor(pipe, O_WRONLY | O_NONBLOCK))
      for (let index = 0; index < 1_000; index++) journal.write(lineOf(700))
      let finished = false
      const written = journal.written().then(() => {
        finished = true
      })
      let text = ''
      while (!finished) {
        await pause(5)
        text += drain(reader)
      }
      await written
      expect(text + drain(reader)).to.equal(lineOf(700).repeat(1_000))
    })

    it('is an outage while nobody reads, and goes on with whole lines afterwards', async () => {
      const reader = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      const patience = 100
      const journal = journalOn(descriptor(pipe, O_WRONLY | O_NONBLOCK), { patience })
      for (let index = 0; index < 200; index++) journal.write(lineOf(700))
      expect(await outcome(journal)).to.be.instanceOf(Outage)
      const before = drain(reader)
      expect(before).to.equal(lineOf(700).repeat(before.length / 700))
      await until('a line is taken', async () => {
        const began = performance.now()
        journal.write('again\n')
        const refusal = await outcome(journal)
        // Unless this machine stands still for longer than the journal waits, it is the first one.
        if (refusal !== undefined) expect(performance.now() - began, String(refusal)).to.be.at.least(patience - 1)
        return refusal === undefined
      })
      expect(drain(reader)).to.match(/(^|\n)again\n$/)
    })

    it('is an outage while there is no reader, and goes on with the next one', async () => {
      const reader = openSync(pipe, O_RDONLY | O_NONBLOCK)
      const journal = journalOn(descriptor(pipe, O_WRONLY | O_NONBLOCK))
      closeSync(reader)
      journal.write('lost\n')
      const failed = await outcome(journal)
      expect(failed).to.be.instanceOf(Outage)
      expect((failed as Outage).cause).to.include({ code: 'EPIPE' })
      const next = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      journal.write('one\n')
      await journal.written()
      expect(drain(next)).to.equal('one\n')
    })

    it('ends half a line before it goes on', async () => {
      const reader = openSync(pipe, O_RDONLY | O_NONBLOCK)
      const journal = journalOn(descriptor(pipe, O_WRONLY | O_NONBLOCK))
      journal.write(lineOf(200_000))
      const letter = Buffer.alloc(1)
      await until('the first half is in the pipe', () => readNow(reader, letter) === 1)
      closeSync(reader)
      expect(await outcome(journal)).to.be.instanceOf(Outage)
      const next = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      expect(drain(next)).to.match(/^x+$/)
      journal.write('one\n')
      await journal.written()
      expect(drain(next)).to.equal('\none\n')
    })

    it('refuses lines when too many wait, and takes them again later', async () => {
      const reader = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      const journal = journalOn(descriptor(pipe, O_WRONLY | O_NONBLOCK), { limit: 100_000 })
      for (let index = 0; index < 120; index++) journal.write(lineOf(700))
      const first = journal.written()
      await pause(20)
      for (let index = 0; index < 200; index++) journal.write(lineOf(700))
      expect(await outcome(journal)).to.be.instanceOf(Outage)
      let text = ''
      const reading = setInterval(() => {
        text += drain(reader)
      }, 5)
      await first
      await journal.written()
      journal.write('again\n')
      await journal.written()
      clearInterval(reading)
      text += drain(reader)
      expect(text.endsWith('again\n')).to.equal(true)
      expect(text.length).to.be.lessThan(320 * 700)
    })

    it('does not mix the lines of several processes', async () => {
      const reader = descriptor(pipe, O_RDONLY | O_NONBLOCK)
      const writer = descriptor(pipe, O_WRONLY)
      const file = fileURLToPath(new URL('./journal-writer.ts', import.meta.url))
      const children = [1, 2, 3].map(name =>
        fork(file, [`${name}`], { execArgv: ['--import', 'tsx'], stdio: ['ignore', writer, 'inherit', 'ipc'] }),
      )
      let running = children.length
      const exits = children.map(child => once(child, 'exit').then(() => running--))
      let text = ''
      while (running > 0) {
        await pause(2)
        text += drain(reader)
      }
      await Promise.all(exits)
      const lines = (text + drain(reader)).split('\n').slice(0, -1)
      expect(lines).to.have.length(3 * 2_000)
      for (const line of lines) expect(JSON.parse(line).filler).to.match(/^(1+|2+|3+)$/)
    })
  })
})

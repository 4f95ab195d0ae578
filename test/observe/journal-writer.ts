// Writes lines of different lengths to its standard output, which it shares with others of its kind.
import { openJournal } from '../../src/observe/journal.ts'

const name = process.argv[2] ?? ''
const journal = openJournal(1)
for (let index = 0; index < 2_000; index++) {
  journal.write(`${JSON.stringify({ index, filler: name.repeat(1 + ((index * 37) % 1_500)) })}\n`)
  if (index % 20 === 0) await journal.written()
}
await journal.close()
process.disconnect()

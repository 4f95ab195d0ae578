import { readFileSync } from 'node:fs'

/** One change of a configuration, and every line that an administrator then reads. */
export interface Mistake {
  readonly file: string
  readonly removed: string
  readonly written: string
  readonly lines: readonly string[]
}

/**
 * Reads a table of mistakes: `in FILE`, then what is removed (`- `) and written (`+ `), as in a patch, then the problems.
 * Without anything removed, the file is written anew.
 */
export function readMistakes(table: URL): Mistake[] {
  const stanzas = readFileSync(table, 'utf8').trimEnd().split('\n\n')
  return stanzas.map(stanza => {
    const [first = '', ...lines] = stanza.split('\n')
    const marked = (mark: string) => lines.filter(line => line.startsWith(mark)).map(line => line.slice(mark.length))
    const removed = marked('- ')
    const written = marked('+ ')
    return {
      file: first.replace(/^in /, ''),
      // A line that nothing replaces goes with its end; a part of a line has none.
      removed: isLine(removed[0]) && written.length === 0 ? `${removed.join('\n')}\n` : removed.join('\n'),
      written: written.join('\n'),
      lines: lines.filter(line => !/^[-+] /.test(line)),
    }
  })
}

// Files are indented by two spaces; what starts further right is a part of a line.
function isLine(text: string | undefined): boolean {
  return text?.startsWith('  ') === true
}

/** A cell of a CSV file, and where it begins; both counted from 1. */
export interface Cell {
  readonly text: string
  readonly line: number
  readonly column: number
}

/** A text that is no CSV, and where. */
export class CsvMistake extends Error {
  readonly line: number
  readonly column: number
  constructor(message: string, { line, column }: { readonly line: number; readonly column: number }) {
    super(message)
    this.line = line
    this.column = column
  }
}

/** The records of a CSV text (RFC 4180), without empty lines. Throws a `CsvMistake`. */
export function readCsv(text: string): ReadonlyArray<readonly Cell[]> {
  const reader = new CsvReader(text.replace(/^\u{feff}/u, ''))
  const records: Cell[][] = []
  while (!reader.atEnd) {
    const record = reader.record()
    if (record.length > 1 || record[0]?.text !== '') records.push(record)
  }
  return records
}

class CsvReader {
  readonly #text: string
  #at = 0
  #line = 1
  #lineStart = 0

  constructor(text: string) {
    this.#text = text
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length
  }

  record(): Cell[] {
    const cells = [this.#cell()]
    while (this.#text[this.#at] === ',') {
      this.#at++
      cells.push(this.#cell())
    }
    this.#endOfLine()
    return cells
  }

  #cell(): Cell {
    const place = this.#place
    return { text: this.#text[this.#at] === '"' ? this.#quoted() : this.#plain(), ...place }
  }

  #plain(): string {
    const start = this.#at
    while (!this.atEnd && !/[,\r\n]/.test(this.#text.charAt(this.#at))) {
      if (this.#text[this.#at] === '"') throw new CsvMistake('a quote stands within a cell; put the whole cell in quotes', this.#place)
      this.#at++
    }
    return this.#text.slice(start, this.#at)
  }

  #quoted(): string {
    const beginning = this.#place
    let text = ''
    for (this.#at++; ; this.#at++) {
      const character = this.#text[this.#at]
      if (character === undefined) throw new CsvMistake('the quote that begins here has no end', beginning)
      if (character === '\n') this.#newLine()
      if (character !== '"') text += character
      else if (this.#text[this.#at + 1] === '"') text += this.#text[this.#at++]
      else break
    }
    this.#at++
    if (!this.atEnd && !/[,\r\n]/.test(this.#text.charAt(this.#at)))
      throw new CsvMistake('expected a comma or the end of the line after the closing quote', this.#place)
    return text
  }

  #endOfLine(): void {
    if (this.#text[this.#at] === '\r') this.#at++
    if (this.atEnd) return
    if (this.#text[this.#at] !== '\n') throw new CsvMistake('a carriage return stands within a line', this.#place)
    this.#newLine()
    this.#at++
  }

  #newLine(): void {
    this.#line++
    this.#lineStart = this.#at + 1
  }

  get #place() {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 }
  }
}

/** What differs between the languages of the servers. Ends beyond the text mean that something does not end. */
export interface Dialect {
  /** What a value is bound to: `$1` or `?`. */
  parameter(index: number): string
  /** A name, quoted. */
  quoted(name: string): string
  /** That a column is exactly this value, of whatever type and collation it is; `parameter` makes one more parameter of the same value. */
  equals(column: string, caseSensitive: boolean, parameter: () => string): string
  readonly word: RegExp
  /** What a pattern comes after, in which characters of a value would stand for others. */
  readonly beforePattern: RegExp
  endOfComment(text: string, at: number): number | undefined
  endOfString(text: string, at: number): number | undefined
  endOfIdentifier(text: string, at: number): number | undefined
  /** What is written as a parameter of the server's own, which would be counted among those of the values. */
  readonly ownParameter: RegExp
}

/** The place after the next `mark`; beyond the text where there is none. */
export function after(mark: string, text: string, from: number): number {
  const at = text.indexOf(mark, from)
  return at < 0 ? text.length + 1 : at + mark.length
}

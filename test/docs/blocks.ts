/** A fenced block of a page, with what the comments beside it say. */
export interface Block {
  /** Where its fence opens. */
  readonly line: number
  /** Empty where the fence names none. */
  readonly language: string
  readonly text: string
  /**
   * The comment right before it. `file: PATH`: it is written there. `alternative: PATH`: the configuration would load with it.
   * `answer`: the JSON that the shell block before it prints. `record`: the line that the server wrote of it. `shown`: JSON, and no more than that.
   */
  readonly marker: { readonly kind: string; readonly value: string } | undefined
  /** What its output contains: the comments `expect: TEXT` right after it. */
  readonly expected: readonly string[]
}

const fence = /^ *```(\S*)/
const comment = /^ *<!-- (file|alternative|answer|record|shown|expect)(?:: (.*))? -->$/

/** All fenced blocks of a page, in order. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const opening = fence.exec(lines[at] ?? '')
    if (opening === null) continue
    const end = lines.findIndex((line, index) => index > at && /^ *```$/.test(line))
    if (end < 0) throw new Error(`the block of line ${at + 1} does not end`)
    blocks.push({
      line: at + 1,
      language: opening[1] ?? '',
      text: `${lines.slice(at + 1, end).join('\n')}\n`,
      marker: markerOf(lines[at - 1] ?? ''),
      expected: expectations(lines.slice(end + 1)),
    })
    at = end
  }
  return blocks
}

function markerOf(line: string): Block['marker'] {
  const [, kind, value = ''] = comment.exec(line) ?? []
  return kind === undefined || kind === 'expect' ? undefined : { kind, value }
}

function expectations(following: readonly string[]): string[] {
  const expected: string[] = []
  for (const line of following) {
    const [, kind, value] = comment.exec(line) ?? []
    if (kind !== 'expect' || value === undefined) break
    expected.push(value)
  }
  return expected
}

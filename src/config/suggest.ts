/** `; did you mean "email"?` when one of the known names is near, else nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const nearest = nearestName(word, known)
  return nearest === undefined ? '' : `; did you mean "${nearest}"?`
}

/** The known name that is fewest edits away, if it is near enough to be what was meant. */
export function nearestName(word: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let fewest = Math.floor(Math.max(word.length, 3) / 3) + 1
  for (const name of known) {
    const edits = editDistance(word.toLowerCase(), name.toLowerCase())
    if (edits < fewest) {
      fewest = edits
      nearest = name
    }
  }
  return nearest
}

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
export function editDistance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let edits = Math.min(
        (rows[row - 1]?.[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (rows[row - 1]?.[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        edits = Math.min(edits, (rows[row - 2]?.[column - 2] ?? 0) + 1)
      }
      current.push(edits)
    }
    rows.push(current)
  }
  return rows[from.length]?.[to.length] ?? 0
}

/** One line that says what is being done and how long it will take, since it takes minutes. Without a terminal, a line now and then. */
export class Progress {
  readonly #total: number
  #done = 0
  #shownAt = 0

  constructor(totalSeconds: number) {
    this.#total = totalSeconds
  }

  /** `seconds`: how long this step will take. */
  now(what: string, seconds: number): void {
    const left = Math.max(0, this.#total - this.#done)
    const line = `[${String(Math.round((100 * this.#done) / this.#total)).padStart(3)} %, ${timeText(left)} left] ${what}`
    this.#done += seconds
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 120) - 1)}`)
    else if (performance.now() - this.#shownAt > 15_000 || this.#shownAt === 0) {
      this.#shownAt = performance.now()
      process.stderr.write(`${line}\n`)
    }
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

function timeText(seconds: number): string {
  return seconds >= 90 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds)} s`
}

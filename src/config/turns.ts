import { setImmediate as othersTurn } from 'node:timers/promises'

const milliseconds = 10

/** Long work in pieces, so that a server which loads a configuration answers requests in between. */
export class Turns {
  #began = performance.now()

  /** Goes on at once, or after everybody else had a turn when ours has lasted long enough. */
  async next(): Promise<void> {
    if (performance.now() - this.#began < milliseconds) return
    await othersTurn()
    this.#began = performance.now()
  }
}

import { type FSWatcher, watch } from 'node:fs'

/**
 * Hears of changes at once where the system tells of them. It does not on network file systems, and it forgets a folder that is
 * replaced, so this is a hint to look, and its absence means nothing.
 */
export class Hints {
  readonly #hint: () => void
  #watchers: FSWatcher[] = []

  constructor(hint: () => void) {
    this.#hint = hint
  }

  /** From now on these folders. */
  watch(folders: Iterable<string>): void {
    this.close()
    for (const folder of folders) this.#open(folder)
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #open(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, this.#hint)
      watcher.on('error', () => watcher.close())
      this.#watchers.push(watcher)
    } catch {
      // It is not there, or the system watches no more folders.
    }
  }
}

import { type FSWatcher, watch } from 'node:fs'

/** Where a change may matter: folders, and in them the files with these names. */
export interface Places {
  readonly folders: ReadonlySet<string>
  readonly files: ReadonlySet<string>
}

/**
 * Hears of changes at once where the system tells of them. It does not on network file systems, and it forgets a folder that is
 * replaced, so this is a hint to look, and its absence means nothing.
 */
export class Hints {
  readonly #hint: () => void
  #files: ReadonlySet<string> = new Set()
  #watchers: FSWatcher[] = []

  constructor(hint: () => void) {
    this.#hint = hint
  }

  /** From now on these. */
  watch({ folders, files }: Places): void {
    this.close()
    this.#files = files
    for (const folder of folders) this.#open(folder)
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  // Somebody may keep the log of this server here, which grows with each request. What comes, goes or is renamed may be a folder.
  #hear(event: string, name: string | null): void {
    if (event === 'rename' || name === null || name.endsWith('.json') || this.#files.has(name)) this.#hint()
  }

  #open(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => this.#hear(event, name))
      watcher.on('error', () => watcher.close())
      this.#watchers.push(watcher)
    } catch {
      // It is not there, or the system watches no more folders.
    }
  }
}

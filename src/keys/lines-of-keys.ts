import type { SigningKeyLine } from '../plugin.ts'
import type { DecryptionKey } from './decryption-key.ts'
import type { ConfiguredKey } from './key-file.ts'

/** What is wrong with how keys follow each other, at the key file that shows it. */
export interface KeyLineProblem {
  readonly id: string
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The line of each key, by the id of any of its keys. */
export interface LinesOfKeys {
  readonly signing: ReadonlyMap<string, SigningKeyLine>
  /** Every key of a line decrypts: senders may still use an old one, or already the next. */
  readonly decryption: ReadonlyMap<string, readonly DecryptionKey[]>
  readonly problems: readonly KeyLineProblem[]
}

/**
 * Joins keys that replace each other into lines, so that whoever names one of them signs with the active one and a rotation
 * touches key files only. All keys of a line are published.
 */
export function linesOfKeys(keys: readonly ConfiguredKey[]): LinesOfKeys {
  const problems = [...sameKeyTwice(keys), ...wrongSuccessions(keys)]
  const broken = new Set(problems.map(({ id }) => id))
  const lines: ConfiguredKey[][] = []
  for (const line of chains(keys)) {
    // One that is broken is told of once; the others stay as they are.
    const problem = line.some(({ id }) => broken.has(id)) ? undefined : notOneActive(line)
    if (problem !== undefined) problems.push(problem)
    else if (!line.some(({ id }) => broken.has(id))) lines.push(line)
  }
  const signing = new Map<string, SigningKeyLine>()
  const decryption = new Map<string, readonly DecryptionKey[]>()
  for (const line of lines) {
    const active = line.find(key => key.status === 'active')
    const published = line.flatMap(key => key.signing ?? [])
    const upcoming = line.filter(key => key.status === 'next').flatMap(key => key.signing ?? [])
    for (const { id } of line) {
      if (active?.signing !== undefined) signing.set(id, { active: active.signing, published, upcoming })
      else if (active?.decryption !== undefined)
        decryption.set(
          id,
          line.flatMap(key => key.decryption ?? []),
        )
    }
  }
  return { signing, decryption, problems }
}

/** Chains from the newest key to the oldest. One that leads into a circle ends where the circle closes. */
function chains(keys: readonly ConfiguredKey[]): ConfiguredKey[][] {
  const byId = new Map(keys.map(key => [key.id, key]))
  const replaced = new Set(keys.map(key => key.replaces))
  return keys
    .filter(key => !replaced.has(key.id))
    .map(newest => {
      const chain: ConfiguredKey[] = []
      for (let key: ConfiguredKey | undefined = newest; key !== undefined && !chain.includes(key); key = byId.get(key.replaces ?? ''))
        chain.push(key)
      return chain
    })
}

function wrongSuccessions(keys: readonly ConfiguredKey[]): KeyLineProblem[] {
  const byId = new Map(keys.map(key => [key.id, key]))
  const path = ['replaces']
  return keys.flatMap(key => {
    if (key.replaces === undefined) return []
    const rival = keys.find(other => other !== key && other.id !== other.replaces && other.replaces === key.replaces)
    const predecessor = byId.get(key.replaces)
    if (key.replaces === key.id) return [{ id: key.id, path, message: 'a key cannot replace itself' }]
    if (rival !== undefined) return [{ id: key.id, path, message: `"${rival.id}" replaces "${key.replaces}" too` }]
    if (goesInACircle(key, byId)) return [{ id: key.id, path, message: 'the keys replace each other in a circle' }]
    if (predecessor !== undefined && (predecessor.signing === undefined) !== (key.signing === undefined)) {
      return [{ id: key.id, path, message: `one of this key and "${key.replaces}" signs, the other one decrypts` }]
    }
    return []
  })
}

function goesInACircle(start: ConfiguredKey, byId: ReadonlyMap<string, ConfiguredKey>): boolean {
  const passed = new Set<string>()
  for (let key = byId.get(start.replaces ?? ''); key !== undefined && !passed.has(key.id); key = byId.get(key.replaces ?? '')) {
    if (key === start) return true
    passed.add(key.id)
  }
  return false
}

function notOneActive(line: readonly ConfiguredKey[]): KeyLineProblem | undefined {
  const [newest] = line
  const active = line.filter(key => key.status === 'active')
  if (newest === undefined || active.length === 1) return undefined
  const path = ['status']
  if (active.length === 0) return { id: newest.id, path, message: `no key is active among ${names(line)}` }
  return { id: newest.id, path, message: `only one key of a line may be active, but ${names(active)} are` }
}

// Two files with one private key would publish one kid twice.
function sameKeyTwice(keys: readonly ConfiguredKey[]): KeyLineProblem[] {
  return keys.flatMap((key, index) => {
    const twin = keys.slice(0, index).find(other => other.kid === key.kid)
    return twin === undefined ? [] : [{ id: key.id, path: ['privateKey'], message: `is the same key as that of "${twin.id}"` }]
  })
}

function names(keys: readonly ConfiguredKey[]): string {
  return keys.map(key => `"${key.id}"`).join(', ')
}

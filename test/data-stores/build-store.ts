import pino from 'pino'
import { SchemaCompiler } from '../../src/config/json-schema.ts'
import type { Path } from '../../src/config/problems.ts'
import type { ExternalText } from '../../src/config/values.ts'
import type { DataStore } from '../../src/data-stores/data-store.ts'
import type { DataStoreKind } from '../../src/data-stores/store-kind.ts'
import type { JsonObject } from '../../src/json.ts'
import { Kept, type KeptDraft } from '../../src/kept.ts'
import { guardedFetch } from '../../src/keys/guarded-fetch.ts'
import type { Parts, Probe } from '../../src/plugin.ts'

/** A store as the loader has built it, and what was said about its file. */
export interface BuiltStore {
  readonly store: DataStore | undefined
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly probes: readonly Probe[]
  readonly kept: KeptDraft
}

/** Builds a store of any kind from its file as the loader does. `texts` are what its references mean. */
export async function buildStore(kind: DataStoreKind, file: object, texts: Readonly<Record<string, string>> = {}): Promise<BuiltStore> {
  const problems: string[] = []
  const warnings: string[] = []
  const probes: Probe[] = []
  const kept = new Kept().draft()
  const at = (path: Path) => path.map(String).join('.')
  const schemas = new SchemaCompiler()
  const parts = {
    id: 'hr',
    outside: { now: () => Date.now() / 1000, log: pino({ level: 'silent' }), fetch: guardedFetch() },
    kept,
    text: ({ name }: ExternalText) => texts[name] ?? '',
    jsonSchema: (schema: JsonObject) => schemas.compile(schema),
    problem: (path: Path, message: string) => problems.push(`${at(path)}: ${message}`),
    warn: (code: string, path: Path) => warnings.push(`${code} ${at(path)}`),
    probe: (probe: Probe) => probes.push(probe),
  } as unknown as Parts
  const parsed = kind.schema.safeParse({ type: kind.type, ...file })
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(issue => `${at(issue.path)}: ${issue.message}`))
    return { store: undefined, problems, warnings, probes, kept }
  }
  return { store: await parsed.data.build(parts), problems, warnings, probes, kept }
}

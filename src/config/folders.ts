import { memberName, type Path } from './problems.ts'

/** Where each kind of file lives. The folder is the kind, the file name is the id. */
export const folders = {
  keys: 'keys',
  'data-stores': 'policies/data-stores',
  'access-token-managers': 'policies/access-token-managers',
  'token-generators': 'policies/token-generators',
  'generator-groups': 'policies/generator-groups',
  'token-processors': 'policies/token-processors',
  'processor-policies': 'policies/processor-policies',
  'idp-connections': 'policies/idp-connections',
  clients: 'clients',
} as const

/** Where policy tests live. They are no part of what the server does: it neither reads them nor counts them in its version. */
export const testsFolder = 'policies/tests'

/** A kind of file that others can name. */
export type FolderKind = keyof typeof folders

/** The editor schema of each kind of file, by its name in `schemas/`. */
export const schemaNames: Readonly<Record<FolderKind | 'server' | 'tests', string>> = {
  server: 'server.schema.json',
  keys: 'key.schema.json',
  'data-stores': 'data-store.schema.json',
  'access-token-managers': 'access-token-manager.schema.json',
  'token-generators': 'token-generator.schema.json',
  'generator-groups': 'generator-group.schema.json',
  'token-processors': 'token-processor.schema.json',
  'processor-policies': 'processor-policy.schema.json',
  'idp-connections': 'idp-connection.schema.json',
  clients: 'client.schema.json',
  tests: 'policy-test.schema.json',
}

/** All kinds, in the order in which they are built: each uses only earlier ones. */
export const folderKinds = Object.keys(folders) as FolderKind[]

/** The path of a file, relative to the configuration folder. */
export function fileOf(kind: FolderKind, id: string): string {
  return `${folders[kind]}/${id}.json`
}

/** How refusals and explanations name a setting: `clients/orders.json tokenExchange.enabled`. */
export function settingOf(kind: FolderKind, id: string, ...path: Path): string {
  return path.length === 0 ? fileOf(kind, id) : `${fileOf(kind, id)} ${memberName(path)}`
}

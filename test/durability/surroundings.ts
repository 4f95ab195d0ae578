import { type Files, type Issuers, secretOf, usualFiles, writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { makeIssuer } from '../support/issuer.ts'
import { type ServerProcess, startProcess } from '../support/server-process.ts'

/** A server on a folder and port of its own, which can be started again after whatever happened to it. */
export interface Surroundings {
  readonly issuer: string
  readonly issuers: Issuers
  /** Starts it. The process that was started last is ended by `remove`. */
  start(): Promise<ServerProcess>
  remove(): Promise<void>
}

/** Writes the files: the usual ones, and a client `careful` whose subject tokens can be exchanged only once. */
export async function surround(store: object, workers: number): Promise<Surroundings> {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const issuers = { people: await makeIssuer('https://people.example', issuer), agents: await makeIssuer('https://agents.example', issuer) }
  const files = await usualFiles(issuers)
  const server = { ...(files['server.json'] as object), issuer, listen: { host: '127.0.0.1', port }, store, workers }
  const { folder, remove } = await writeFiles({ ...files, 'server.json': server, ...careful(files) })
  let started: ServerProcess | undefined
  return {
    ...{ issuer, issuers },
    async start() {
      started = await startProcess(folder, { workers })
      return started
    },
    async remove() {
      await started?.kill()
      await remove()
    },
  }
}

function careful(files: Files): Files {
  const people = files['policies/token-processors/people.json'] as object
  const policy = files['policies/processor-policies/people.json'] as { processors: object[] }
  const [mapping] = policy.processors
  return {
    'policies/token-processors/once.json': { ...people, once: true },
    'policies/processor-policies/once.json': { ...policy, processors: [{ ...mapping, subjectTokenProcessor: 'once' }] },
    'clients/careful.json': {
      authentication: { method: 'client_secret_basic', secrets: [{ file: 'secrets/careful' }] },
      tokenExchange: { enabled: true, processorPolicy: 'once' },
    },
    'secrets/careful': secretOf('careful'),
  }
}

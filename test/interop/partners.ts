import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import { type Files, secretOf, usualFiles, writeFiles } from '../support/configuration.ts'
import { freePort } from '../support/free-port.ts'
import { type Issuer, makeIssuer } from '../support/issuer.ts'
import { type ServerProcess, startProcess } from '../support/server-process.ts'

/** A server process that libraries talk to, at the very address that is its issuer, and everybody they need. */
export interface Partners {
  readonly issuer: string
  readonly server: ServerProcess
  readonly people: Issuer
  readonly agents: Issuer
  /** The key of the client `signer`. */
  readonly signerKey: CryptoKey
  stop(): Promise<void>
}

/** RFC 8693 §3. */
export const types = {
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
} as const

/** RFC 8693 §2.1. */
export const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** A client whose id and secret change when they are form-encoded, or read as if they were. */
export const awkward = { id: 'my-client_1.x', secret: 'pl+us:colon per%20cent&amp=~*(42)!-and-more' } as const

/** A client whose secret has a colon and nothing else that is special. */
export const colon = { id: 'colon', secret: 'before:after:0123456789abcdefghijklmnopqrstuvwxyz' } as const

/** Starts the server with clients of every method. */
export async function startPartners(more: (files: Files, issuer: string) => Files = files => files): Promise<Partners> {
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const people = await makeIssuer('https://people.example', issuer)
  const agents = await makeIssuer('https://agents.example', issuer)
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const files = await usualFiles({ people, agents })
  const server = { ...(files['server.json'] as object), issuer, listen: { host: '127.0.0.1', port } }
  const signer = { method: 'private_key_jwt', jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }] } }
  const { folder, remove } = await writeFiles(more({ ...files, 'server.json': server, ...clients(signer), ...springPolicy(files) }, issuer))
  const started = await startProcess(folder)
  return {
    ...{ issuer, server: started, people, agents, signerKey: privateKey },
    async stop() {
      await started.stop()
      await remove()
    },
  }
}

function clients(signer: object): Files {
  const gateway = {
    tokenExchange: { enabled: true },
    introspection: { enabled: true },
    scopes: ['orders.read', 'orders.write'],
  }
  const secret = (method: string, name: string) => ({ method, secrets: [{ file: `secrets/${name}` }] })
  return {
    'clients/poster.json': { ...gateway, authentication: secret('client_secret_post', 'poster') },
    'clients/signer.json': { ...gateway, authentication: signer },
    [`clients/${awkward.id}.json`]: { ...gateway, authentication: secret('client_secret_basic', 'awkward') },
    'clients/spring.json': {
      authentication: secret('client_secret_basic', 'spring'),
      tokenExchange: { enabled: true, processorPolicy: 'spring', default: { accessTokenManager: 'opaque' } },
      audiences: ['https://api.example.com'],
      scopes: ['orders.read'],
    },
    'clients/colon.json': { ...gateway, authentication: secret('client_secret_basic', 'colon') },
    'secrets/colon': colon.secret,
    ...{ 'secrets/poster': secretOf('poster'), 'secrets/spring': secretOf('spring'), 'secrets/awkward': awkward.secret },
  }
}

// Spring Security calls an access token of ours a JWT, because it is one.
function springPolicy(files: Files): Files {
  const people = files['policies/processor-policies/people.json'] as { contract: object; issues: object[] }
  const attributes = { subject: 'subject.sub', email: 'subject.email', groups: 'subject.groups' }
  const processor = { subjectTokenType: types.jwt, subjectTokenProcessor: 'own', attributes }
  return { 'policies/processor-policies/spring.json': { ...people, actorToken: 'refused', processors: [processor] } }
}

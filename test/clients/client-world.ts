import { randomBytes } from 'node:crypto'
import type { Client, ClientAuthentication, ClientSecret, PresentedCredentials, SecretMethod } from '../../src/clients/client.ts'
import { ClientAuthenticator } from '../../src/clients/client-authenticator.ts'
import { hashSecret } from '../../src/clients/secrets.ts'
import { Kept } from '../../src/kept.ts'
import { OAuthError, Outage } from '../../src/oauth/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

/** This server's issuer in the tests of client authentication. */
export const issuer = 'https://sts.example.com'

/** When the clock of a `world` starts. */
export const startOfTime = 1_800_000_000

/** A client of which only the authentication matters. */
export function client(id: string, authentication: ClientAuthentication): Client {
  return {
    id,
    enabled: true,
    authentication,
    tokenExchange: {
      enabled: true,
      policy: undefined,
      accessTokenManagers: undefined,
      generatorGroups: undefined,
      default: {},
      binding: 'optional',
    },
    introspection: { enabled: false, signedOnly: false, recipient: undefined },
    wsTrust: { enabled: false, connections: new Set() },
    audiences: [],
    scopes: [],
    properties: {},
  }
}

/** A client that authenticates by one of the secrets. */
export function secretClient(id: string, secrets: ClientSecret[], method: SecretMethod = 'client_secret_basic'): Client {
  return client(id, { method, secrets })
}

/** A scrypt hash that takes no time. */
export function cheapHash(secret: string) {
  return hashSecret(secret, randomBytes, { N: 2, r: 1, p: 1 })
}

/** An authenticator with a clock that can be moved and a store that can be stopped; `calls` are the keys that the store was asked for. */
export function world(...clients: Client[]) {
  const clock = { now: startOfTime }
  const now = () => clock.now
  const network = { down: false }
  const calls: string[] = []
  const memory = memoryStore(now)
  const store = new Proxy(memory, {
    get:
      (target, name) =>
      async (key: string, ...rest: unknown[]) => {
        calls.push(`${String(name)} ${key}`)
        if (network.down) throw new Outage('the store is down')
        return (target[name as keyof Store] as (...parts: unknown[]) => Promise<unknown>).call(target, key, ...rest)
      },
  })
  const outside = { store, now, random: randomBytes }
  const authenticator = new ClientAuthenticator({
    clients: new Map(clients.map(one => [one.id, one])),
    issuer,
    outside,
    kept: new Kept().draft(),
  })
  return { authenticator, clock, network, calls, outcome: outcomeOf(authenticator) }
}

/** The id of the client, or the reason of the refusal, or `Outage`. */
function outcomeOf(authenticator: ClientAuthenticator) {
  return async (presented: PresentedCredentials, address = '192.0.2.1'): Promise<string> => {
    try {
      return (await authenticator.authenticate(presented, address)).id
    } catch (error) {
      if (error instanceof OAuthError) return error.reason
      if (error instanceof Outage) return 'Outage'
      throw error
    }
  }
}

/** One pair, or several readings of it, as HTTP Basic. */
export function basic(...pairs: string[]): PresentedCredentials {
  return { method: 'client_secret_basic', candidates: pairs.map(candidate) }
}

/** A pair in the body. */
export function post(pair: string): PresentedCredentials {
  return { method: 'client_secret_post', candidates: [candidate(pair)] }
}

function candidate(pair: string) {
  const [clientId = '', secret = ''] = pair.split(' ')
  return { clientId, secret }
}

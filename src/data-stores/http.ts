import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { addressProblem } from '../keys/addresses.ts'
import { Outage } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { StoreClient } from './data-store.ts'
import { HttpClient } from './http/client.ts'
import { basicAuthorization, ClientCredentials, type Credentials, fixedCredentials } from './http/credentials.ts'
import { type ForwardProxy, ProxyAgent } from './http/proxy-agent.ts'
import { Service } from './http/service.ts'
import { type HttpLookup, type HttpSettings, httpLookupShape, httpShape } from './http/settings.ts'
import { dataStoreKind } from './store-kind.ts'
import { readTlsFiles, type TlsChoices } from './tls-files.ts'

/** A service that answers with JSON. */
export const http = dataStoreKind('http', httpShape, httpLookupShape, (settings, parts, sameness): StoreClient<HttpLookup> => {
  checkAddresses(settings, parts)
  const { url, allowPrivateNetwork, headers, maxBytes, attributes } = settings
  const tls = readTlsFiles(settings, parts)
  const proxy = settings.proxy && proxyIn(settings.proxy, parts)
  const { agent } = parts.kept.of(['http', sameness], () => new OpenConnections(agentFor(settings, tls, proxy)))
  const credentials = credentialsIn(settings, agent, parts, sameness)
  const service = new Service({ url, allowPrivateNetwork, headers, maxBytes, credentials, agent, fetch: parts.outside.fetch })
  parts.probe({ path: ['url'], what: url, run: () => tryOut(service, settings.probe) })
  return new HttpClient(attributes, service)
})

/** The connections to a service, which outlive a reload. */
class OpenConnections {
  readonly agent: PlainAgent
  constructor(agent: PlainAgent) {
    this.agent = agent
  }

  close(): void {
    this.agent.destroy()
  }
}

function checkAddresses(settings: HttpSettings, parts: Parts): void {
  const { url, allowPrivateNetwork, authentication, proxy } = settings
  const report = (path: readonly string[], problem: string | undefined) => problem !== undefined && parts.problem(path, problem)
  report(['url'], addressProblem(url, allowPrivateNetwork))
  if (url.includes('?')) parts.problem(['url'], 'has a query; lookups have "parameters"')
  if (authentication?.method === 'client-credentials')
    report(['authentication', 'tokenEndpoint'], addressProblem(authentication.tokenEndpoint, allowPrivateNetwork))
  if (url.startsWith('https:')) return
  if (proxy !== undefined) parts.problem(['proxy'], 'is for https addresses')
  for (const member of ['ca', 'certificate', 'privateKey'] as const)
    if (settings[member] !== undefined) parts.problem([member], 'is for https addresses')
}

function agentFor({ url, connections }: HttpSettings, tls: TlsChoices, proxy: ForwardProxy | undefined): PlainAgent {
  const options = { keepAlive: true, maxSockets: connections, maxFreeSockets: connections }
  if (!url.startsWith('https:')) return new PlainAgent(options)
  return proxy === undefined ? new TlsAgent({ ...options, ...tls }) : new ProxyAgent(proxy, { ...options, ...tls })
}

function proxyIn({ url, username, password }: NonNullable<HttpSettings['proxy']>, parts: Parts): ForwardProxy {
  if ((username === undefined) !== (password === undefined))
    parts.problem(['proxy', username === undefined ? 'password' : 'username'], '"username" and "password" belong together')
  const secret = password && secretIn(password, parts)
  const authorization = username === undefined || secret === undefined ? undefined : basicAuthorization(username, secret)
  return { url, authorization, connectMilliseconds: 5_000 }
}

function credentialsIn(
  { url, authentication, allowPrivateNetwork }: HttpSettings,
  agent: PlainAgent,
  parts: Parts,
  sameness: string,
): Credentials {
  switch (authentication?.method) {
    case undefined:
      return fixedCredentials({})
    case 'basic':
      return fixedCredentials({ authorization: basicAuthorization(authentication.username, secretIn(authentication.password, parts)) })
    case 'bearer':
      return fixedCredentials({ authorization: `Bearer ${headerSecret(authentication.token, ['authentication', 'token'], parts)}` })
    case 'header':
      return fixedCredentials({ [authentication.name]: headerSecret(authentication.value, ['authentication', 'value'], parts) })
    case 'client-credentials': {
      const { tokenEndpoint, clientId, scope, resource } = authentication
      const clientSecret = secretIn(authentication.clientSecret, parts)
      // Mostly beside the service, behind the same proxy and of the same authority.
      const request = { allowPrivateNetwork, ...(new URL(tokenEndpoint).protocol === new URL(url).protocol ? { agent } : {}) }
      const source = { tokenEndpoint, clientId, clientSecret, scope, resource, request }
      const { fetch, now } = parts.outside
      return parts.kept.of(['http', 'token', sameness], () => new ClientCredentials(source, fetch, now))
    }
  }
}

// As an editor leaves a file.
function secretIn(secret: Parameters<Parts['text']>[0], parts: Parts): string {
  return parts.text(secret).replace(/\r?\n$/, '')
}

function headerSecret(secret: Parameters<Parts['text']>[0], path: readonly string[], parts: Parts): string {
  const text = secretIn(secret, parts)
  if (!/^[\x21-\x7e]+$/.test(text)) parts.problem(path, 'has characters that cannot stand in a header, or is empty')
  return text
}

async function tryOut(service: Service, probe: string | undefined): Promise<string> {
  const question = { method: 'GET', path: probe ?? '/', body: undefined, maxMilliseconds: 5_000 } as const
  const { status } = await service.status(question).catch(error => {
    throw error instanceof Outage && error.cause instanceof Error ? error.cause : error
  })
  if (probe !== undefined && status !== 200) throw new Error(`${probe} answered ${status}`)
  if (status === 401 || status === 403)
    throw new Error(`it answers ${status}: it does not take what it is shown, or wants to be asked at a "probe" path`)
  if (status >= 500) throw new Error(`it answers ${status}`)
  return `it answers ${status}`
}

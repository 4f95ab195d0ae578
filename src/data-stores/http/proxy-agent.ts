import { once } from 'node:events'
import { request as plainRequest } from 'node:http'
import { Agent, type AgentOptions, request as tlsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'

/** A proxy that connects to others, and what it wants to see. */
export interface ForwardProxy {
  readonly url: string
  readonly authorization: string | undefined
  readonly connectMilliseconds: number
}

/** What the agent says of a connection: the service's name, and the TLS that it wants. */
type Inside = ConnectionOptions & { readonly host: string; readonly port: number }

type CreateConnection = NonNullable<Agent['createConnection']>

/** Connections through a proxy (RFC 9110 §9.3.6), each with TLS to the service inside, so that the proxy sees its name and nothing else. */
export class ProxyAgent extends Agent {
  readonly #proxy: ForwardProxy

  constructor(proxy: ForwardProxy, options: AgentOptions) {
    super(options)
    this.#proxy = proxy
  }

  override createConnection(...[options, callback]: Parameters<CreateConnection>): undefined {
    this.#connect(options as Inside).then(
      socket => callback?.(null, socket),
      // Nobody looks at the socket where there is an error.
      error => callback?.(error, undefined as never),
    )
  }

  async #connect(inside: Inside): Promise<Duplex> {
    const { host, port } = inside
    const socket = connect({ ...inside, socket: await this.#open(`${host.includes(':') ? `[${host}]` : host}:${port}`) })
    const { connectMilliseconds } = this.#proxy
    socket.setTimeout(connectMilliseconds, () => socket.destroy(new Error('the service does not begin with TLS')))
    await once(socket, 'secureConnect')
    return socket.setTimeout(0)
  }

  #open(target: string): Promise<Socket> {
    const { url, authorization, connectMilliseconds } = this.#proxy
    const send = url.startsWith('https:') ? tlsRequest : plainRequest
    const headers = { host: target, ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }) }
    return new Promise((resolve, reject) => {
      const request = send(url, { method: 'CONNECT', path: target, headers, agent: false, timeout: connectMilliseconds })
      request.once('timeout', () => request.destroy(new Error('the proxy does not answer')))
      request.once('error', error => reject(new Error(`the proxy: ${error.message}`)))
      request.once('connect', ({ statusCode }, socket, head) => {
        // Whatever comes before TLS begins was not said by the service.
        if (statusCode === 200 && head.length === 0) return resolve(socket.setTimeout(0))
        socket.destroy()
        reject(new Error(`the proxy answered ${statusCode}`))
      })
      request.end()
    })
  }
}

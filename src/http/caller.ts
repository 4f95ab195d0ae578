import type { IncomingMessage } from 'node:http'
import { BlockList } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Certificate, certificateFrom } from '../certificates/certificate.ts'
import type { ClientCertificate, Trust } from '../certificates/client-certificate.ts'
import type { PresentedChain } from '../certificates/trust-anchors.ts'
import { OAuthError } from '../oauth/errors.ts'
import { familyOf, type ProxySettings } from '../tls/proxy-settings.ts'
import { readCertificateHeader } from './certificate-header.ts'
import { peerAddress } from './client-address.ts'
import { forwardedAddress } from './forwarded.ts'

/** Who calls, as far as the network tells. */
export interface Caller {
  readonly address: string
  readonly certificate: ClientCertificate | undefined
  /** Headers about the caller that somebody has sent whose word is not believed. */
  readonly notBelieved: readonly string[]
  /** What is wrong with a header of a proxy whose word is believed. */
  readonly mistake: string | undefined
}

/** What callers are known by. */
export interface CallerRules {
  readonly proxies: ProxySettings | undefined
  /** Whether clients are asked for certificates by this server, and whom to trust then. */
  readonly byTls: { readonly trust: Trust } | undefined
  readonly byProxy: { readonly trust: Trust } | undefined
  /** Hears of each header that is not believed. */
  readonly onNotBelieved?: ((header: string) => void) | undefined
}

const addressHeaders = ['x-forwarded-for', 'forwarded'] as const
const certificateHeaders = ['client-cert', 'client-cert-chain', 'x-forwarded-client-cert', 'x-ssl-client-cert']
const mostKept = 1_000
const mostAuthorities = 8

/**
 * Finds out who calls. What headers say of that is believed from the configured proxies only, and of their headers only those that are
 * configured: any other one may have come through them from the client. Whatever is not believed is taken away and named (RFC 9700 §4.13).
 */
export class Callers {
  readonly #rules: CallerRules
  readonly #proxies: BlockList
  readonly #believed: readonly string[]
  readonly #known: readonly string[]
  readonly #ofConnections = new WeakMap<object, ClientCertificate | 'none' | 'unreadable'>()
  /** By the text of their headers: a proxy sends the same for each request of a client. */
  readonly #ofHeaders = new Map<string, ClientCertificate>()

  constructor(rules: CallerRules) {
    const { proxies } = rules
    const header = proxies?.clientCertificate?.header.toLowerCase()
    this.#rules = rules
    this.#proxies = blocksOf(proxies?.addresses ?? [])
    this.#believed = [
      ...(proxies === undefined ? [] : [proxies.clientAddress.toLowerCase()]),
      ...(header === undefined ? [] : header === 'client-cert' ? [header, 'client-cert-chain'] : [header]),
    ]
    this.#known = [...new Set([...addressHeaders, ...certificateHeaders, ...this.#believed])]
  }

  of(request: IncomingMessage): Caller {
    const peer = peerAddress(request)
    const { proxies } = this.#rules
    const isProxy = proxies !== undefined && this.#isProxy(peer)
    const notBelieved = this.#takeAway(request, isProxy)
    if (!isProxy) return { address: peer, notBelieved, ...this.#ofConnection(request) }
    const value = request.headers[proxies.clientAddress.toLowerCase()]
    const address = value === undefined ? peer : forwardedAddress(proxies.clientAddress, String(value), each => this.#isProxy(each))
    const ofHeader = this.#ofHeader(request, proxies)
    if (address !== undefined) return { address, notBelieved, ...ofHeader }
    return {
      address: peer,
      notBelieved,
      certificate: undefined,
      mistake: `a proxy says in ${proxies.clientAddress} no address of its caller`,
    }
  }

  /** A certificate as if it had come where clients present theirs: to this server itself, else to its proxies. Undefined where nobody asks for one. */
  presenting(chain: PresentedChain): ClientCertificate | undefined {
    const way = this.#rules.byTls ?? this.#rules.byProxy
    return way && { ...chain, trust: way.trust }
  }

  #isProxy(address: string): boolean {
    const family = familyOf(address)
    return family !== undefined && this.#proxies.check(address, family)
  }

  #takeAway({ headers }: IncomingMessage, isProxy: boolean): readonly string[] {
    const found = this.#known.filter(name => headers[name] !== undefined && !(isProxy && this.#believed.includes(name)))
    for (const name of found) {
      delete headers[name]
      this.#rules.onNotBelieved?.(name)
    }
    return found
  }

  /** The one that the handshake has proved. That of a proxy is its own, and nobody else's. */
  #ofConnection({ socket }: IncomingMessage): Pick<Caller, 'certificate' | 'mistake'> {
    const { byTls } = this.#rules
    if (byTls === undefined) return { certificate: undefined, mistake: undefined }
    const known = this.#ofConnections.get(socket) ?? presentedBy(socket as TLSSocket, byTls.trust)
    this.#ofConnections.set(socket, known)
    if (known === 'unreadable') return { certificate: undefined, mistake: 'the client certificate cannot be read' }
    return { certificate: known === 'none' ? undefined : known, mistake: undefined }
  }

  #ofHeader({ headers }: IncomingMessage, { clientCertificate }: ProxySettings): Pick<Caller, 'certificate' | 'mistake'> {
    const name = clientCertificate?.header.toLowerCase() ?? ''
    const value = headers[name]
    // Some proxies send the header of a client without a certificate too, with nothing in it.
    if (clientCertificate === undefined || value === undefined || value === '') return { certificate: undefined, mistake: undefined }
    const chain = name === 'client-cert' ? headers['client-cert-chain'] : undefined
    const certificate = this.#readHeaders(name, String(value), chain === undefined ? undefined : String(chain))
    const mistake = `a proxy does not hand on exactly one certificate in ${clientCertificate.header}, in the form of that header`
    return { certificate, mistake: certificate === undefined ? mistake : undefined }
  }

  #readHeaders(name: string, value: string, chain: string | undefined): ClientCertificate | undefined {
    const key = JSON.stringify([value, chain])
    const kept = this.#ofHeaders.get(key)
    if (kept !== undefined) return kept
    const read = readCertificateHeader(name, { certificate: value, chain })
    if (read === undefined) return undefined
    const [oldest] = this.#ofHeaders.keys()
    if (this.#ofHeaders.size >= mostKept && oldest !== undefined) this.#ofHeaders.delete(oldest)
    const certificate = { ...read, trust: this.#rules.byProxy?.trust }
    this.#ofHeaders.set(key, certificate)
    return certificate
  }
}

/** Refuses a request whose proxy says nothing that could be understood: it would count as that of the proxy itself. */
export function requireUnderstandable({ mistake }: Caller): void {
  if (mistake !== undefined) throw new OAuthError('malformed-request', mistake, { setting: 'server.json listen.proxies' })
}

function blocksOf(networks: readonly string[]): BlockList {
  const blocks = new BlockList()
  for (const network of networks) {
    const [address = '', length] = network.split('/')
    const family = familyOf(address) ?? 'ipv4'
    blocks.addSubnet(address, Number(length ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return blocks
}

function presentedBy(socket: TLSSocket, trust: Trust): ClientCertificate | 'none' | 'unreadable' {
  const x509 = socket.getPeerX509Certificate?.()
  if (x509 === undefined) return 'none'
  const leaf = certificateFrom(x509)
  if (leaf === undefined) return 'unreadable'
  const others: Certificate[] = []
  for (let above = x509.issuerCertificate; above !== undefined && others.length < mostAuthorities; above = above.issuerCertificate) {
    const other = certificateFrom(above)
    if (other === undefined || [leaf, ...others].some(({ thumbprint }) => thumbprint === other.thumbprint)) break
    others.push(other)
  }
  return { leaf, others, trust }
}

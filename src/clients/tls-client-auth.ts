import { type ClientCertificate, distrust } from '../certificates/client-certificate.ts'
import { isValid } from '../certificates/trust-anchors.ts'
import type { Instant } from '../outside.ts'
import type { RegisteredAuthentication } from './certificate-authentication.ts'
import type { Client, PresentedCredentials } from './client.ts'
import { notAuthenticated } from './not-authenticated.ts'

/** The certificate of the one who asks, with the client that it says to be; in SOAP nobody says it. */
export type PresentedCertificate = Extract<PresentedCredentials, { method: 'certificate' }>

/** Clients that are known by certificates. Nothing is counted: there is nothing to guess. */
export class CertificateAuthenticator {
  readonly #clients: ReadonlyMap<string, Client>
  readonly #now: () => Instant

  constructor(clients: ReadonlyMap<string, Client>, now: () => Instant) {
    this.#clients = clients
    this.#now = now
  }

  /** The client. Throws `OAuthError`; an `Outage` where its certificates cannot be had. */
  async authenticate({ clientId, certificate }: PresentedCertificate): Promise<Client> {
    if (clientId === undefined) return await this.#onlyOneThatFits(certificate)
    const client = this.#clients.get(clientId)
    const problem = client === undefined ? 'no client has this id' : await this.#problemOf(client, certificate)
    if (client === undefined || problem !== undefined) throw notAuthenticated(problem ?? '')
    return client
  }

  /** Whether a WS-Trust caller is known by this certificate. */
  async knows(certificate: ClientCertificate): Promise<boolean> {
    return (await this.#fitting(certificate)).length > 0
  }

  async #onlyOneThatFits(certificate: ClientCertificate): Promise<Client> {
    const [client, second] = await this.#fitting(certificate)
    if (client === undefined) throw notAuthenticated('no client that may use WS-Trust has this certificate')
    if (second !== undefined) throw notAuthenticated('several clients that may use WS-Trust have this certificate')
    return client
  }

  async #fitting(certificate: ClientCertificate): Promise<readonly Client[]> {
    const callers = [...this.#clients.values()].filter(client => client.wsTrust.enabled && usesCertificates(client))
    const judged = await Promise.allSettled(callers.map(client => this.#problemOf(client, certificate)))
    const fitting = callers.filter((_, index) => judged[index]?.status === 'fulfilled' && judged[index].value === undefined)
    // One client whose certificates cannot be fetched must not lock out the others.
    const failed = judged.find(each => each.status === 'rejected')
    if (fitting.length === 0 && failed !== undefined) throw failed.reason
    // Whoever publishes the certificate of another client must not keep that one from being known.
    const certain = fitting.filter(({ authentication }) => !('certificates' in authentication && authentication.certificates.claimed))
    return certain.length > 0 ? certain : fitting
  }

  async #problemOf({ authentication }: Client, certificate: ClientCertificate): Promise<string | undefined> {
    if (authentication.method === 'tls_client_auth')
      return authentication.identity(certificate.leaf) ?? distrust(certificate, authentication.anchors ?? certificate.trust, this.#now())
    if (authentication.method === 'self_signed_tls_client_auth') return await this.#problemOfRegistered(authentication, certificate)
    return 'the client uses another method than certificates'
  }

  // Nobody vouches for it but the client itself: its chain says nothing, its dates do.
  async #problemOfRegistered({ certificates }: RegisteredAuthentication, { leaf }: ClientCertificate): Promise<string | undefined> {
    if (!isValid(leaf, this.#now())) return 'the certificate has expired, or is not valid yet'
    if (leaf.defect !== undefined) return leaf.defect
    return (await certificates.has(leaf)) ? undefined : 'the certificate is none of those that the client has registered'
  }
}

/** Whether a client is known by certificates. */
export function usesCertificates({ authentication: { method } }: Client): boolean {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}

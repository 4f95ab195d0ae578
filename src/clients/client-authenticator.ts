import type { ClientCertificate } from '../certificates/client-certificate.ts'
import type { Keeping } from '../kept.ts'
import type { Outside } from '../outside.ts'
import type { Client, PresentedCredentials } from './client.ts'
import { clientSecrets, SecretAuthenticator } from './client-secret.ts'
import { notAuthenticated } from './not-authenticated.ts'
import { AssertionAuthenticator } from './private-key-jwt.ts'
import { CertificateAuthenticator } from './tls-client-auth.ts'

/** What client authentication needs. */
export interface ClientAuthenticatorParts {
  readonly clients: ReadonlyMap<string, Client>
  /** This server's issuer identifier: the audience of clients' assertions. */
  readonly issuer: string
  readonly outside: Pick<Outside, 'store' | 'now' | 'random'>
  readonly kept: Keeping
}

/** Finds out which client presents credentials (RFC 6749 §2.3). It remembers what was proved, so there is one for all requests. */
export class ClientAuthenticator {
  readonly #secrets: SecretAuthenticator<Client>
  readonly #assertions: AssertionAuthenticator
  readonly #certificates: CertificateAuthenticator

  constructor({ clients, issuer, outside, kept }: ClientAuthenticatorParts) {
    this.#secrets = new SecretAuthenticator(clientSecrets(clients), outside, kept)
    this.#assertions = new AssertionAuthenticator(clients, issuer, outside)
    this.#certificates = new CertificateAuthenticator(clients, outside.now)
  }

  /**
   * The client, by the one method that its file names; whether it is enabled is not asked here. Throws `OAuthError`
   * (`client-not-authenticated`, `too-many-attempts`, `authentication-busy`), or an `Outage`. `address` is where the request came from.
   */
  authenticate(presented: PresentedCredentials, address: string): Promise<Client> {
    switch (presented.method) {
      case 'client_secret_basic':
      case 'client_secret_post':
      case 'username_token':
        return this.#secrets.authenticate(presented, address)
      case 'private_key_jwt':
        return this.#assertions.authenticate(presented)
      case 'certificate':
        return this.#certificates.authenticate(presented)
      case 'none':
        return Promise.reject(notAuthenticated(presented.because))
    }
  }

  /** Whether a caller of WS-Trust is known by this certificate, so that it needs no other credentials. */
  knows(certificate: ClientCertificate): Promise<boolean> {
    return this.#certificates.knows(certificate)
  }
}

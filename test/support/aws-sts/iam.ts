/** A SAML provider of an account (AW-8, AW-18): what was uploaded as its metadata. */
export interface SamlProvider {
  readonly arn: string
  readonly metadata: string
  /** The key for encrypted assertions (AW-17), as PEM. */
  readonly decryptionKey?: string
}

/** An OpenID Connect provider of an account (AW-19, AW-21). */
export interface OidcProvider {
  readonly arn: string
  readonly issuer: string
  readonly clientIds: readonly string[]
}

/** A role with its trust policy (AW-14), reduced to what that says about federation. */
export interface Role {
  readonly arn: string
  readonly id: string
  readonly principals: readonly string[]
  readonly actions: readonly string[]
  readonly maxSessionDuration: number
}

/** What the service knows. */
export interface Iam {
  readonly samlProviders: readonly SamlProvider[]
  readonly oidcProviders: readonly OidcProvider[]
  readonly roles: readonly Role[]
}

/** What a federated sign-in comes to, before anything is issued. */
export interface Federated {
  readonly sessionName: string
  readonly sourceIdentity: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
  /** Elements of the answer that differ by action. */
  readonly answer: Readonly<Record<string, string>>
  /** Seconds that the session lasts at most, where the proof says so. */
  readonly longest?: number
}

import type { JwtIssuerPublication, TokenGenerator } from '../generators/token-generator.ts'
import { contentEncryptionAlgorithms, keyManagementAlgorithms } from '../keys/decryption-key.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import { tokenExchangeGrant } from '../oauth/token-types.ts'
import type { ProcessorPolicy } from '../policies/processor-policy.ts'
import type { Target } from '../policies/target.ts'
import { samlEntities, samlMetadata } from '../saml/metadata-out.ts'

/** Everything that the public documents tell of a configuration. */
export interface Published {
  readonly issuer: string
  readonly scopes: readonly string[]
  readonly policies: Iterable<ProcessorPolicy>
  readonly targets: readonly Target[]
  readonly generators: readonly TokenGenerator[]
  readonly keys: readonly SigningKey[]
  /** Who signs answers of introspection. */
  readonly introspectionSigner: SigningKey | undefined
  /** The algorithms of DPoP proofs. */
  readonly dpopAlgorithms: readonly string[]
  /** Where clients with certificates call; undefined where none are taken, the address undefined where it is no other one. */
  readonly certificates: { readonly address: string | undefined } | undefined
}

/** The public documents as JSON text: they change with the configuration only. */
export interface Documents {
  readonly jwks: string
  readonly authorizationServer: string
  readonly openidConfiguration: string
  /** Of each `jwt` generator, by its id. */
  readonly issuers: ReadonlyMap<string, JwtIssuerPublication>
  /** The EntityDescriptor of each SAML issuer, by its entity id. */
  readonly samlMetadata: ReadonlyMap<string, string>
}

/** Writes the documents of `GET /jwks` (RFC 7517 §5) and of both metadata addresses (RFC 8414 §2, OpenID Connect Discovery §3). */
export function documentsOf(published: Published): Documents {
  const metadata = metadataOf(published)
  const forOpenId = {
    ...metadata,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: signatureAlgorithmsOf(published.keys),
  }
  return {
    jwks: JSON.stringify({ keys: published.keys.map(key => key.publicJwk) }),
    authorizationServer: JSON.stringify(metadata),
    openidConfiguration: JSON.stringify(forOpenId),
    issuers: jwtIssuers(published.generators),
    samlMetadata: metadataOfEntities(published),
  }
}

/** The address of an endpoint below the issuer. */
export function endpoint(issuer: string, name: string): string {
  return `${issuer.replace(/\/$/, '')}/${name}`
}

function metadataOf({ issuer, scopes, policies, targets, introspectionSigner, certificates, dpopAlgorithms }: Published) {
  const methods = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...(certificates === undefined ? [] : certificateMethods),
  ]
  return {
    issuer,
    token_endpoint: endpoint(issuer, 'token'),
    ...forEndpoint('token', methods),
    introspection_endpoint: endpoint(issuer, 'introspect'),
    ...forEndpoint('introspection', methods),
    ...(introspectionSigner !== undefined && forSignedIntrospection(introspectionSigner)),
    revocation_endpoint: endpoint(issuer, 'revoke'),
    ...forEndpoint('revocation', methods),
    jwks_uri: endpoint(issuer, 'jwks'),
    ...(certificates !== undefined && forCertificates(certificates)),
    grant_types_supported: [tokenExchangeGrant],
    // There is no authorization endpoint; strict readers want the member all the same (RFC 8414 §2).
    response_types_supported: ['none'],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    ...unlessEmpty('scopes_supported', scopes),
    ...unlessEmpty('token_exchange_subject_token_types_supported', subjectTokenTypes(policies)),
    ...unlessEmpty('token_exchange_requested_token_types_supported', [...new Set(targets.flatMap(target => target.tokenTypes))]),
  }
}

// RFC 8414 §3.2: a list without elements is left out.
function unlessEmpty(name: string, list: readonly string[]) {
  return list.length > 0 ? { [name]: list } : {}
}

const certificateMethods = ['tls_client_auth', 'self_signed_tls_client_auth']

/** RFC 8705 §3.3 and §5: clients with certificates may have to call another address, where they are asked for them. */
function forCertificates({ address }: NonNullable<Published['certificates']>) {
  const aliases = address && {
    token_endpoint: endpoint(address, 'token'),
    introspection_endpoint: endpoint(address, 'introspect'),
    revocation_endpoint: endpoint(address, 'revoke'),
  }
  return { tls_client_certificate_bound_access_tokens: true, ...(aliases && { mtls_endpoint_aliases: aliases }) }
}

function forEndpoint(name: string, methods: readonly string[]) {
  return {
    [`${name}_endpoint_auth_methods_supported`]: methods,
    [`${name}_endpoint_auth_signing_alg_values_supported`]: signatureAlgorithms,
  }
}

// RFC 9701 §7.
function forSignedIntrospection({ algorithm }: SigningKey) {
  return {
    introspection_signing_alg_values_supported: [algorithm],
    introspection_encryption_alg_values_supported: keyManagementAlgorithms,
    introspection_encryption_enc_values_supported: contentEncryptionAlgorithms,
  }
}

function subjectTokenTypes(policies: Iterable<ProcessorPolicy>): string[] {
  return [...new Set([...policies].flatMap(policy => policy.mappings.map(mapping => mapping.subjectTokenType)))].sort()
}

function jwtIssuers(generators: readonly TokenGenerator[]): Map<string, JwtIssuerPublication> {
  return new Map(generators.flatMap(({ id, publication }) => (publication?.as === 'jwt-issuer' ? [[id, publication] as const] : [])))
}

function metadataOfEntities({ generators, issuer }: Published): Map<string, string> {
  const entities = samlEntities(generators.flatMap(({ publication }) => (publication?.as === 'saml-entity' ? [publication.entity] : [])))
  return new Map([...entities].map(([id, entity]) => [id, samlMetadata(entity, endpoint(issuer, 'token'))]))
}

function signatureAlgorithmsOf(keys: readonly SigningKey[]): string[] {
  const used = [...new Set(keys.map(key => key.algorithm))]
  return used.length > 0 ? used : ['ES256']
}

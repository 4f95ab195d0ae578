/** Token type identifiers of RFC 8693 §3, and ours for AWS. They are compared as exact strings; any other URI may be configured too. */
export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  refreshToken: 'urn:ietf:params:oauth:token-type:refresh_token',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  saml1: 'urn:ietf:params:oauth:token-type:saml1',
  saml2: 'urn:ietf:params:oauth:token-type:saml2',
  /** A signed request of AWS, in the format of Google's clients. */
  awsSignedRequest: 'urn:ietf:params:aws:token-type:aws4_request',
  /** The presigned address of such a request. */
  awsPresignedUrl: 'urn:cambist:params:oauth:token-type:aws-presigned-url',
  /** What `AssumeRoleWithSAML` of AWS takes: standard base64 of a Response. */
  awsSamlResponse: 'urn:cambist:params:oauth:token-type:aws-saml-response',
  /** Temporary credentials of AWS, as JSON. */
  awsCredentials: 'urn:cambist:params:oauth:token-type:aws-credentials',
} as const

/** Those whose tokens are no SAML assertions. */
export const typesWithoutSaml: readonly string[] = [tokenTypes.accessToken, tokenTypes.refreshToken, tokenTypes.idToken, tokenTypes.jwt]

/** The grant of RFC 8693 §2.1. */
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** RFC 7523 §2.2: the type of a client's JWT assertion. */
export const jwtBearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Names as the standards write them; the tests do not take them from the code that they test. */

/** RFC 8693 §3. */
export const types = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  refreshToken: 'urn:ietf:params:oauth:token-type:refresh_token',
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  saml1: 'urn:ietf:params:oauth:token-type:saml1',
  saml2: 'urn:ietf:params:oauth:token-type:saml2',
} as const

/** RFC 8693 §2.1. */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** RFC 7523 §2.2. */
export const jwtBearerAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The characters of `error_description` (RFC 6749 §5.2). */
export const descriptionCharacters = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

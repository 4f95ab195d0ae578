import { hours, type Preset, textList, texts } from './preset.ts'

/** A token of an Okta authorization server; a custom one, or the organization's for ID tokens. */
export const okta: Preset = {
  issuerForm: /^https:\/\/[a-z0-9-]+(\.[a-z0-9-]+)+(\/oauth2\/[A-Za-z0-9]+)?$/,
  issuerHint: 'the issuer of the authorization server, such as "https://acme.okta.com/oauth2/default", without a slash at its end',
  algorithms: ['RS256'],
  types: ['jwt', 'at+jwt'],
  requiredClaims: ['aud', 'iat', 'jti', 'ver'],
  maxLifetime: 24 * hours,
  scopeClaim: 'scp',
  claims: {
    type: 'object',
    required: ['ver'],
    properties: {
      ...texts('cid', 'uid', 'name', 'email', 'preferred_username', 'idp', 'nonce'),
      ver: { type: 'integer' },
      scp: textList,
      groups: textList,
      email_verified: { type: 'boolean' },
    },
  },
}

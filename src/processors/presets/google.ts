import { hours, type Preset, texts } from './preset.ts'

/** An ID token of Google: of a person (Sign in with Google) or of a service account. */
export const google: Preset = {
  issuer: 'https://accounts.google.com',
  issuerForm: /^https:\/\/accounts\.google\.com$/,
  issuerHint: '"https://accounts.google.com"',
  open: true,
  algorithms: ['RS256'],
  types: ['jwt'],
  requiredClaims: ['aud', 'iat', 'azp'],
  maxLifetime: hours,
  claims: {
    type: 'object',
    required: ['azp'],
    properties: {
      ...texts('azp', 'email', 'hd', 'name', 'given_name', 'family_name', 'picture', 'locale', 'nonce', 'at_hash'),
      email_verified: { type: 'boolean' },
      google: { type: 'object' },
    },
  },
}

import { hours, type Preset, texts } from './preset.ts'

const named = { type: 'object', required: ['name'], properties: texts('name', 'uid') }

/** A bound service account token of a cluster (TokenRequest). The legacy ones, which never expire, have another issuer and no `exp`. */
export const kubernetes: Preset = {
  issuerForm: /^https:\/\/[A-Za-z0-9.:[\]-]+(\/[A-Za-z0-9._~-]+)*\/?$/,
  issuerHint: 'the issuer of the cluster (its --service-account-issuer), an https address',
  algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
  types: ['jwt'],
  requiredClaims: ['iat', 'nbf', 'kubernetes.io'],
  maxLifetime: 24 * hours,
  claims: {
    type: 'object',
    required: ['sub', 'kubernetes.io'],
    properties: {
      sub: { type: 'string', pattern: '^system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+$' },
      'kubernetes.io': {
        type: 'object',
        required: ['namespace', 'serviceaccount'],
        properties: {
          namespace: { type: 'string' },
          serviceaccount: named,
          pod: named,
          node: named,
          secret: named,
          warnafter: { type: 'number' },
        },
      },
    },
  },
}

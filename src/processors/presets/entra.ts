import { hours, type Preset, textList, texts } from './preset.ts'

const tenant = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const clouds =
  'login\\.microsoftonline\\.com|login\\.microsoftonline\\.us|login\\.partner\\.microsoftonline\\.cn|[a-z0-9-]+\\.ciamlogin\\.com'

/** A token of Microsoft Entra ID, version 1 or 2. The issuer names one tenant; the keys are shared by all, so that only `iss` tells them apart. */
export const entra: Preset = {
  issuerForm: new RegExp(`^https://((${clouds})/${tenant}/v2\\.0|sts\\.(windows\\.net|chinacloudapi\\.cn)/${tenant}/)$`),
  issuerHint:
    'the issuer of one tenant, "https://login.microsoftonline.com/TENANT/v2.0" (version 2) or "https://sts.windows.net/TENANT/" (version 1)',
  algorithms: ['RS256'],
  types: ['jwt'],
  requiredClaims: ['aud', 'iat', 'nbf', 'tid', 'ver'],
  // Continuous access evaluation stretches access tokens to 28 hours.
  maxLifetime: 29 * hours,
  scopeClaim: 'scp',
  claims: {
    type: 'object',
    required: ['tid', 'ver'],
    properties: {
      ...texts(
        'tid',
        'oid',
        'ver',
        'azp',
        'appid',
        'azpacr',
        'appidacr',
        'idp',
        'idtyp',
        'scp',
        'upn',
        'unique_name',
        'preferred_username',
      ),
      ...texts('name', 'given_name', 'family_name', 'email', 'sid', 'ipaddr'),
      roles: textList,
      groups: textList,
      wids: textList,
    },
  },
}

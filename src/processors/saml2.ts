import { tokenTypes } from '../oauth/token-types.ts'
import { pluginKind } from '../plugin.ts'
import { readAssertion } from '../saml/assertion.ts'
import { saml2Version } from '../saml/versions.ts'
import type { TokenProcessor } from './processor.ts'
import { buildSamlProcessor } from './saml-processor.ts'
import { samlSettings } from './saml-settings.ts'

/** A signed assertion of SAML 2.0 (SAML Core, RFC 8693 §3, RFC 7522 §3). */
export const saml2 = pluginKind(
  'saml2',
  samlSettings,
  (settings, parts): TokenProcessor =>
    buildSamlProcessor(settings, parts, { version: saml2Version, tokenType: tokenTypes.saml2, read: readAssertion }),
)

import { z } from 'zod'
import { tokenTypes } from '../oauth/token-types.ts'
import { pluginKind } from '../plugin.ts'
import { readAssertion11 } from '../saml/assertion11.ts'
import { saml11Version } from '../saml/versions.ts'
import type { TokenProcessor } from './processor.ts'
import { buildSamlProcessor } from './saml-processor.ts'
import { samlSettings } from './saml-settings.ts'

const shape = {
  ...samlSettings,
  attributeNames: z
    .enum(['name', 'namespace/name'])
    .default('name')
    .meta({ description: 'How attributes are called: by AttributeName, or with AttributeNamespace and a slash before it' }),
}

/** A signed assertion of SAML 1.1 (SAML 1.1 Core, RFC 8693 §3). */
export const saml11 = pluginKind(
  'saml11',
  shape,
  (settings, parts): TokenProcessor =>
    buildSamlProcessor(settings, parts, {
      version: saml11Version,
      tokenType: tokenTypes.saml1,
      read: (assertion, rules) => readAssertion11(assertion, { ...rules, attributeNames: settings.attributeNames }),
    }),
)

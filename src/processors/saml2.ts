import { z } from 'zod'
import { partitionNames } from '../aws/partitions.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Parts, pluginKind } from '../plugin.ts'
import { readAssertion } from '../saml/assertion.ts'
import { saml2Version } from '../saml/versions.ts'
import { awsFederation } from './presets/aws-federation.ts'
import type { SamlPreset } from './presets/saml-preset.ts'
import type { TokenProcessor } from './processor.ts'
import { buildSamlProcessor } from './saml-processor.ts'
import { samlSettings } from './saml-settings.ts'

const shape = {
  ...samlSettings,
  preset: z
    .enum(['aws-federation'])
    .optional()
    .meta({ description: 'For whom the assertions were made; pins what is known of them, and the rest of the file can only tighten it' }),
  partition: z
    .enum(partitionNames)
    .optional()
    .meta({ description: 'With the preset "aws-federation": the part of AWS that the assertions are for (default "aws")' }),
}
type Saml2Settings = z.output<z.ZodObject<typeof shape>>

/** A signed assertion of SAML 2.0 (SAML Core, RFC 8693 §3, RFC 7522 §3). */
export const saml2 = pluginKind(
  'saml2',
  shape,
  (settings, parts): TokenProcessor =>
    buildSamlProcessor(settings, parts, {
      ...{ version: saml2Version, tokenType: tokenTypes.saml2, read: readAssertion },
      preset: presetOf(settings, parts),
    }),
)

function presetOf({ preset, partition }: Saml2Settings, parts: Parts): SamlPreset | undefined {
  if (preset !== undefined) return awsFederation(partition ?? 'aws')
  if (partition !== undefined) parts.problem(['partition'], 'has no meaning without "preset": "aws-federation"')
  return undefined
}

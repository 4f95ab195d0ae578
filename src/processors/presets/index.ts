import { awsWebIdentity } from './aws-web-identity.ts'
import { entra } from './entra.ts'
import { githubActions } from './github-actions.ts'
import { gitlab } from './gitlab.ts'
import { google } from './google.ts'
import { kubernetes } from './kubernetes.ts'
import { okta } from './okta.ts'
import { spiffe } from './spiffe.ts'

/** The presets of the `jwt` processor, by the name that a file uses. */
export const presets = {
  'github-actions': githubActions,
  gitlab,
  kubernetes,
  spiffe,
  'aws-web-identity': awsWebIdentity,
  google,
  entra,
  okta,
} as const

/** The name of a preset. */
export type PresetName = keyof typeof presets

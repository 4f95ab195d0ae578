import type { Path } from '../../config/problems.ts'
import type { Parts } from '../../plugin.ts'
import type { SamlSettings } from '../saml-settings.ts'
import type { SamlPreset } from './saml-preset.ts'

/** What holds for the assertions of a processor, be it that its file says so or not. */
export interface SamlRules {
  readonly audiences: readonly string[] | undefined
  readonly recipients: readonly string[]
  readonly acceptResponse: boolean
  readonly lenientBase64: boolean
  readonly maxSize: number
  readonly maxAge: number | undefined
}

/** Without a preset and without a word in the file. */
const usualSize = 64 * 1024

/** Joins a file with its preset. Whatever the file says more loosely than the preset is reported as a problem. */
export function tightenSaml(settings: SamlSettings, preset: SamlPreset | undefined, parts: Parts): SamlRules {
  const { audiences, maxAge } = settings
  if (preset !== undefined) reportLooser(settings, preset, parts)
  return {
    audiences: audiences ?? preset?.audiences,
    recipients: settings.recipients ?? preset?.recipients ?? [parts.issuer, `${parts.issuer.replace(/\/$/, '')}/token`],
    // How people hold an assertion loosens nothing: what is read of it is the same.
    acceptResponse: settings.acceptResponse ?? preset !== undefined,
    lenientBase64: settings.lenientBase64 ?? preset !== undefined,
    maxSize: settings.maxSize ?? preset?.maxSize ?? usualSize,
    maxAge: maxAge ?? preset?.maxAge,
  }
}

function reportLooser(
  { audiences, recipients, acceptInResponseTo, maxSize, maxAge }: SamlSettings,
  preset: SamlPreset,
  parts: Parts,
): void {
  const looser = (path: Path, message: string) =>
    parts.problem(path, `the preset "${preset.name}" ${message}; a file can only tighten that`)
  for (const [index, audience] of (audiences ?? []).entries()) {
    if (!preset.audiences.includes(audience)) looser(['audiences', index], `takes "${preset.audiences[0]}" and sign-in addresses only`)
  }
  for (const [index, recipient] of (recipients ?? []).entries()) {
    if (!preset.isRecipient(recipient)) looser(['recipients', index], `takes sign-in addresses only, such as "${preset.recipients[0]}"`)
  }
  if (acceptInResponseTo) looser(['acceptInResponseTo'], 'takes no answers to requests of somebody else')
  if (maxSize !== undefined && maxSize > preset.maxSize) looser(['maxSize'], `takes assertions of at most ${preset.maxSize} bytes`)
  if (maxAge !== undefined && maxAge > preset.maxAge) looser(['maxAge'], `takes assertions for "${preset.maxAge / 60}m" only`)
}

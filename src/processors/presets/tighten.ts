import type { Path } from '../../config/problems.ts'
import type { JsonObject } from '../../json.ts'
import type { SignatureAlgorithm } from '../../keys/signing-key.ts'
import type { Parts } from '../../plugin.ts'
import { type PresetName, presets } from './index.ts'
import type { Preset } from './preset.ts'

/** What a file says about its tokens, where it says anything. */
export interface TokenRules {
  readonly preset?: PresetName | undefined
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined
  /** As `Preset.types`. */
  readonly types?: readonly string[] | undefined
  readonly requiredClaims: readonly string[]
  readonly maxLifetime?: number | undefined
  readonly expiry: 'required' | 'optional'
  readonly claims?: JsonObject | undefined
}

/** What then holds for them. */
export interface TightenedRules {
  readonly preset: Preset | undefined
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly types: readonly string[]
  readonly requiredClaims: readonly string[]
  readonly maxLifetime: number | undefined
}

// Without a preset and without a word in the file: what is in common use and can be told from tokens of another purpose by its type.
const usual = { algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'], types: ['jwt', 'at+jwt'] } as const

/** Joins a file with its preset. Whatever the file says more loosely than the preset is reported as a problem. */
export function tighten(rules: TokenRules, parts: Parts): TightenedRules {
  const preset = rules.preset === undefined ? undefined : presets[rules.preset]
  const { requiredClaims, maxLifetime, algorithms = preset?.algorithms ?? usual.algorithms, types = preset?.types ?? usual.types } = rules
  if (preset === undefined) return { preset, algorithms, types, requiredClaims, maxLifetime }
  const looser = (path: Path, message: string) => parts.problem(path, `the preset "${rules.preset}" ${message}`)
  if (rules.expiry === 'optional') looser(['expiry'], 'takes no token without exp')
  if (maxLifetime !== undefined && maxLifetime > preset.maxLifetime) {
    looser(['maxLifetime'], `takes tokens of at most "${preset.maxLifetime / 3_600}h"; a file can only tighten that`)
  }
  reportOthers(algorithms, preset.algorithms, ['algorithms'], looser)
  reportOthers(types, preset.types, ['typ'], looser)
  return {
    preset,
    algorithms,
    types,
    requiredClaims: [...new Set([...preset.requiredClaims, ...requiredClaims])],
    maxLifetime: Math.min(maxLifetime ?? preset.maxLifetime, preset.maxLifetime),
  }
}

function reportOthers(
  named: readonly string[],
  pinned: readonly string[],
  path: Path,
  looser: (path: Path, message: string) => void,
): void {
  for (const [index, value] of named.entries()) {
    if (!pinned.includes(value))
      looser([...path, index], `takes ${pinned.map(each => `"${each}"`).join(', ')} only; a file can only tighten that`)
  }
}

/** Reports an issuer that does not look like those of the preset. */
export function checkIssuerForm(issuer: string, preset: Preset | undefined, path: Path, parts: Parts): void {
  if (preset !== undefined && !preset.issuerForm.test(issuer)) parts.problem(path, `the preset expects ${preset.issuerHint}`)
}

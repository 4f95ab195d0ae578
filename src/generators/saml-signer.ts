import type { SigningKey } from '../keys/signing-key.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { rsaSha1, signingAlgorithms, signingProblem, type XmlSigner, type XmlSigningAlgorithm, xmlSigner } from '../saml/sign.ts'
import type { SharedSamlSettings } from './saml-settings.ts'

/** What signs the assertions, and the keys by which they can be verified now and after the next change of keys. */
export function signerOf(settings: SharedSamlSettings, parts: Parts): { sign: XmlSigner; keys: readonly SigningKey[] } {
  const { active, upcoming } = parts.signingKey(settings.signingKey, ['signingKey'])
  const algorithm = settings.signatureAlgorithm ?? ownAlgorithm(active)
  const problem = signingProblem(algorithm, active)
  if (problem !== undefined)
    throw new SettingProblem([settings.signatureAlgorithm === undefined ? 'signingKey' : 'signatureAlgorithm'], problem)
  if (algorithm === rsaSha1) parts.warn('sha1-signature', ['signatureAlgorithm'], 'signs by SHA-1, for which collisions have been found')
  const keyInfo = settings.keyInfo ?? 'certificate'
  for (const key of keyInfo === 'certificate' ? [active, ...upcoming] : []) {
    if (key.certificate === undefined)
      throw new SettingProblem(
        [settings.keyInfo === undefined ? 'signingKey' : 'keyInfo'],
        `the key "${key.id}" has no certificate; give it one, or say "key" or "none"`,
      )
  }
  return { sign: xmlSigner(active, algorithm, keyInfo), keys: [active, ...upcoming] }
}

// Of a key that cannot sign XML this is no algorithm, and `signingProblem` says so.
function ownAlgorithm({ algorithm }: SigningKey): XmlSigningAlgorithm {
  return signingAlgorithms.find(name => name === algorithm) ?? 'RS256'
}

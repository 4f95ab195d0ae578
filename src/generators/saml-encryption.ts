import { z } from 'zod'
import { externalText, strict } from '../config/values.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { contentEncryptions, keyEncryptions, recipientProblem, xmlEncrypter } from '../saml/encrypt.ts'
import type { Xml } from '../saml/write.ts'
import { certificateFrom } from './saml-settings.ts'

/** For whom assertions of SAML 2.0 are encrypted, and how. */
export const encryptionSettings = strict({
  certificate: externalText.meta({ description: 'The certificate of the receiver (PEM), with an RSA key' }),
  keyEncryption: z.enum(keyEncryptions).default('RSA-OAEP').meta({ description: 'How the key is encrypted (default "RSA-OAEP")' }),
  contentEncryption: z
    .enum(contentEncryptions)
    .default('A256GCM')
    .meta({ description: 'How the assertion is encrypted (default "A256GCM")' }),
})
type EncryptionSettings = z.output<typeof encryptionSettings>

/** What encrypts a signed assertion: signed first, so that whoever decrypts finds one like any other (SAML Core §6.2). */
export function sealFor(encryption: EncryptionSettings | undefined, parts: Parts): (assertion: Xml) => Xml {
  if (encryption === undefined) return assertion => assertion
  const { keyEncryption, contentEncryption } = encryption
  const path = ['encryption', 'certificate']
  const certificate = certificateFrom(encryption.certificate, parts, path)
  const problem = recipientProblem(certificate)
  if (problem !== undefined) throw new SettingProblem(path, problem)
  return xmlEncrypter({ certificate, keyEncryption, contentEncryption }, parts.outside.random)
}

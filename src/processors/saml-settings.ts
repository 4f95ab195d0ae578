import { z } from 'zod'
import { distinct, reference } from '../config/values.ts'
import { signerSettings } from '../saml/issuer-signers.ts'
import { everyXmlSignatureAlgorithm } from '../saml/verification-key.ts'
import { foreignSettings, limitSettings } from './common-settings.ts'

const units: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 * 1024 }
const largest = units.MB ?? 0

const sizeHint = 'expected a size such as "64KB" or "1MB"'

/** A size such as `"64KB"`, parsed into bytes. */
const size = z
  .string(sizeHint)
  .regex(/^[1-9][0-9]{0,5}[KM]B$/, sizeHint)
  .transform(text => Number(text.slice(0, -2)) * (units[text.slice(-2)] ?? Number.NaN))
  .refine(bytes => bytes <= largest, 'must be at most "1MB"')

const { audiences, claims } = foreignSettings

/** The settings that the processors of SAML 2.0 and SAML 1.1 share. */
export const samlSettings = {
  ...limitSettings,
  audiences,
  claims: claims.meta({
    description: 'A JSON Schema that the attributes must meet; it also says which of them are single values, not lists',
  }),
  issuers: z.array(signerSettings).min(1).meta({ description: 'Whose assertions are taken, each with the keys of its own' }),
  recipients: distinct(z.string().min(1)).min(1).optional().meta({
    description: 'Recipients of which a bearer confirmation must name one (absent: the token endpoint or the issuer of this server)',
  }),
  acceptResponse: z.boolean().optional().meta({ description: 'Whether an assertion may come inside a Response (default: no)' }),
  acceptInResponseTo: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether assertions from single sign-on are taken, which answer a request of somebody else (InResponseTo)' }),
  algorithms: distinct(z.enum(everyXmlSignatureAlgorithm))
    .min(1)
    .default(everyXmlSignatureAlgorithm)
    .meta({ description: 'Accepted signature algorithms (default: RSA, RSA-PSS and ECDSA with SHA-256, SHA-384 and SHA-512)' }),
  decryptionKeys: distinct(reference('keys'))
    .min(1)
    .optional()
    .meta({ description: 'RSA keys that encrypted assertions, names and attributes are decrypted with' }),
  maxSize: size.optional().meta({ description: 'The largest token that is read at all, decoded (default "64KB")' }),
  lenientBase64: z.boolean().optional().meta({
    description: 'Whether line breaks in the base64 are dropped, and spaces taken for the plus signs that they were (default: no)',
  }),
}
/** What the file of a SAML processor says. */
export type SamlSettings = z.output<z.ZodObject<typeof samlSettings>>

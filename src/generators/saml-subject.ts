import type { X509Certificate } from 'node:crypto'
import type { JsonObject } from '../json.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import type { TokenBinding } from '../policies/target.ts'
import type { Confirmation, NameId } from '../saml/assertion-content.ts'
import { subjectName, subjectNameFormat } from './saml-attributes.ts'
import { type Holder, holderOf } from './saml-settings.ts'

/** The settings of the subject; those that SAML 1.1 does not have are left out there. */
export interface SubjectSettings {
  readonly format?: string | undefined
  readonly nameQualifier?: string | undefined
  readonly spNameQualifier?: string | undefined
  readonly confirmation: 'bearer' | 'sender-vouches' | 'holder-of-key'
  readonly holder?: Holder | undefined
}

const methods = { bearer: 'bearer', 'sender-vouches': 'senderVouches', 'holder-of-key': 'holderOfKey' } as const
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
const transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient'

/** How the subject of every assertion is named and confirmed. */
export function subjectOf(settings: SubjectSettings, parts: Parts) {
  const { format, nameQualifier, spNameQualifier, confirmation } = settings
  const holder = holderOf(settings, parts)
  if (format === transient)
    parts.warn(
      'transient-name',
      ['subject', 'format'],
      `receivers take a transient name for a new one each time; "${subjectName}" has to be that`,
    )
  return {
    binding: holder === 'requester' ? ({ rule: 'mtls', path: ['subject', 'holder'] } as const) : undefined,
    binds: (binding: TokenBinding) => isHeldBy(holder, binding),
    confirmationFor: (binding: TokenBinding): Pick<Confirmation, 'method' | 'holder'> => ({
      method: methods[confirmation],
      holder: holder === 'requester' ? binding.certificate : holder,
    }),
    formats: format === undefined ? [] : [format],
    nameOf(attributes: JsonObject): NameId {
      const named = attributes[subjectNameFormat]
      const name = { value: requireName(attributes), format: typeof named === 'string' ? named : format, nameQualifier, spNameQualifier }
      // SAML Core §8.3.7.
      if (name.format === persistent && name.value.length > 256)
        throw new OAuthError('contract-not-met', `a persistent name has at most 256 characters, and "${subjectName}" more`)
      return name
    },
  }
}

// SAML has no words for the key of a DPoP proof; and a certificate that stands in the file may be that of somebody else.
function isHeldBy(holder: X509Certificate | 'requester' | undefined, { confirmation, certificate }: TokenBinding): boolean {
  if (certificate === undefined || confirmation?.jkt !== undefined) return false
  return holder === 'requester' || holder?.raw.equals(certificate.raw) === true
}

// Many receivers drop white space around a name: ` admin` would become `admin` there.
function requireName({ [subjectName]: name }: JsonObject): string {
  if (typeof name !== 'string' || name === '' || name.trim() !== name)
    throw new OAuthError('contract-not-met', `"${subjectName}" is empty or has white space around it`)
  return name
}

import { z } from 'zod'
import { type AlternativeNames, type Certificate, octetsOf } from '../certificates/certificate.ts'
import { type DistinguishedName, NameMistake, parseName } from '../certificates/distinguished-name.ts'

/** How a certificate names a client (RFC 8705 §2.1.2): what is wrong with its names, or undefined where they are the client's. */
export type CertificateIdentity = (certificate: Certificate) => string | undefined

const name = z.string().min(1).optional()

/** The members of `tls_client_auth` that name the client; exactly one of them stands there. */
export const identityShape = {
  subjectDn: name
    .superRefine((text, context) => {
      const problem = text === undefined ? undefined : problemOfName(text)
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
    })
    .meta({ description: 'The subject of its certificate as RFC 4514 writes it, letter by letter: "CN=orders,O=Acme,C=CH"' }),
  sanDns: name
    .refine(text => text === undefined || /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(text), 'expected a host name, without wildcards')
    .meta({ description: 'A DNS name among the alternative names of its certificate' }),
  sanUri: name
    .refine(text => text === undefined || /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(text), 'expected an absolute URI')
    .meta({ description: 'A URI among them, such as "spiffe://acme.example/orders"; a certificate with a SPIFFE ID has no other URI' }),
  sanIp: name
    .refine(text => text === undefined || octetsOf(text) !== undefined, 'expected an IP address')
    .meta({ description: 'An IP address among them' }),
  sanEmail: name
    .refine(text => text === undefined || /^[^@\s]+@[^@\s]+$/.test(text), 'expected an e-mail address')
    .meta({ description: 'An e-mail address among them' }),
}
const shape = z.object(identityShape)
/** The members that name the client, parsed. */
export type IdentitySettings = z.output<typeof shape>

/** Whether exactly one of them is there: the refinement of the object that has `identityShape`. */
export function namesOneIdentity(settings: Partial<IdentitySettings>): boolean {
  return Object.keys(identityShape).filter(member => settings[member as keyof IdentitySettings] !== undefined).length === 1
}

/** The message for settings that do not. */
export const oneIdentityMessage = `expected exactly one of ${Object.keys(identityShape)
  .map(member => `"${member}"`)
  .join(', ')}`

/** What a certificate must name to be that of the client. */
export function identityOf({ subjectDn, sanDns, sanUri, sanIp, sanEmail }: IdentitySettings): CertificateIdentity {
  if (subjectDn !== undefined) return ofSubject(parseName(subjectDn))
  if (sanDns !== undefined) return among(names => names.dns.some(each => each.toLowerCase() === sanDns.toLowerCase()))
  if (sanUri !== undefined) return ofUri(sanUri)
  const octets = sanIp === undefined ? undefined : octetsOf(sanIp)
  if (octets !== undefined) return among(names => names.ip.some(each => each.equals(octets)))
  return among(names => names.email.some(each => sameMailbox(each, sanEmail ?? '')))
}

const another = 'the certificate names another client'

function among(fits: (names: AlternativeNames) => boolean): CertificateIdentity {
  return ({ names }) => (fits(names) ? undefined : another)
}

function ofSubject({ canonical }: DistinguishedName): CertificateIdentity {
  return ({ subject }) => (subject.canonical === canonical ? undefined : another)
}

// X509-SVID §2: with two URIs, two readers could each see a workload of its own.
function ofUri(uri: string): CertificateIdentity {
  const isAlone = /^spiffe:/i.test(uri)
  return ({ names }) => {
    if (!names.uri.includes(uri)) return another
    return isAlone && names.uri.length > 1 ? 'the certificate has more URIs than its SPIFFE ID' : undefined
  }
}

// RFC 5280 §7.5: the host without regard to case, what stands before it letter by letter.
function sameMailbox(one: string, other: string): boolean {
  const normal = (text: string) => text.replace(/@[^@]*$/, host => host.toLowerCase())
  return normal(one) === normal(other)
}

function problemOfName(text: string): string | undefined {
  try {
    parseName(text)
    return undefined
  } catch (error) {
    if (error instanceof NameMistake) return error.message
    throw error
  }
}

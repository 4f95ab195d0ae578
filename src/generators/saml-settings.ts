import { X509Certificate } from 'node:crypto'
import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { distinct, duration, type ExternalText, externalText, lifetime, reference } from '../config/values.ts'
import { warnOfDates } from '../keys/certificate-dates.ts'
import { type Parts, SettingProblem } from '../plugin.ts'
import { keyInfoForms, signingAlgorithms } from '../saml/sign.ts'
import { authnStatements } from './authentication.ts'

const nonEmpty = z.string().min(1)

/** Settings that the generators of both versions of SAML have. */
export const samlSettings = {
  issuer: nonEmpty.max(1024).meta({ description: 'The name of the issuer: the entity id that its metadata has' }),
  audience: z
    .union([nonEmpty, distinct(nonEmpty).min(1)])
    .meta({ description: 'The service that the assertions are for, or several of which each may take them' }),
  signingKey: reference('keys').meta({ description: 'The key that signs, or any key of its line of succession' }),
  signatureAlgorithm: z.enum(signingAlgorithms).optional().meta({ description: "How the key signs; absent: by the key's own algorithm" }),
  keyInfo: z
    .enum(keyInfoForms)
    .optional()
    .meta({ description: 'What the signature shows of the key (default "certificate")', default: 'certificate' }),
  notBefore: duration
    .default(30)
    .meta({ description: 'By how much NotBefore is earlier than the issue, for receivers with slow clocks (default "30s")' }),
  lifetime: lifetime.meta({ description: 'How long an assertion lives at most' }),
  outlivesSubject: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether an assertion may live longer than the subject token that it was exchanged from' }),
  oneTimeUse: z.boolean().default(false).meta({ description: 'Whether receivers may use an assertion only once and must not keep it' }),
  authnStatement: z.enum(authnStatements).default('when-known').meta({
    description:
      'Whether an authentication is stated: when the inbound token tells its instant (default), always (else the present is stated), or never',
  }),
}

/** The same, parsed. */
export type SharedSamlSettings = z.output<z.ZodObject<typeof samlSettings>>

const nameFormats = [
  ...['unspecified', 'emailAddress', 'X509SubjectName', 'WindowsDomainQualifiedName'].map(
    name => `urn:oasis:names:tc:SAML:1.1:nameid-format:${name}`,
  ),
  ...['persistent', 'transient', 'entity', 'kerberos'].map(name => `urn:oasis:names:tc:SAML:2.0:nameid-format:${name}`),
]

/** SAML Core §8.3. Half of the standard's own formats belong to the namespace of SAML 1.1, which is often got wrong. */
const nameFormat = nonEmpty
  .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, {
    error: `expected a URI such as "${nameFormats[1]}"`,
    abort: true,
  })
  .refine(text => !text.startsWith('urn:oasis:names:tc:SAML:') || nameFormats.includes(text), {
    error: issue => `SAML has no such format${didYouMean(String(issue.input), nameFormats)}`,
  })

/** Settings of the subject that both versions have. */
export const subjectSettings = {
  format: nameFormat.optional().meta({ description: 'The format of the name, a URI; absent: unspecified' }),
  nameQualifier: nonEmpty.optional().meta({ description: 'The domain in which the name is unique' }),
  confirmation: z
    .enum(['bearer', 'sender-vouches', 'holder-of-key'])
    .default('bearer')
    .meta({ description: 'How whoever presents an assertion shows that it may (default "bearer")' }),
  holder: z
    .union([z.literal('requester'), externalText], {
      error: issue => (typeof issue.input === 'string' ? 'expected "requester", { "env": "NAME" } or { "file": "path" }' : undefined),
    })
    .optional()
    .meta({
      description:
        'For "holder-of-key": the certificate (PEM) of who has to show its key, or "requester" for the one that the request proves',
    }),
}

/** Who has to show a key: a certificate, or whoever asks for the token. */
export type Holder = ExternalText | 'requester'

const keyInUse = { expired: '; its key is still used', notYetValid: '; its key is used' }

/** Reads a certificate that the settings name. */
export function certificateFrom(external: ExternalText, parts: Parts, path: Path): X509Certificate {
  const pem = parts.text(external)
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch {
    throw new SettingProblem(path, 'is not a certificate as PEM (-----BEGIN CERTIFICATE-----)')
  }
  warnOfDates(certificate, keyInUse, parts, path)
  return certificate
}

/** The holder's certificate for `holder-of-key`, which needs one and which alone uses one; `requester` for that of whoever asks. */
export function holderOf(
  subject: { readonly confirmation: string; readonly holder?: Holder | undefined },
  parts: Parts,
): X509Certificate | 'requester' | undefined {
  const needed = subject.confirmation === 'holder-of-key'
  if (needed !== (subject.holder !== undefined))
    throw new SettingProblem(
      ['subject', 'holder'],
      needed ? '"holder-of-key" needs the certificate of the holder' : 'is used by "holder-of-key" only',
    )
  if (subject.holder === undefined || subject.holder === 'requester') return subject.holder
  return certificateFrom(subject.holder, parts, ['subject', 'holder'])
}

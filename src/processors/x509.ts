import { z } from 'zod'
import type { ClientCertificate } from '../certificates/client-certificate.ts'
import { NameMistake, parseName } from '../certificates/distinguished-name.ts'
import { buildTrustAnchors, trustAnchorSettings } from '../certificates/trust-anchor-settings.ts'
import type { TrustAnchors } from '../certificates/trust-anchors.ts'
import type { JsonObject } from '../json.ts'
import { TokenRejected } from '../oauth/errors.ts'
import { pluginKind } from '../plugin.ts'
import { type AssumedToken, AssumptionMistake } from './assumed.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from './processor.ts'

const shape = {
  issuer: z.string().min(1).meta({ description: 'What the issuer of these certificates is called: "entityId" of the connection' }),
  trustAnchors: trustAnchorSettings,
  subject: z.enum(['subjectDn', 'sanDns', 'sanUri', 'sanIp', 'sanEmail']).default('subjectDn').meta({
    description: 'Which name of the certificate is the subject: its own (default), or its only alternative name of one kind',
  }),
}
type NamedBy = z.output<typeof shape.subject>

/** The certificate of the TLS connection (RFC 8705 §2): the subject is whoever it names. Only IdP connections may name it. */
export const x509 = pluginKind(
  'x509',
  shape,
  ({ issuer, trustAnchors, subject }, parts): TokenProcessor =>
    new CertificateProcessor(parts.id, issuer, subject, buildTrustAnchors(trustAnchors, parts, ['trustAnchors'])),
)

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const kinds = ['dns', 'uri', 'ip', 'email'] as const
const kindsByName = { sanDns: 'dns', sanUri: 'uri', sanIp: 'ip', sanEmail: 'email' } as const

class CertificateProcessor implements TokenProcessor {
  readonly id: string
  readonly limits = { clockSkew: 0, once: false }
  readonly form = 'x509'
  readonly issuers: readonly string[]
  // It was shown to us in the handshake, and to nobody else.
  readonly origin = 'presented'
  readonly audiences = undefined
  readonly attributes: JsonObject = {
    type: 'object',
    required: ['subjectDn', 'issuerDn', 'san', 'thumbprint'],
    properties: {
      subjectDn: text,
      issuerDn: text,
      san: { type: 'object', required: [...kinds], properties: Object.fromEntries(kinds.map(kind => [kind, texts])) },
      thumbprint: text,
    },
  }
  readonly #issuer: string
  readonly #namedBy: NamedBy
  readonly #anchors: TrustAnchors

  constructor(id: string, issuer: string, namedBy: NamedBy, anchors: TrustAnchors) {
    this.id = id
    this.issuers = [issuer]
    this.#issuer = issuer
    this.#namedBy = namedBy
    this.#anchors = anchors
  }

  async process(_token: string, { now, certificate }: ProcessorRequest): Promise<Proof> {
    if (certificate === undefined) throw new TokenRejected('the connection has no client certificate')
    const problem = this.#anchors.problemOf(certificate, now)
    if (problem !== undefined)
      throw new TokenRejected('the client certificate proves nothing here', { cause: problem, member: 'trustAnchors' })
    const attributes = attributesOf(certificate)
    const [subject, another] = this.#namesIn(attributes)
    // Without a name, everybody would be the same nobody; of two, the next reader might take the other one.
    if (subject === undefined || another !== undefined)
      throw new TokenRejected(
        `the client certificate has ${subject === undefined ? 'no' : 'more than one'} name that is its subject here`,
        {
          member: 'subject',
        },
      )
    return this.#prove(subject, attributes, certificate.leaf.notAfter)
  }

  assume({ says, now }: AssumedToken): Proof {
    const san = Object.fromEntries(kinds.map(kind => [kind, (says.san as JsonObject | undefined)?.[kind] ?? []]))
    const subjectDn = typeof says.subjectDn === 'string' ? nameIn(says.subjectDn) : ''
    const attributes = { issuerDn: this.#issuer, thumbprint: '', ...says, subjectDn, san }
    const [subject, another] = this.#namesIn(attributes)
    if (subject !== undefined && another === undefined) return this.#prove(subject, attributes, now + 3600)
    if (this.#namedBy === 'subjectDn') throw new AssumptionMistake(['subjectDn'], 'a certificate has a subject')
    const kind = kindsByName[this.#namedBy]
    throw new AssumptionMistake(['san'], `the subject is the certificate's only name of this kind: { "${kind}": ["…"] }`)
  }

  /** The names that could be the subject. */
  #namesIn({ subjectDn, san }: JsonObject): readonly string[] {
    const names = this.#namedBy === 'subjectDn' ? [subjectDn] : [(san as JsonObject)[kindsByName[this.#namedBy]] ?? []].flat()
    return names.filter(name => typeof name === 'string' && name !== '') as string[]
  }

  #prove(subject: string, attributes: JsonObject, expiresAt: number): Proof {
    return { issuer: this.#issuer, subject, audiences: [], expiresAt, attributes }
  }
}

function attributesOf({ leaf: { subject, issuer, names, thumbprint } }: ClientCertificate): JsonObject {
  const { dns, uri, ip, email } = names
  const san = { dns, uri, ip: ip.map(written), email }
  return { subjectDn: subject.toString(), issuerDn: issuer.toString(), san, thumbprint }
}

function written(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  return new URL(`http://[${octets.toString('hex').match(/.{4}/g)?.join(':') ?? ''}]`).hostname.slice(1, -1)
}

// As a certificate would have it, so that a test does not pass for a name that none is written like.
function nameIn(subjectDn: string): string {
  try {
    return parseName(subjectDn).toString()
  } catch (error) {
    if (error instanceof NameMistake) throw new AssumptionMistake(['subjectDn'], error.message)
    throw error
  }
}

import { z } from 'zod'
import { trustAnchorSettings } from '../certificates/trust-anchor-settings.ts'
import { externalText, strict } from '../config/values.ts'

const clientCertificates = strict({
  request: z
    .enum(['optional', 'required'])
    .default('optional')
    .meta({ description: '"required": a connection without a certificate of one of "trustAnchors" is refused, whoever it is' }),
  trustAnchors: trustAnchorSettings.optional(),
}).refine(({ request, trustAnchors: anchors }) => request === 'optional' || anchors !== undefined, {
  error: 'is missing: with "required", only certificates of these authorities are let in',
  path: ['trustAnchors'],
})

/** `listen.tls` of `server.json`: TLS in this server itself. */
export const tlsSettings = strict({
  certificate: externalText.meta({
    description: 'The certificate (PEM), and behind it those of the authorities between it and a root that clients have',
  }),
  privateKey: externalText.meta({ description: 'Its private key (PEM)' }),
  clientCertificates: clientCertificates
    .optional()
    .meta({ description: 'Whether clients are asked for certificates (RFC 8705); absent: they are not' }),
})

/** `listen.tls`, parsed. */
export type TlsSettings = z.output<typeof tlsSettings>

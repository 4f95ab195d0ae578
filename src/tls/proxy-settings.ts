import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { octetsOf } from '../certificates/certificate.ts'
import { trustAnchorSettings } from '../certificates/trust-anchor-settings.ts'
import { distinct, strict } from '../config/values.ts'

const network = z.string().superRefine((text, context) => {
  const problem = problemOfNetwork(text)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const certificateHeader = z
  .string()
  .regex(/^(?!(?:authorization|cookie|content-.*|dpop|host|te|transfer-encoding)$)[A-Za-z0-9-]+$/i, 'expected the name of a header')

/** `listen.proxies` of `server.json`: whose word about clients is believed. */
export const proxySettings = strict({
  addresses: distinct(network)
    .min(1)
    .meta({ description: 'The addresses of the proxies, and networks of them: "10.0.0.7", "10.0.0.0/24", "fd00::/64"' }),
  clientAddress: z
    .enum(['X-Forwarded-For', 'Forwarded'])
    .default('X-Forwarded-For')
    .meta({ description: 'The header in which they say who has called them; the other one is believed from nobody' }),
  clientCertificate: strict({
    header: certificateHeader.default('Client-Cert').meta({
      description:
        'The header in which they hand on the certificate of a client: "Client-Cert" (RFC 9440), "X-Forwarded-Client-Cert" (Envoy), or another one with a certificate as escaped PEM (nginx) or base64 (HAProxy)',
    }),
    trustAnchors: trustAnchorSettings.optional(),
  })
    .optional()
    .meta({ description: 'Whether they hand on certificates of clients (RFC 8705); absent: they do not' }),
})

/** `listen.proxies`, parsed. */
export type ProxySettings = z.output<typeof proxySettings>

function problemOfNetwork(text: string): string | undefined {
  const [address = '', length, more] = text.split('/')
  const octets = octetsOf(address)
  if (octets === undefined || more !== undefined) return 'expected an address or a network such as "10.0.0.7", "10.0.0.0/24" or "fd00::/64"'
  if (length === undefined) return undefined
  const bits = octets.length * 8
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return `the number behind "/" is at most ${bits}`
  if (octets.length === 16 && Number(length) >= 8 && meetsIPv4(octets, Number(length)))
    return 'has addresses of IPv4 in it; write those as "10.0.0.0/24"'
  // Whoever writes 10.0.0.7/8 means one address or sixteen millions.
  const meant = networkOf(octets, Number(length))
  return meant.equals(octets) ? undefined : `has more than its network behind it; write "${written(meant)}/${length}", or the address alone`
}

const mapped = Buffer.from('00000000000000000000ffff00000000', 'hex')

// All of IPv4 is within ::ffff:0:0/96 (RFC 4291 §2.5.5.2).
function meetsIPv4(octets: Buffer, length: number): boolean {
  const shared = Math.min(length, 96)
  return networkOf(octets, shared).equals(networkOf(mapped, shared))
}

function networkOf(octets: Buffer, length: number): Buffer {
  return Buffer.from(octets.map((octet, index) => octet & (0xff00 >> Math.min(8, Math.max(0, length - index * 8)))))
}

function written(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.')
  const groups = octets.toString('hex').match(/.{4}/g)?.join(':') ?? ''
  return new URL(`http://[${groups}]`).hostname.slice(1, -1)
}

/** As node:net calls the kind of an address; undefined where it is none. */
export function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
}

import { type Certificate, readCertificate } from '../certificates/certificate.ts'
import { readCertificates } from '../certificates/pem.ts'
import type { PresentedChain } from '../certificates/trust-anchors.ts'

/** The values of the headers of one request in which a proxy hands on a certificate. */
export interface CertificateHeaders {
  readonly certificate: string
  /** `Client-Cert-Chain`. */
  readonly chain: string | undefined
}

/** Reads a certificate in the form that belongs to the header's name. Undefined where it is not exactly one in that form. */
export function readCertificateHeader(name: string, { certificate, chain }: CertificateHeaders): PresentedChain | undefined {
  if (name === 'client-cert') return fromStructured(certificate, chain)
  if (name === 'x-forwarded-client-cert') return fromEnvoy(certificate)
  return withChain(fromText(certificate), [])
}

const binary = /^:([A-Za-z0-9+/]*={0,2}):$/

/** RFC 9440 §2: byte sequences of RFC 8941 §3.3.5; the chain is a list of them, the nearest authority first. */
function fromStructured(value: string, chain: string | undefined): PresentedChain | undefined {
  const others = chain === undefined || chain.trim() === '' ? [] : chain.split(',').map(each => fromBinary(each))
  return withChain(fromBinary(value), others)
}

function fromBinary(value: string): Certificate | undefined {
  const [, body] = binary.exec(value.trim()) ?? []
  return body === undefined ? undefined : readCertificate(Buffer.from(body, 'base64'))
}

/** One element of `X-Forwarded-Client-Cert`: pairs with `Cert` and `Chain` as escaped PEM. Of several, nobody could tell whose counts. */
function fromEnvoy(value: string): PresentedChain | undefined {
  const pairs = [...value.matchAll(/(?:^|;)([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(?=;|$)/g)]
  if (pairs.map(([all]) => all).join('') !== value) return undefined
  const valuesOf = (name: string) => pairs.filter(([, key = '']) => key.toLowerCase() === name).map(([, , text = '']) => text)
  const [cert, second] = valuesOf('cert')
  const [chain = ''] = valuesOf('chain')
  if (cert === undefined || second !== undefined) return undefined
  const others = chain === '' ? [] : (pemOf(unquoted(chain)) ?? [undefined])
  return withChain(pemOf(unquoted(cert))?.[0], others)
}

function unquoted(text: string): string {
  return text.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1')
}

// nginx writes $ssl_client_escaped_cert, Apache PEM with blanks for its ends of lines, HAProxy and Traefik base64 alone.
function fromText(value: string): Certificate | undefined {
  const certificates = pemOf(value)
  if (certificates !== undefined) return certificates.length === 1 ? certificates[0] : undefined
  const text = unescaped(value)
  return text !== undefined && /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? readCertificate(Buffer.from(text, 'base64')) : undefined
}

const pemOnly = /^(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/

// Nothing beside it: a header of the client's, with the empty one of the proxy behind it, arrives as one value that ends in a comma.
function pemOf(value: string): readonly Certificate[] | undefined {
  const text = unescaped(value)
  return text !== undefined && pemOnly.test(text) ? readCertificates(text) : undefined
}

function unescaped(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}

function withChain(leaf: Certificate | undefined, others: ReadonlyArray<Certificate | undefined>): PresentedChain | undefined {
  const read = others.filter(other => other !== undefined)
  return leaf === undefined || read.length < others.length ? undefined : { leaf, others: read }
}

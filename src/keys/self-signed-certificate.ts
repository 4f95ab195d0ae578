import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'

/** What a certificate says beside its key. */
export interface CertificateWanted {
  readonly commonName: string
  readonly notBefore: Date
  readonly days: number
}

/**
 * Writes a self-signed X.509 certificate (RFC 5280 §4.1) as PEM. Who uses SAML wants keys wrapped in one, and pins it; nothing in it
 * is believed but the key. It is the one fixed structure that is needed here, so it is written out; the libraries bring twenty packages.
 */
export function selfSignedCertificate(privateKey: KeyObject, { commonName, notBefore, days }: CertificateWanted): string {
  const { hash, identifier } = signatureOf(privateKey)
  const name = sequence(set(sequence(objectIdentifier(2, 5, 4, 3), tagged(0x0c, Buffer.from(commonName, 'utf8')))))
  const notAfter = new Date(notBefore.getTime() + days * 86_400_000)
  const unsigned = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    identifier,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
  )
  const certificate = sequence(unsigned, identifier, bitString(sign(hash, unsigned, privateKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

// RFC 5758 §3.2, RFC 4055 §5: RSA has explicit NULL parameters, ECDSA none.
function signatureOf(key: KeyObject): { hash: string; identifier: Buffer } {
  if (key.asymmetricKeyType === 'rsa') {
    return { hash: 'sha256', identifier: sequence(objectIdentifier(1, 2, 840, 113_549, 1, 1, 11), Buffer.of(0x05, 0x00)) }
  }
  const curves: Record<string, readonly [hash: string, last: number]> = {
    prime256v1: ['sha256', 2],
    secp384r1: ['sha384', 3],
    secp521r1: ['sha512', 4],
  }
  const found = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (found === undefined) throw new Error('certificates are made for RSA, P-256, P-384 and P-521 keys')
  return { hash: found[0], identifier: sequence(objectIdentifier(1, 2, 840, 10_045, 4, 3, found[1])) }
}

// DER (X.690 §8, §10).
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const octets = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...octets), content])
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function set(...parts: Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts))
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes)
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.of(0), bytes]))
}

function objectIdentifier(first: number, second: number, ...rest: number[]): Buffer {
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

// RFC 5280 §4.1.2.5: two digits of the year until 2049.
function time(date: Date): Buffer {
  const text = date.toISOString().replace(/\.\d+|[-:T]/g, '')
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text))
}

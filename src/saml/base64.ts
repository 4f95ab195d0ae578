import { TokenRejected } from '../oauth/errors.ts'

/** How the text of a token is read. */
export interface TokenTextRules {
  /** The most bytes that the text may stand for. */
  readonly maxSize: number
  /** Whether line breaks are dropped, and a space is taken for the `+` that form decoding made of it. */
  readonly lenient: boolean
}

/** The bytes of a SAML token (RFC 8693 §3, RFC 7522 §2.1): base64url, or the standard alphabet, each with the right padding or none. */
export function decodeToken(token: string, { maxSize, lenient }: TokenTextRules): Buffer {
  // Before anything is decoded or copied. Lines of 64 characters, as MIME breaks them, add two for each.
  if (token.length > Math.ceil((maxSize * 4) / 3) * (lenient ? 1.05 : 1) + 4) throw tooLarge(maxSize)
  const text = lenient ? token.replace(/[\r\n]/g, '').replaceAll(' ', '+') : token
  const bytes = decodeBase64(text, ['base64url', 'base64'])
  if (bytes === undefined) throw new TokenRejected('the token is not a SAML assertion in base64url')
  if (bytes.length > maxSize) throw tooLarge(maxSize)
  return bytes
}

/**
 * Decodes base64 of one of these alphabets, with the right padding or none. Node skips whatever is no base64, so the bytes are encoded
 * again: only then there is one text for one value, and nothing of the text was skipped.
 */
export function decodeBase64(text: string, alphabets: readonly ('base64' | 'base64url')[]): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0) return undefined
  return alphabets.some(alphabet => isEncoding(text, bytes, alphabet)) ? bytes : undefined
}

function isEncoding(text: string, bytes: Buffer, alphabet: 'base64' | 'base64url'): boolean {
  const padding = (3 - (bytes.length % 3)) % 3
  const encoded = bytes.toString(alphabet)
  const unpadded = alphabet === 'base64' ? encoded.slice(0, encoded.length - padding) : encoded
  return text === unpadded || (padding > 0 && text === unpadded + '='.repeat(padding))
}

/** The bytes of an `xs:base64Binary`, in which white space may stand (XML Schema Part 2 §3.2.16). */
export function decodeBase64Binary(text: string): Buffer | undefined {
  return decodeBase64(text.replace(/[ \t\r\n]+/g, ''), ['base64'])
}

function tooLarge(maxSize: number): TokenRejected {
  return new TokenRejected(`the token is larger than ${maxSize} bytes`, { member: 'maxSize' })
}

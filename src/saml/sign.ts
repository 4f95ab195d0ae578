import { createHash } from 'node:crypto'
import type { BytesHash, SigningKey } from '../keys/signing-key.ts'
import { keyInfo, keyValue, x509Data } from './key-info.ts'
import { digestAlgorithms, namespaces, transforms, xmlSignatureAlgorithms } from './names.ts'
import { element, join, text, type Xml } from './write.ts'

/** SHA-1 has no short name: whoever wants it writes the whole of it (protocol decisions, "Tokens of this server"). */
export const rsaSha1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1'

/** What XML can be signed with. PSS is left out: hardly a receiver checks it, and xmlsec1 1.2 does not. */
export const signingAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', rsaSha1] as const
export type XmlSigningAlgorithm = (typeof signingAlgorithms)[number]

/** What KeyInfo shows of the key: its certificate, the bare key, or nothing at all. */
export const keyInfoForms = ['certificate', 'key', 'none'] as const
export type KeyInfoForm = (typeof keyInfoForms)[number]

/** An assertion in two halves; its signature goes between them. */
export interface UnsignedAssertion {
  /** The value of its ID or AssertionID. */
  readonly id: string
  readonly before: Xml
  readonly after: Xml
  /** A prefix that only the value of an `xsi:type` uses, which exclusive canonicalisation would drop from the signed bytes. */
  readonly inclusivePrefix?: string
}

/** Signs assertions with one key. Built once, when the configuration is loaded. */
export type XmlSigner = (assertion: UnsignedAssertion) => Promise<Xml>

/** What is wrong with signing XML by this algorithm with this key; undefined when nothing is. */
export function signingProblem(algorithm: XmlSigningAlgorithm, key: SigningKey): string | undefined {
  if (key.signBytes === undefined) return `a key of ${key.algorithm} does not sign XML; one of RS256 to RS512 or ES256 to ES512 does`
  const suits = algorithm.startsWith('ES') ? algorithm === key.algorithm : key.algorithm.startsWith('RS')
  return suits ? undefined : `the key "${key.id}" is one of ${key.algorithm}, which does not sign by ${algorithm}`
}

/**
 * Makes the function that puts an enveloped signature into an assertion (XML Signature §4, SAML Core §5.4): one Reference, exclusive
 * canonicalisation. The halves are canonical already, so that what is digested and what is sent are the same bytes.
 */
export function xmlSigner(key: SigningKey, algorithm: XmlSigningAlgorithm, form: KeyInfoForm): XmlSigner {
  const { signBytes } = key
  const problem = signingProblem(algorithm, key)
  if (signBytes === undefined || problem !== undefined) throw new Error(problem)
  const names = namesOf(algorithm)
  const usual = referenceParts(names.digestUri)
  const methods = join(
    element('ds:CanonicalizationMethod', { Algorithm: transforms.exclusive }),
    element('ds:SignatureMethod', { Algorithm: names.signatureUri }),
  )
  const shownKey = shown(key, form)
  return async ({ id, before, after, inclusivePrefix }) => {
    const digest = createHash(names.hash).update(before, 'utf8').update(after, 'utf8').digest('base64')
    const parts = inclusivePrefix === undefined ? usual : referenceParts(names.digestUri, inclusivePrefix)
    const info = join(methods, element('ds:Reference', { URI: `#${id}` }, parts, element('ds:DigestValue', {}, text(digest))))
    // What is signed is the element on its own, where it has to declare its prefix itself (Exclusive XML Canonicalization §3).
    const canonical = element('ds:SignedInfo', { 'xmlns:ds': namespaces.signature }, info)
    const signature = await signBytes(Buffer.from(canonical, 'utf8'), names.hash)
    return join(before, signatureElement(element('ds:SignedInfo', {}, info), signature, shownKey), after)
  }
}

function signatureElement(signedInfo: Xml, signature: Buffer, shownKey: Xml): Xml {
  const value = element('ds:SignatureValue', {}, text(signature.toString('base64')))
  return element('ds:Signature', { 'xmlns:ds': namespaces.signature }, signedInfo, value, shownKey)
}

// What a Reference has in front of its digest.
function referenceParts(digestUri: string, inclusivePrefix?: string): Xml {
  const inclusive =
    inclusivePrefix === undefined
      ? join()
      : element('ec:InclusiveNamespaces', { 'xmlns:ec': namespaces.exclusiveCanonicalization, PrefixList: inclusivePrefix })
  return join(
    element(
      'ds:Transforms',
      {},
      element('ds:Transform', { Algorithm: transforms.enveloped }),
      element('ds:Transform', { Algorithm: transforms.exclusive }, inclusive),
    ),
    element('ds:DigestMethod', { Algorithm: digestUri }),
  )
}

function shown(key: SigningKey, form: KeyInfoForm): Xml {
  if (form === 'none') return join()
  if (form === 'key') return keyInfo(keyValue(key.publicJwk))
  if (key.certificate === undefined) throw new Error(`the key "${key.id}" has no certificate`)
  return keyInfo(x509Data(key.certificate))
}

function namesOf(algorithm: XmlSigningAlgorithm): { hash: BytesHash; signatureUri: string; digestUri: string } {
  if (algorithm === rsaSha1) return { hash: 'sha1', signatureUri: rsaSha1, digestUri: 'http://www.w3.org/2000/09/xmldsig#sha1' }
  const hash = `sha${algorithm.slice(2)}` as keyof typeof digestAlgorithms
  return { hash, signatureUri: xmlSignatureAlgorithms[algorithm], digestUri: digestAlgorithms[hash] }
}

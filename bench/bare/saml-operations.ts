import { createHash, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { digestAlgorithms, namespaces, transforms, xmlSignatureAlgorithms } from '../../src/saml/names.ts'
import { outboundAssertion } from '../assertions.ts'
import { type Algorithm, certificateFile, privateKey } from '../material.ts'
import { verifier } from './verifier.ts'

/** Digest and signature of an assertion that is canonical as it comes: found by their place, nothing is parsed. */
export function assertionChecker(folder: string, algorithm: Algorithm): (token: string) => void {
  const genuine = verifier(folder, algorithm)
  return token => {
    const xml = Buffer.from(token, 'base64url').toString('utf8')
    const signature = between(xml, '<ds:Signature ', '</ds:Signature>')
    const signedInfo = between(signature.whole, '<ds:SignedInfo>', '</ds:SignedInfo>')
    const value = Buffer.from(between(signature.whole, '<ds:SignatureValue>', '</ds:SignatureValue>').inside, 'base64')
    const digest = createHash('sha256').update(signature.before).update(signature.after).digest('base64')
    const canonical = `<ds:SignedInfo xmlns:ds="${namespaces.signature}">${signedInfo.inside}</ds:SignedInfo>`
    if (!signedInfo.inside.includes(digest) || !genuine(Buffer.from(canonical), value)) throw new Error('not genuine')
  }
}

function between(text: string, start: string, end: string) {
  const from = text.indexOf(start)
  const to = text.indexOf(end, from) + end.length
  return {
    before: text.slice(0, from),
    whole: text.slice(from, to),
    inside: text.slice(from + start.length, to - end.length),
    after: text.slice(to),
  }
}

/** Digests and signs an assertion that was written once and for all, and puts the signature into it. */
export function assertionMaker(folder: string, algorithm: Algorithm): () => string {
  const keyAndOptions = { key: privateKey(folder, 'own', algorithm), dsaEncoding: 'ieee-p1363' } as const
  const { before, after, signedInfo, rest } = signatureParts(folder, algorithm)
  return () => {
    const digest = createHash('sha256').update(before).update(after).digest('base64')
    const info = `${signedInfo.before}${digest}${signedInfo.after}`
    const canonical = `<ds:SignedInfo xmlns:ds="${namespaces.signature}">${info}</ds:SignedInfo>`
    const value = sign('sha256', Buffer.from(canonical), keyAndOptions).toString('base64')
    return Buffer.from(`${before}${rest.before}${info}${rest.between}${value}${rest.after}${after}`).toString('base64url')
  }
}

/** The pieces of the one assertion, written around what changes. */
function signatureParts(folder: string, algorithm: Algorithm) {
  const { id, before, after } = outboundAssertion()
  const methods = `<ds:CanonicalizationMethod Algorithm="${transforms.exclusive}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="${xmlSignatureAlgorithms[algorithm]}"></ds:SignatureMethod>`
  const chain = [transforms.enveloped, transforms.exclusive].map(uri => `<ds:Transform Algorithm="${uri}"></ds:Transform>`).join('')
  const certificate = new X509Certificate(readFileSync(certificateFile(folder, 'own', algorithm))).raw.toString('base64')
  return {
    before,
    after,
    signedInfo: {
      before: `${methods}<ds:Reference URI="#${id}"><ds:Transforms>${chain}</ds:Transforms><ds:DigestMethod Algorithm="${digestAlgorithms.sha256}"></ds:DigestMethod><ds:DigestValue>`,
      after: '</ds:DigestValue></ds:Reference>',
    },
    rest: {
      before: `<ds:Signature xmlns:ds="${namespaces.signature}"><ds:SignedInfo>`,
      between: '</ds:SignedInfo><ds:SignatureValue>',
      after: `</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`,
    },
  }
}

import type { Instant } from '../outside.ts'
import type { Certificate } from './certificate.ts'

/** A certificate as somebody presents it: with those of the authorities between it and one that is trusted, in any order. */
export interface PresentedChain {
  readonly leaf: Certificate
  readonly others: readonly Certificate[]
}

const clientAuthentication = '1.3.6.1.5.5.7.3.2'
const anyPurpose = '2.5.29.37.0'
const mostAuthorities = 8
const mostSignatures = 64

/**
 * The authorities whose certificates are trusted, and nobody else: those of the system are not (RFC 5280 §6). What was found out of a
 * chain is kept as long as whoever presented it is connected.
 */
export class TrustAnchors {
  readonly #anchors: readonly Certificate[]
  readonly #paths = new WeakMap<PresentedChain, readonly Certificate[] | string>()

  constructor(anchors: readonly Certificate[]) {
    this.#anchors = anchors
  }

  /** Why the certificate proves nothing here; undefined when a client may be known by it (RFC 8705 §2.1). */
  problemOf(presented: PresentedChain, now: Instant): string | undefined {
    const path = this.#paths.get(presented) ?? this.#findPath(presented)
    this.#paths.set(presented, path)
    if (typeof path === 'string') return path
    const bad = [presented.leaf, ...path].find(certificate => !isValid(certificate, now))
    if (bad === undefined) return undefined
    const whose = bad === presented.leaf ? 'the certificate' : 'the certificate of one of its authorities'
    return now < bad.notBefore ? `${whose} is not valid yet` : `${whose} has expired`
  }

  #findPath({ leaf, others }: PresentedChain): readonly Certificate[] | string {
    const unfit = unfitLeaf(leaf)
    if (unfit !== undefined) return unfit
    // Whoever presents a chain could make one in which every certificate fits to every other.
    const budget = { signatures: mostSignatures }
    return this.#pathFrom(leaf, others.slice(0, mostAuthorities), 0, budget) ?? 'its chain does not lead to a trusted authority'
  }

  /** The authorities above a certificate; `below` counts those that stand between it and the leaf. */
  #pathFrom(
    certificate: Certificate,
    others: readonly Certificate[],
    below: number,
    budget: { signatures: number },
  ): readonly Certificate[] | undefined {
    const isAbove = (candidate: Certificate) => mayIssue(candidate, below) && hasIssued(candidate, certificate, budget)
    const anchor = this.#anchors.find(isAbove)
    if (anchor !== undefined) return [anchor]
    for (const other of others) {
      if (!isAbove(other)) continue
      const rest = others.filter(each => each !== other)
      const path = this.#pathFrom(other, rest, below + 1, budget)
      if (path !== undefined) return [other, ...path]
    }
    return undefined
  }
}

/** Whether the dates of a certificate allow it to be used (RFC 5280 §4.1.2.5). What cannot be read does not. */
export function isValid({ notBefore, notAfter }: Certificate, now: Instant): boolean {
  return now >= notBefore && now <= notAfter
}

/** What keeps a certificate from being that of a client, whoever has issued it. */
export function unfitLeaf({ isAuthority, signs, purposes, defect }: Certificate): string | undefined {
  // What an authority signs with is not what it connects with: a leaked request would be worth a certificate.
  if (isAuthority) return 'it is the certificate of an authority'
  if (!signs) return 'its key usage has no digitalSignature'
  // RFC 5280 §4.2.1.12: without the extension, every purpose is meant.
  if (purposes?.has(clientAuthentication) === false) return 'its extended key usage has no clientAuth'
  return defect
}

function mayIssue({ isAuthority, signsCertificates, pathLength, purposes, defect }: Certificate, below: number): boolean {
  const forClients = purposes === undefined || purposes.has(clientAuthentication) || purposes.has(anyPurpose)
  return isAuthority && signsCertificates && forClients && defect === undefined && (pathLength === undefined || below <= pathLength)
}

function hasIssued({ x509 }: Certificate, issued: Certificate, budget: { signatures: number }): boolean {
  if (!issued.x509.checkIssued(x509) || budget.signatures-- <= 0) return false
  return issued.x509.verify(x509.publicKey)
}

import type { Instant } from '../outside.ts'
import type { Proof } from './processor.ts'

const mostProofs = 10_000

/** Remembers proofs for a while, by the digest of their token, and makes calls for one token that come together only once. */
export class ProofCache {
  readonly #seconds: number
  readonly #now: () => Instant
  readonly #proofs = new Map<string, { readonly proof: Proof; readonly until: Instant }>()
  readonly #underWay = new Map<string, Promise<Proof>>()

  constructor(seconds: number, now: () => Instant) {
    this.#seconds = seconds
    this.#now = now
  }

  /** The remembered proof, else that of the call for this token that is under way, else of a new one. Refusals are not remembered. */
  get(digest: string, prove: () => Promise<Proof>): Promise<Proof> {
    const known = this.#proofs.get(digest)
    if (known !== undefined && this.#now() < known.until) return Promise.resolve(known.proof)
    const underWay = this.#underWay.get(digest)
    if (underWay !== undefined) return underWay
    const call = prove()
      .then(proof => this.#remember(digest, proof))
      .finally(() => this.#underWay.delete(digest))
    this.#underWay.set(digest, call)
    return call
  }

  #remember(digest: string, proof: Proof): Proof {
    const until = Math.min(this.#now() + this.#seconds, proof.expiresAt ?? Number.POSITIVE_INFINITY)
    this.#proofs.delete(digest)
    if (until <= this.#now()) return proof
    // The oldest goes; a Map keeps the order in which its entries came.
    if (this.#proofs.size >= mostProofs) this.#proofs.delete(this.#proofs.keys().next().value ?? '')
    this.#proofs.set(digest, { proof, until })
    return proof
  }
}

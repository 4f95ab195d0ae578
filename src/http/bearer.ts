import { createHash, timingSafeEqual } from 'node:crypto'

/** A token that whoever calls has to bring as `Authorization: Bearer …` (RFC 6750 §2.1). */
export class BearerToken {
  readonly #digest: Buffer

  constructor(token: string) {
    this.#digest = digestOf(token)
  }

  /** Whether the header has it. Digests are compared, so that the time tells neither where it differs nor how long it is. */
  isIn(authorization: string | undefined): boolean {
    const [, token] = /^Bearer +([^ ]+)$/i.exec(authorization ?? '') ?? []
    return token !== undefined && timingSafeEqual(digestOf(token), this.#digest)
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

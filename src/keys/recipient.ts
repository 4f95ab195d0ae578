/** Whoever reads what is encrypted. */
export interface Recipient {
  /** Rejects with an `Outage` when there is no key to encrypt for now. */
  ready(): Promise<void>
  /** Encrypts a signed JWT; without a key it rejects with an `Outage`, and nothing goes out in the clear. */
  encrypt(jws: string): Promise<string>
}

/** Something of another server that is fetched again and again. */
export interface FetchedThing {
  readonly kind: 'keys' | 'metadata'
  readonly issuer: string
  /** The configured address. */
  readonly address: string
}

/** Hears of the fetches of one thing. */
export interface FetchListener {
  succeeded(): void
  failed(): void
  /** It is not fetched any more. */
  forgotten(): void
}

/** Whoever wants to hear of fetches. */
export interface FetchListeners {
  of(thing: FetchedThing): FetchListener
}

/**
 * What is kept between requests: reference tokens, revocations, tokens used once, failed attempts. Every implementation
 * (`memory`, `embedded`, `redis`) passes the same conformance suite. A store that cannot answer throws an `Outage`;
 * it never answers as if the key were absent. Times to live are whole seconds of at least 1.
 */
export interface Store {
  /** Sets the value; resolves once it would survive the death of this process. */
  put(key: string, value: string, seconds: number): Promise<void>
  /** Sets the value unless one is there that has not expired; says whether it was set. One caller of many wins, over all processes. */
  putIfAbsent(key: string, value: string, seconds: number): Promise<boolean>
  /** Adds one to a counter and returns it. The time to live starts with the first increment and is not extended. */
  increment(key: string, seconds: number): Promise<number>
  /** The value, or undefined when there is none or it has expired. A counter is read as its decimal digits. */
  get(key: string): Promise<string | undefined>
  /** Returns the value and deletes it, so that only one caller gets it. */
  take(key: string): Promise<string | undefined>
  delete(key: string): Promise<void>
  /** Resolves when the store can be asked now, throws an `Outage` otherwise. For `/readyz`. */
  ping(): Promise<void>
  close(): Promise<void>
}

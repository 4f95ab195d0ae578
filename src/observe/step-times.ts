/** The steps of an exchange, in the order in which they end. All but the first are files of `exchange/`. */
export const steps = [
  'read-form',
  'authenticate-client',
  'check-grant',
  'read-request',
  'select-policy',
  'select-mapping',
  'select-target',
  'process-tokens',
  'delegate',
  'fulfil-contract',
  'check-criteria',
  'grant-scope',
  'map-attributes',
  'use-once',
  'generate-token',
] as const
export type Step = (typeof steps)[number]

/** When the steps of one exchange ended, in milliseconds of `performance.now()`. */
export class StepTimes {
  readonly started = performance.now()
  readonly #ends: number[] = []

  /** The next step has ended. Steps are never left out, so that their number tells which one it is. */
  ended(): void {
    this.#ends.push(performance.now())
  }

  /** Milliseconds since the exchange began. */
  get elapsed(): number {
    return performance.now() - this.started
  }

  /** When each of them ended. */
  get ends(): readonly number[] {
    return this.#ends
  }

  /** The steps that have ended, each with its beginning and end. */
  get all(): ReadonlyArray<{ readonly step: Step; readonly from: number; readonly to: number }> {
    return this.#ends.map((to, index) => ({ step: steps[index] as Step, from: this.#ends[index - 1] ?? this.started, to }))
  }

  /** The step that is under way; undefined after the last. */
  get current(): Step | undefined {
    return steps[this.#ends.length]
  }
}

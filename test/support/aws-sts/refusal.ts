/** An error of AWS (AW-6): what its service answers instead of a result. */
export class Refusal extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = statuses[code] ?? 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

const statuses: Record<string, number> = { AccessDenied: 403, IDPRejectedClaim: 403, RegionDisabledException: 403, Throttling: 400 }

/** Refuses unless it holds. */
export function demand(holds: boolean, code: string, message: string): asserts holds {
  if (!holds) throw new Refusal(code, message)
}

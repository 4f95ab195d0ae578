import type { ProxyRestriction } from '../processors/processor.ts'

/** Whether an assertion for these audiences may be made from one with the restriction (SAML Core §2.5.1.6). */
export function allows({ count, audiences: allowed }: ProxyRestriction, audiences: readonly string[]): boolean {
  const another = count === undefined || count >= 1
  return another && (allowed.length === 0 || audiences.every(audience => allowed.includes(audience)))
}

/** What the new assertion has to say of those that are made from it: one generation fewer, the same audiences. */
export function inherited({ count, audiences }: ProxyRestriction): ProxyRestriction {
  return { audiences, ...(count !== undefined && { count: count - 1 }) }
}

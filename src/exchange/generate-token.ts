import type { Grant, IssuedToken } from './grant.ts'

/** Step 12: the target makes the token, from what has been decided and nothing else. */
export function generateToken(grant: Grant): Promise<IssuedToken> {
  return grant.target.mapping.maker.generate(grant)
}

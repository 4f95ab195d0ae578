import type { Store } from '../stores/store.ts'
import { generateToken } from './generate-token.ts'
import type { Grant, IssuedToken, UsableTokens } from './grant.ts'
import { useOnce } from './use-once.ts'
import type { Witness } from './witness.ts'

/** Step 12, by whichever door the request came: only now is anything used up, made or sent. Nothing is used up where nothing could be made. */
export async function issueToken(
  store: Store,
  tokens: UsableTokens,
  grant: Grant,
  witness: Pick<Witness, 'used' | 'issued'>,
): Promise<IssuedToken> {
  await grant.target.mapping.maker.ready?.()
  await useOnce(store, tokens, grant.now)
  witness.used()
  return witness.issued(await generateToken(grant))
}

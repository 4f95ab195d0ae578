import { encodeFilter } from './filter.ts'
import type { Search } from './messages.ts'

/** What every directory answers whoever asks (RFC 4512 §5.1), and that costs it nothing: whether it is there. */
export const rootSearch: Search = {
  base: '',
  scope: 'base',
  aliases: 'never',
  sizeLimit: 1,
  timeLimit: 5,
  filter: encodeFilter({ kind: 'present', attribute: 'objectClass' }, []),
  // RFC 4511 §4.5.1.8: no attributes.
  attributes: ['1.1'],
}

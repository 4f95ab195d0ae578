import { z } from 'zod'
import { distinct, duration, reference, strict } from '../config/values.ts'

const lifetimeOfAnswers = duration.refine(seconds => seconds <= 86_400, 'must be at most "1d"')

const cache = strict({
  ttl: lifetimeOfAnswers
    .refine(seconds => seconds >= 1, 'must be at least "1s"')
    .meta({ description: 'How long what was found is good: a change in the data store is seen that much later' }),
  missing: lifetimeOfAnswers
    .default(0)
    .meta({ description: 'How long nothing is found where nothing was found (default "0s": it is asked again)' }),
  entries: z.int().min(1).max(1_000_000).default(1_000).meta({ description: 'How many answers are remembered (default 1000)' }),
  maxBytes: z
    .int()
    .min(1_024)
    .max(1_073_741_824)
    .default(16_777_216)
    .meta({ description: 'How many bytes of JSON they may have together, of each process (default 16777216)' }),
})

/** The members that every lookup may have, whatever the type of its data store. */
export const everyLookup = {
  description: z.string().optional().meta({ description: 'What this lookup is for, in your own words' }),
  dataStore: reference('data-stores'),
  attributes: distinct(z.string().min(1))
    .min(1)
    .meta({ description: 'Which attributes of the data store are fetched: read as lookup.<name>.<attribute>' }),
  timeout: duration
    .refine(seconds => seconds >= 1 && seconds <= 60, 'must be between "1s" and "60s"')
    .default(2)
    .meta({ description: 'How long the data store may take (default "2s")' }),
  cache: cache.optional().meta({ description: 'Remembers answers; absent: the data store is asked every time' }),
  many: z.enum(['first', 'list', 'refuse']).default('refuse').meta({
    description: 'What becomes of several entries: the first one is taken, all are ("list"), or the exchange is refused (default)',
  }),
  ifMissing: z
    .enum(['refuse', 'empty'])
    .default('refuse')
    .meta({ description: 'Where nothing is found: the exchange is refused (default), or its attributes are absent' }),
  ifDown: z
    .enum(['refuse', 'empty'])
    .default('refuse')
    .meta({ description: 'Where the data store cannot be asked: the exchange is answered 503 (default), or its attributes are absent' }),
}

/** How the editor's schema says that here stands a lookup, whose further members its data store decides. */
export const lookupDescription = 'A lookup in a data store'

// What an expression can name, and no word of its language.
const name = z
  .string()
  .regex(/^(?!(?:in|true|false|null|has|size)$)[A-Za-z_]\w*$/, 'expected a name of letters, digits and _, as expressions write it')

// The members that belong to the type of the data store are parsed where that is known (`build-lookups.ts`).
const lookup = z.looseObject(everyLookup).meta({ description: lookupDescription })

/** Attributes that are fetched before the expressions of a mapping are evaluated, in this order. */
export const lookupsSettings = z
  .record(name, lookup)
  .default({})
  .meta({ description: 'Further attributes, fetched in this order; later lookups may read earlier ones' })

export type LookupSettings = z.output<typeof lookup>

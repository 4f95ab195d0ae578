import { z } from 'zod'
import { distinct, duration, lifetime, strict } from '../config/values.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'

/** `dpop` in `server.json`: what proofs have to be like (RFC 9449). */
export const dpopSettings = strict({
  nonce: z
    .enum(['off', 'required'])
    .default('off')
    .meta({ description: 'Whether a proof must have a nonce of this server, so that none can be made in advance (default "off")' }),
  maxAge: lifetime
    .refine(seconds => seconds <= 3600, 'must be at most "1h"')
    .default(120)
    .meta({ description: 'How old a proof may be, and how long one nonce is given out (default "2m")', default: '2m' }),
  clockSkew: duration
    .refine(seconds => seconds <= 600, 'must be at most "10m"')
    .default(30)
    .meta({ description: 'By how much the clocks of this server and of clients may differ (default "30s")', default: '30s' }),
  algorithms: distinct(z.enum(signatureAlgorithms))
    .min(1)
    .default([...signatureAlgorithms])
    .meta({ description: 'Accepted signature algorithms' }),
})

/** The same, parsed. */
export type DpopSettings = z.output<typeof dpopSettings>

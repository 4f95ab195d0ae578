import { z } from 'zod'
import { distinct, duration, lifetime } from '../config/values.ts'
import type { ProcessorLimits } from './processor.ts'

/** The most seconds by which a processor may let clocks differ. */
export const longestClockSkew = 600

/** The members of every token processor's file that say how its tokens are limited. The pipeline applies them. */
export const limitSettings = {
  clockSkew: duration
    .refine(seconds => seconds <= longestClockSkew, 'must be at most "10m"')
    .default(30)
    .meta({ description: 'By how much the clocks of this server and of the issuer may differ (default "30s")' }),
  maxAge: lifetime.optional().meta({ description: 'How long ago a token may have been issued; it must then have iat' }),
  maxLifetime: lifetime.optional().meta({ description: 'How long a token may be valid from iat to exp; it must then have both' }),
  once: z.boolean().default(false).meta({ description: 'Whether a token may be exchanged only once; it must then have jti' }),
}

/** The members that every processor of foreign tokens has. */
export const foreignSettings = {
  ...limitSettings,
  audiences: distinct(z.string().min(1)).min(1).optional().meta({
    description: 'Audiences of which a token must name one (absent: this server); "client" stands for the audiences of the client',
  }),
  requiredClaims: distinct(z.string().min(1)).default([]).meta({ description: 'Claims that must be there, beside iss, sub and exp' }),
  claims: z.record(z.string(), z.json()).optional().meta({ description: 'A JSON Schema that the claims must meet' }),
  expiry: z
    .enum(['required', 'optional'])
    .default('required')
    .meta({ description: 'Whether a token without exp is taken ("optional"); it then bounds the lifetime of nothing' }),
}

/** The limits of a processor's file, as the pipeline takes them. */
export function limitsOf(settings: {
  clockSkew: number
  maxAge?: number | undefined
  maxLifetime?: number | undefined
  once: boolean
}): ProcessorLimits {
  const { clockSkew, maxAge, maxLifetime, once } = settings
  return { clockSkew, once, ...(maxAge !== undefined && { maxAge }), ...(maxLifetime !== undefined && { maxLifetime }) }
}

import { z } from 'zod'

/** How `binding` is said in the files of clients, access token managers and `jwt` generators. */
export const bindingSettings = z.enum(['optional', 'dpop', 'mtls', 'any']).default('optional').meta({
  description:
    'To whose key tokens are bound: "dpop" (always to that of a DPoP proof), "mtls" (always to the client certificate), "any" (always to one of the two), "optional" (default: to that of a DPoP proof where one is sent)',
})

import { z } from 'zod'

/** A token type identifier in a configuration file. */
export const tokenType = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/, 'expected a token type: an absolute URI such as "urn:ietf:params:oauth:token-type:jwt"')
  .meta({ description: 'A token type URI of RFC 8693 section 3, or any other; compared exactly' })

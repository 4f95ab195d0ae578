/** Every kind of token processor. Another one is a file beside these and a line here. */
import { accessToken } from './access-token.ts'
import { introspection } from './introspection.ts'
import { jwt } from './jwt.ts'

export const tokenProcessorKinds = [jwt, accessToken, introspection] as const

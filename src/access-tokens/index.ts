/** Every kind of access token manager. Another one is a file beside these and a line here. */
import { jwt } from './jwt.ts'
import { reference } from './reference.ts'

export const accessTokenManagerKinds = [jwt, reference] as const

/** Every kind of token processor. Another one is a file beside these and a line here. */
import { accessToken } from './access-token.ts'
import { awsCallerIdentity } from './aws-caller-identity.ts'
import { introspection } from './introspection.ts'
import { jwt } from './jwt.ts'
import { saml2 } from './saml2.ts'
import { saml11 } from './saml11.ts'
import { username } from './username.ts'
import { x509 } from './x509.ts'

export const tokenProcessorKinds = [jwt, accessToken, introspection, saml2, saml11, awsCallerIdentity, username, x509] as const

/** Every kind of token generator. Another one is a file beside these and a line here. */
import { awsCredentials } from './aws-credentials.ts'
import { awsSaml } from './aws-saml.ts'
import { jwt } from './jwt.ts'
import { saml2 } from './saml2.ts'
import { saml11 } from './saml11.ts'

export const tokenGeneratorKinds = [saml2, saml11, jwt, awsSaml, awsCredentials] as const

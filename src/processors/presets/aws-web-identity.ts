import { readPrincipal } from '../../aws/principal.ts'
import type { JsonObject } from '../../json.ts'
import { TokenRejected } from '../../oauth/errors.ts'
import { hours, type Preset, texts } from './preset.ts'

const tags = { type: 'object', additionalProperties: { type: 'string' } }
const namespace = 'https://sts.amazonaws.com/'

/** A token of AWS STS `GetWebIdentityToken`. Its issuer belongs to one AWS account and must be named exactly: everybody with an account has one. */
export const awsWebIdentity: Preset = {
  issuerForm: /^https:\/\/[0-9a-z-]+\.tokens\.sts\.global\.api\.aws$/,
  issuerHint: 'the issuer of the AWS account, "https://ID.tokens.sts.global.api.aws"',
  algorithms: ['ES384', 'RS256'],
  types: ['jwt'],
  requiredClaims: ['aud', 'iat', 'jti', namespace],
  maxLifetime: hours,
  claims: {
    type: 'object',
    required: ['sub', namespace],
    properties: {
      sub: { type: 'string', pattern: '^arn:aws(-[a-z]+)*:(iam|sts)::[0-9]{12}:.+$' },
      [namespace]: {
        type: 'object',
        required: ['aws_account'],
        properties: {
          ...texts('aws_account', 'source_region', 'org_id', 'ou_path', 'source_identity'),
          ...texts('lambda_source_function_arn', 'ec2_source_instance_arn'),
          principal_tags: tags,
          request_tags: tags,
        },
      },
    },
  },
  facts: {
    schema: {
      type: 'object',
      required: ['aws'],
      properties: {
        aws: {
          type: 'object',
          required: ['account', 'arn', 'principalTags', 'requestTags'],
          properties: {
            ...texts('account', 'arn', 'role', 'session', 'orgId', 'ouPath', 'region', 'sourceIdentity'),
            principalTags: tags,
            requestTags: tags,
          },
        },
      },
    },
    read: claims => ({ aws: readIdentity(claims) }),
  },
}

/** Who called AWS, by the names that the other AWS tokens are read by as well (AW-27, AW-44). */
function readIdentity(claims: JsonObject): JsonObject {
  const { [namespace]: context, sub } = claims as { [namespace]: Readonly<Record<string, JsonObject[string]>>; sub: string }
  const principal = readPrincipal(sub)
  if (principal === undefined) throw new TokenRejected('sub of the token names no principal of AWS', { member: 'preset' })
  const { account, arn, role, session } = principal
  if (context.aws_account !== account)
    throw new TokenRejected('sub of the token is of another account than aws_account', { member: 'preset' })
  return present({
    ...{ account, arn, role, session },
    ...{ orgId: context.org_id, ouPath: context.ou_path, region: context.source_region, sourceIdentity: context.source_identity },
    ...{ principalTags: context.principal_tags ?? {}, requestTags: context.request_tags ?? {} },
  })
}

function present(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

import { hours, type Preset, texts } from './preset.ts'

const tags = { type: 'object', additionalProperties: { type: 'string' } }

/** A token of AWS STS `GetWebIdentityToken`. Its issuer belongs to one AWS account and must be named exactly: everybody with an account has one. */
export const awsWebIdentity: Preset = {
  issuerForm: /^https:\/\/[0-9a-z-]+\.tokens\.sts\.global\.api\.aws$/,
  issuerHint: 'the issuer of the AWS account, "https://ID.tokens.sts.global.api.aws"',
  algorithms: ['ES384', 'RS256'],
  types: ['jwt'],
  requiredClaims: ['aud', 'iat', 'jti', 'https://sts.amazonaws.com/'],
  maxLifetime: hours,
  claims: {
    type: 'object',
    required: ['sub', 'https://sts.amazonaws.com/'],
    properties: {
      sub: { type: 'string', pattern: '^arn:aws(-[a-z]+)*:(iam|sts)::[0-9]{12}:.+$' },
      'https://sts.amazonaws.com/': {
        type: 'object',
        required: ['aws_account'],
        properties: {
          ...texts('aws_account', 'source_region', 'org_id', 'source_identity', 'lambda_source_function_arn', 'ec2_source_instance_arn'),
          principal_tags: tags,
          request_tags: tags,
        },
      },
    },
  },
}

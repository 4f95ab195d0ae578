import { z } from 'zod'
import { type Partition, type PartitionName, partitions } from './partitions.ts'

/** A role or an identity provider of IAM, by its Amazon resource name. */
export interface IamName {
  /** As it was written. */
  readonly arn: string
  readonly partition: Partition
  readonly account: string
}

// IAM allows a comma in names too; in an assertion it separates the role from its provider (AW-12).
const rolePattern = '^arn:(aws|aws-us-gov|aws-cn):iam::([0-9]{12}):role/(?:[A-Za-z0-9_+=.@-]+/)*[A-Za-z0-9_+=.@-]{1,64}$'
const samlProviderPattern = '^arn:(aws|aws-us-gov|aws-cn):iam::([0-9]{12}):saml-provider/[A-Za-z0-9_.-]{1,128}$'
const longestArn = 2048

/** The JSON Schema of a role's name (AW-2). */
export const roleSchema = { type: 'string', maxLength: longestArn, pattern: rolePattern } as const

/** A role in a file. */
export const roleArn = arnSetting(rolePattern, 'expected the ARN of a role, such as "arn:aws:iam::123456789012:role/Reader"').refine(
  ({ arn }) => !arn.includes('/AWSReservedSSO_'),
  'is a role of IAM Identity Center, which only that may assume',
)

/** A SAML identity provider in a file. */
export const samlProviderArn = arnSetting(
  samlProviderPattern,
  'expected the ARN of a SAML provider, such as "arn:aws:iam::123456789012:saml-provider/Cambist"',
)

function arnSetting(pattern: string, expected: string) {
  return z
    .string()
    .refine(arn => arn.length <= longestArn && new RegExp(pattern).test(arn), { error: expected, abort: true })
    .meta({ maxLength: longestArn, pattern })
    .transform(arn => iamNameOf(arn, pattern) as IamName)
}

/** The role that a mapped value names; undefined when it names none that may be assumed from outside (AW-15). */
export function roleNamed(arn: string): IamName | undefined {
  return arn.length > longestArn || arn.includes('/AWSReservedSSO_') ? undefined : iamNameOf(arn, rolePattern)
}

function iamNameOf(arn: string, pattern: string): IamName | undefined {
  const [, partition, account] = new RegExp(pattern).exec(arn) ?? []
  if (partition === undefined || account === undefined) return undefined
  return { arn, partition: partitions[partition as PartitionName], account }
}

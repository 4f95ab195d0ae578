const prefix = 'https://aws.amazon.com/SAML/Attributes/'

/** The attributes by which AWS is told of a session (AW-12). Their names are compared exactly. */
export const federationAttributes = {
  role: `${prefix}Role`,
  roleSessionName: `${prefix}RoleSessionName`,
  sessionDuration: `${prefix}SessionDuration`,
  sourceIdentity: `${prefix}SourceIdentity`,
  transitiveTagKeys: `${prefix}TransitiveTagKeys`,
  /** The name of the tag follows. */
  principalTag: `${prefix}PrincipalTag:`,
} as const

/** The most characters of base64 that AWS reads (AW-2). */
export const longestAssertion = 100_000

/** Seconds after its IssueInstant for which AWS takes an assertion, whatever it says itself (AW-7). */
export const assertionSeconds = 300

/** How long a session may last, in seconds (AW-2). */
export const sessionSeconds = { fewest: 900, most: 43_200 } as const

/** How many tags a session may have (AW-12). */
export const mostTags = 50

/** Whether AWS takes the text as RoleSessionName (AW-7). */
export function isSessionName(text: string): boolean {
  return /^[A-Za-z0-9_+=,.@-]{2,64}$/.test(text)
}

/** Whether AWS takes the text as SourceIdentity (AW-7). */
export function isSourceIdentity(text: string): boolean {
  return isSessionName(text) && !text.startsWith('aws:')
}

/** Whether AWS takes the text as the key of a session tag. */
export function isTagKey(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(text)
}

/** Whether AWS takes the text as the value of a session tag. */
export function isTagValue(text: string): boolean {
  return /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u.test(text)
}

/** A role and the SAML provider of the same account that may assume it. */
export interface RoleChoice {
  readonly role: string
  readonly provider: string
}

const roleArn = /^arn:[a-z-]+:iam::\d{12}:role\/(?:[\x21-\x7e]+\/)?[A-Za-z0-9_+=,.@-]{1,64}$/
const providerArn = /^arn:[a-z-]+:iam::\d{12}:saml-provider\/[A-Za-z0-9._-]{1,128}$/

/** Reads a value of the attribute Role: both ARNs in either order, of one account. Names of roles may have commas in them. */
export function readRoleChoice(text: string): RoleChoice | undefined {
  const [left = '', right = '', ...others] = text.split(/,(?=arn:)/)
  const [role, provider] = providerArn.test(left) ? [right, left] : [left, right]
  const isPair = others.length === 0 && roleArn.test(role) && providerArn.test(provider)
  return isPair && ownerOf(role) === ownerOf(provider) ? { role, provider } : undefined
}

/** Partition and account: `arn:aws:iam::123456789012`. */
function ownerOf(arn: string): string {
  return arn.split(':').slice(0, 5).join(':')
}

import { type PartitionName, partitions } from './partitions.ts'

/** Who somebody is at AWS, taken out of an ARN. */
export interface Principal {
  readonly partition: PartitionName
  readonly account: string
  /** The ARN; that of the role for whoever has assumed one, since a session comes and goes (AW-36). */
  readonly arn: string
  /** The name of the role, without its path. */
  readonly role?: string
  readonly session?: string
}

const arn = /^arn:(?<partition>aws(?:-[a-z]+)*):(?<service>iam|sts)::(?<account>\d{12}):(?<resource>[\x21-\x7e]{1,1024})$/
const name = '[A-Za-z0-9_+=,.@-]{1,64}'
const assumedRole = new RegExp(`^assumed-role/(?<role>${name})/(?<session>[A-Za-z0-9_+=,.@-]{2,64})$`)
const iamRole = new RegExp(`^role/(?:[\\x21-\\x7e]+/)?(?<role>${name})$`)
const iamUser = new RegExp(`^user/(?:[\\x21-\\x7e]+/)?${name}$`)
const federatedUser = new RegExp(`^federated-user/${name}$`)

/** Reads the ARN of whoever may call AWS: a role, a session of one, a user, a federated user, the root of an account. Undefined for any other text. */
export function readPrincipal(text: string): Principal | undefined {
  const { partition = '', service, account = '', resource = '' } = arn.exec(text)?.groups ?? {}
  if (!isPartition(partition)) return undefined
  const principal = { partition, account, arn: text }
  if (service === 'sts') {
    const { role, session } = assumedRole.exec(resource)?.groups ?? {}
    if (role === undefined || session === undefined) return federatedUser.test(resource) ? principal : undefined
    return { ...principal, arn: `arn:${partition}:iam::${account}:role/${role}`, role, session }
  }
  const { role } = iamRole.exec(resource)?.groups ?? {}
  if (role !== undefined) return { ...principal, role }
  return resource === 'root' || iamUser.test(resource) ? principal : undefined
}

function isPartition(text: string): text is PartitionName {
  return Object.hasOwn(partitions, text)
}

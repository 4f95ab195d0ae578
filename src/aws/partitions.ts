/** The name of a partition of AWS, as it stands in the ARNs of everything in it. */
export type PartitionName = 'aws' | 'aws-us-gov' | 'aws-cn'

/** A part of AWS with regions, accounts, addresses and names of its own; nothing passes from one to another. */
export interface Partition {
  readonly name: PartitionName
  readonly regions: readonly string[]
  /** Regions whose STS has an endpoint with validated cryptography (FIPS 140) at an address of its own. */
  readonly fipsRegions: readonly string[]
  readonly dnsSuffix: string
  readonly dualStackSuffix: string
  /** The STS endpoint that is not of one region, and the region that requests to it are signed for. */
  readonly globalSts: { readonly host: string; readonly region: string } | undefined
  readonly signInHost: string
  /** What an assertion for AWS names as its audience (AW-10). */
  readonly samlAudience: string
}

// A table, and no pattern: an address that somebody from outside may complete is one that he may choose (AW-37).
const commercial: Partition = {
  name: 'aws',
  regions: [
    ...['af-south-1', 'ap-east-1', 'ap-east-2', 'ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
    ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
    ...['ca-central-1', 'ca-west-1', 'eu-central-1', 'eu-central-2', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-2'],
    ...['eu-west-3', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1', 'sa-east-1', 'us-east-1', 'us-east-2', 'us-west-1'],
    'us-west-2',
  ],
  fipsRegions: ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
  dnsSuffix: 'amazonaws.com',
  dualStackSuffix: 'api.aws',
  globalSts: { host: 'sts.amazonaws.com', region: 'us-east-1' },
  signInHost: 'signin.aws.amazon.com',
  samlAudience: 'urn:amazon:webservices',
}

const government: Partition = {
  name: 'aws-us-gov',
  regions: ['us-gov-east-1', 'us-gov-west-1'],
  // Its usual endpoints are such already.
  fipsRegions: [],
  dnsSuffix: 'amazonaws.com',
  dualStackSuffix: 'api.aws',
  globalSts: undefined,
  signInHost: 'signin.amazonaws-us-gov.com',
  samlAudience: 'urn:amazon:webservices:govcloud',
}

const china: Partition = {
  name: 'aws-cn',
  regions: ['cn-north-1', 'cn-northwest-1'],
  fipsRegions: [],
  dnsSuffix: 'amazonaws.com.cn',
  dualStackSuffix: 'api.amazonwebservices.com.cn',
  globalSts: undefined,
  signInHost: 'signin.amazonaws.cn',
  samlAudience: 'urn:amazon:webservices:cn-north-1',
}

/** The partitions by name. */
export const partitions: Readonly<Record<PartitionName, Partition>> = { aws: commercial, 'aws-us-gov': government, 'aws-cn': china }

/** Every partition's name, for settings. */
export const partitionNames = Object.keys(partitions) as readonly PartitionName[]

/** Every region of every partition, for settings. */
export const regionNames: readonly string[] = Object.values(partitions).flatMap(({ regions }) => regions)

/** The partition that a region is in. */
export function partitionOfRegion(region: string): Partition | undefined {
  return Object.values(partitions).find(({ regions }) => regions.includes(region))
}

/** The host of a region's STS: `sts.eu-central-1.amazonaws.com`. */
export function stsHost(region: string): string | undefined {
  const partition = partitionOfRegion(region)
  return partition === undefined ? undefined : `sts.${region}.${partition.dnsSuffix}`
}

/** Every host at which a region's STS answers: the usual one, that for IPv6, that with validated cryptography, the global one. */
export function stsHosts(region: string): readonly string[] {
  const partition = partitionOfRegion(region)
  if (partition === undefined) return []
  const { dnsSuffix, dualStackSuffix, fipsRegions, globalSts } = partition
  return [
    `sts.${region}.${dnsSuffix}`,
    `sts.${region}.${dualStackSuffix}`,
    ...(fipsRegions.includes(region) ? [`sts-fips.${region}.${dnsSuffix}`] : []),
    ...(globalSts?.region === region ? [globalSts.host] : []),
  ]
}

/** Where an assertion for AWS may be sent (AW-9): the sign-in address of the partition, and that of each of its regions. */
export function signInAddresses({ signInHost, regions }: Partition): readonly string[] {
  return [`https://${signInHost}/saml`, ...regions.map(region => `https://${region}.${signInHost}/saml`)]
}

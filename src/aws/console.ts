import { type JsonObject, parseOutsidersObject } from '../json.ts'
import type { GuardedFetch } from '../keys/guarded-fetch.ts'
import type { Partition, PartitionName } from './partitions.ts'

/** The first page of the console. */
export const consoles: Readonly<Record<PartitionName, string>> = {
  aws: 'https://console.aws.amazon.com/',
  'aws-us-gov': 'https://console.amazonaws-us-gov.com/',
  'aws-cn': 'https://console.amazonaws.cn/',
}

/** Where credentials are turned into a sign-in, in a partition or in one region of it. */
export function federationEndpoint({ signInHost }: Partition, region: string | undefined): string {
  return `https://${region === undefined ? '' : `${region}.`}${signInHost}/federation`
}

/** What stands in the link: where it leads, and who may be asked for another one when the session has ended. */
export interface SignIn {
  readonly endpoint: string
  readonly destination: string
  readonly issuer: string | undefined
}

/** A link that signs its reader in to the console with these credentials; it works for fifteen minutes (`getSigninToken`, `login`). */
export async function signInLink({ endpoint, destination, issuer }: SignIn, credentials: JsonObject, fetch: GuardedFetch): Promise<string> {
  const { AccessKeyId: sessionId, SecretAccessKey: sessionKey, SessionToken: sessionToken } = credentials
  const asked = new URL(endpoint)
  asked.search = new URLSearchParams({
    Action: 'getSigninToken',
    Session: JSON.stringify({ sessionId, sessionKey, sessionToken }),
  }).toString()
  const answer = await fetch(asked.href, { allowPrivateNetwork: true })
  const token = answer.status === 200 ? parseOutsidersObject(await answer.text())?.SigninToken : undefined
  if (typeof token !== 'string') throw new Error(`the sign-in of AWS answered ${answer.status}, and gave no token`)
  const link = new URL(endpoint)
  link.search = new URLSearchParams({
    Action: 'login',
    ...(issuer !== undefined && { Issuer: issuer }),
    Destination: destination,
    SigninToken: token,
  }).toString()
  return link.href
}

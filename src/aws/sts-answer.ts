import { TokenRejected } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import { readXmlText } from '../saml/read.ts'
import type { XmlLimits } from '../saml/well-formed.ts'
import { childrenOf, type XmlElement } from '../saml/xml-element.ts'

/** Temporary credentials of a role, as AWS issued them. */
export interface RoleCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** As AWS wrote it, and as an instant. */
  readonly expiration: string
  readonly expiresAt: Instant
  /** Under which the request stands in CloudTrail. */
  readonly requestId: string | undefined
}

/** Why AWS refused. Its words are not repeated: some quote the request. */
export interface StsRefusal {
  readonly code: string
  readonly requestId: string | undefined
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const limits: XmlLimits = { maxElements: 64, maxAttributes: 32, maxDepth: 8, comments: false }

/** The credentials in an answer to `AssumeRoleWith…` (AW-5); undefined where it holds none, or anything twice. New members are passed over. */
export function readCredentials(text: string, action: string): RoleCredentials | undefined {
  const response = readRoot(text)
  if (response?.name !== `${action}Response` || response.namespace !== namespace) return undefined
  const credentials = only(only(response, `${action}Result`), 'Credentials')
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    textOf(credentials, 'AccessKeyId'),
    textOf(credentials, 'SecretAccessKey'),
    textOf(credentials, 'SessionToken'),
    textOf(credentials, 'Expiration'),
  ]
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined || expiration === undefined) return undefined
  const expiresAt = Math.floor(Date.parse(expiration) / 1000)
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(expiration) || Number.isNaN(expiresAt)) return undefined
  const requestId = requestIdIn(only(response, 'ResponseMetadata'))
  return { accessKeyId, secretAccessKey, sessionToken, expiration, expiresAt, requestId }
}

/** The refusal in an answer (AW-6); undefined where it is none. */
export function readRefusal(text: string): StsRefusal | undefined {
  const response = readRoot(text)
  const code = response?.name === 'ErrorResponse' ? textOf(only(response, 'Error'), 'Code') : undefined
  // It goes to the client and into the record.
  if (code === undefined || !/^[A-Za-z]{1,64}$/.test(code)) return undefined
  return { code, requestId: requestIdIn(response) }
}

function readRoot(text: string): XmlElement | undefined {
  try {
    return readXmlText(text, limits).root
  } catch (error) {
    if (error instanceof TokenRejected) return undefined
    throw error
  }
}

function only(element: XmlElement | undefined, name: string): XmlElement | undefined {
  const [one, another] = element === undefined ? [] : childrenOf(element, element.namespace, name)
  return another === undefined ? one : undefined
}

function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const found = only(element, name)
  return found === undefined || found.children.length > 0 || found.text === '' ? undefined : found.text
}

function requestIdIn(element: XmlElement | undefined): string | undefined {
  const id = textOf(element, 'RequestId')
  return id !== undefined && /^[0-9A-Za-z-]{1,64}$/.test(id) ? id : undefined
}

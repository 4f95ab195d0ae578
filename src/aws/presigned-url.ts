import { decodeBase64 } from '../saml/base64.ts'
import {
  bindingAmong,
  callerIdentity,
  notACall,
  readCredential,
  readDate,
  readSecurityToken,
  readSignature,
  readSignedHeaders,
  type SignedCall,
  signatureAlgorithm,
  signatureSeconds,
} from './signed-call.ts'

/** What Kubernetes' clients write before the base64url of the address. */
const prefix = 'k8s-aws-v1.'
/** The longest token that Kubernetes' servers read. */
const longest = 4096
const address = /^https:\/\/([a-z0-9.-]{1,128})\/\?([\x21-\x7e]+)$/

const required = [
  'Action',
  'Version',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
]
const possible = new Set([...required, 'X-Amz-Security-Token'])

/** Reads a presigned address of `GetCallerIdentity` (AW-35): as it is, or as clients of Kubernetes wrap it. */
export function readPresignedUrl(token: string): SignedCall {
  if (token.length > longest) throw notACall(`it is longer than ${longest} characters`)
  const [, host, query = ''] = address.exec(unwrapped(token)) ?? []
  if (host === undefined) throw notACall('it is not an address of AWS STS')
  const parameters = parametersOf(query)
  const get = (name: string) => parameters.get(name) ?? ''
  if (get('Action') !== callerIdentity.Action || get('Version') !== callerIdentity.Version) throw notACall('it asks for another action')
  if (get('X-Amz-Algorithm') !== signatureAlgorithm) throw notACall('it is signed by another algorithm')
  const credential = readCredential(get('X-Amz-Credential'))
  const signedHeaders = readSignedHeaders(get('X-Amz-SignedHeaders'))
  const header = bindingAmong(signedHeaders)
  if (signedHeaders.length !== 2) throw notACall('a header is signed that has no place in it')
  return {
    ...{ host, signatureIn: 'query', credential, signedHeaders },
    date: get('X-Amz-Date'),
    signedAt: readDate(get('X-Amz-Date'), credential),
    usableFor: readExpires(get('X-Amz-Expires')),
    signature: readSignature(get('X-Amz-Signature')),
    securityToken: readSecurityToken(parameters.get('X-Amz-Security-Token')),
    binding: { header, value: undefined },
  }
}

function unwrapped(token: string): string {
  if (!token.startsWith(prefix)) return token
  const bytes = decodeBase64(token.slice(prefix.length), ['base64url'])
  if (bytes === undefined) throw notACall('it is not base64url')
  return bytes.toString('latin1')
}

// CVE-2022-2385: `action` beside `Action` was one parameter to the guard and another one to AWS. Names are compared exactly, so that
// such a one is just unknown.
function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (const pair of query.split('&')) {
    const [name = '', value, ...others] = pair.split('=')
    if (value === undefined || others.length > 0 || !possible.has(name)) throw notACall('it has a parameter that has no place in it')
    if (parameters.has(name)) throw notACall('a parameter is there twice')
    parameters.set(name, decoded(value))
  }
  const missing = required.find(name => !parameters.has(name))
  if (missing !== undefined) throw notACall(`${missing} is missing`)
  return parameters
}

function decoded(value: string): string {
  // A plus sign is a space to one reader and itself to another.
  if (value.includes('+')) throw notACall('a parameter is not percent-encoded')
  try {
    return decodeURIComponent(value)
  } catch {
    throw notACall('its percent-encoding is broken')
  }
}

function readExpires(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= signatureSeconds)) throw notACall('X-Amz-Expires is not a number of seconds up to 900')
  return seconds
}

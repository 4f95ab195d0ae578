import { createHash } from 'node:crypto'
import { isJsonObject, type JsonObject, type JsonValue, parseOutsidersObject } from '../json.ts'
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
} from './signed-call.ts'

const query = new URLSearchParams(callerIdentity).toString()
const address = new RegExp(`^https://([a-z0-9.-]{1,128})/?\\?${query.replaceAll('.', '\\.')}$`)
const authorization = new RegExp(`^${signatureAlgorithm} Credential=([^, ]+), ?SignedHeaders=([^, ]+), ?Signature=([^, ]+)$`)

/** The digest of no body, which some clients sign. */
export const emptyDigest = createHash('sha256').digest('hex')

/** Reads `urn:ietf:params:aws:token-type:aws4_request` as Google's clients write it (AW-30): JSON, percent-encoded or not. */
export function readAws4Request(token: string): SignedCall {
  const request = parseOutsidersObject(decoded(token))
  if (request === undefined) throw notACall('it is not a JSON object')
  const { url, method, headers, ...others } = request
  // A body above all: what it asks for could be another action.
  if (Object.keys(others).length > 0) throw notACall('it has more than url, method and headers')
  if (method !== 'POST') throw notACall('its method is not POST')
  const [, host] = (typeof url === 'string' ? address.exec(url) : null) ?? []
  if (host === undefined) throw notACall('its url is not that of GetCallerIdentity at AWS STS')
  return readHeaders(host, headersOf(headers))
}

function decoded(token: string): string {
  if (token.startsWith('{')) return token
  try {
    return decodeURIComponent(token)
  } catch {
    throw notACall('its percent-encoding is broken')
  }
}

/** By lower-case name. */
function headersOf(headers: JsonValue | undefined): ReadonlyMap<string, string> {
  if (!Array.isArray(headers)) throw notACall('its headers are not a list')
  const found = new Map<string, string>()
  for (const header of headers) {
    const { key, value } = headerOf(header)
    const name = key.toLowerCase()
    if (found.has(name)) throw notACall('a header is there twice')
    found.set(name, value)
  }
  return found
}

function headerOf(header: JsonValue): { key: string; value: string } {
  const { key, value, ...others } = isJsonObject(header) ? header : ({} as JsonObject)
  const isHeader = typeof key === 'string' && typeof value === 'string' && Object.keys(others).length === 0
  if (!isHeader || !/^[A-Za-z0-9-]{1,64}$/.test(key) || !/^[\x21-\x7e]+( [\x21-\x7e]+)*$/.test(value)) throw notACall('a header is not one')
  return { key, value }
}

function readHeaders(host: string, headers: ReadonlyMap<string, string>): SignedCall {
  const [, scope, names = '', signature = ''] = authorization.exec(headers.get('authorization') ?? '') ?? []
  if (scope === undefined) throw notACall('its header Authorization has no signature of version 4')
  const signedHeaders = readSignedHeaders(names)
  const binding = bindingAmong(signedHeaders)
  requireExactly([...headers.keys()], signedHeaders, binding)
  if (headers.get('host') !== host) throw notACall('its host is not that of its url')
  if ((headers.get('x-amz-content-sha256') ?? emptyDigest) !== emptyDigest) throw notACall('it is signed with a body')
  const credential = readCredential(scope)
  const date = headers.get('x-amz-date') ?? ''
  return {
    ...{ host, signatureIn: 'header', credential, date, signedHeaders },
    signedAt: readDate(date, credential),
    usableFor: undefined,
    signature: readSignature(signature),
    securityToken: readSecurityToken(headers.get('x-amz-security-token')),
    binding: { header: binding, value: headers.get(binding) },
  }
}

/** Every header is signed, and every signed header is there, and is one that a rebuilt request may have. */
function requireExactly(present: readonly string[], signed: readonly string[], binding: string): void {
  const allowed = ['host', 'x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', binding]
  if (signed.some(name => !present.includes(name))) throw notACall('a header is signed that is not there')
  if (present.some(name => name !== 'authorization' && !signed.includes(name))) throw notACall('a header is there that is not signed')
  if (signed.some(name => !allowed.includes(name))) throw notACall('a header is signed that has no place in it')
}

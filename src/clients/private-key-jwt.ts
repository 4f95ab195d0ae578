import { createHash } from 'node:crypto'
import type { JsonObject, JsonValue } from '../json.ts'
import { type CompactJws, CompactJwsReader, decodeJsonObject } from '../keys/compact-jws.ts'
import { TokenRejected } from '../oauth/errors.ts'
import type { Instant, Outside } from '../outside.ts'
import type { AssertionAuthentication, Client, PresentedCredentials } from './client.ts'
import { notAuthenticated } from './not-authenticated.ts'

/** A JWT that a client signed to say who it is. */
export type PresentedAssertion = Extract<PresentedCredentials, { method: 'private_key_jwt' }>

/** What an assertion says, checked but for its signature and its use. */
interface AssertionClaims {
  readonly id: string
  readonly expiresAt: Instant
}

const clockSkew = 30
const longestLife = 3600
/** rfc7523bis: the explicit type, or none (`JWT` says no more than that). Any other names a JWT for something else. */
const types: ReadonlySet<string | undefined> = new Set([undefined, 'jwt', 'client-authentication+jwt'])

/** `private_key_jwt` (RFC 7523 §2.2 and §3, as draft-ietf-oauth-rfc7523bis tightens them). Nothing is counted: there is nothing to guess. */
export class AssertionAuthenticator {
  readonly #clients: ReadonlyMap<string, Client>
  readonly #issuer: string
  readonly #outside: Pick<Outside, 'store' | 'now'>
  readonly #reader = new CompactJwsReader()

  constructor(clients: ReadonlyMap<string, Client>, issuer: string, outside: Pick<Outside, 'store' | 'now'>) {
    this.#clients = clients
    this.#issuer = issuer
    this.#outside = outside
  }

  /** The client that signed the assertion. Throws `OAuthError`; an `Outage` where its keys or the store cannot be had. */
  async authenticate({ clientId, assertion }: PresentedAssertion): Promise<Client> {
    const { jws, claims } = this.#open(assertion)
    if (clientId !== undefined && clientId !== claims.sub) throw notAuthenticated('client_id is not the subject of the assertion')
    const client = this.#clients.get(String(claims.sub))
    if (client?.authentication.method !== 'private_key_jwt') throw notAuthenticated('no client has this id and uses private_key_jwt')
    const now = this.#outside.now()
    const checked = this.#check(claims, client.id, now)
    await verifySignature(jws, client.authentication)
    await this.#useUp(client.id, checked, now)
    return client
  }

  #open(assertion: string): { jws: CompactJws; claims: JsonObject } {
    try {
      const jws = this.#reader.read(assertion)
      const claims = decodeJsonObject(jws.encodedPayload)
      if (claims === undefined) throw notAuthenticated('the claims of the assertion are not a JSON object, or name a claim twice')
      return { jws, claims }
    } catch (error) {
      throw error instanceof TokenRejected ? notAuthenticated(error.message) : error
    }
  }

  #check(claims: JsonObject, clientId: string, now: Instant): AssertionClaims {
    const { iss, sub, aud, exp, nbf, iat, jti } = claims
    if (iss !== clientId || sub !== clientId) throw notAuthenticated('iss and sub of the assertion are not both the client')
    // An assertion for several could be sent on by one of them, and the address of an endpoint can be made up by a hostile server.
    if (soleAudience(aud) !== this.#issuer) throw notAuthenticated('the audience of the assertion is not the issuer of this server alone')
    if (!isInstant(exp) || exp + clockSkew <= now) throw notAuthenticated('the assertion has expired, or says not when')
    if (exp > now + longestLife + clockSkew) throw notAuthenticated('the assertion is good for longer than an hour')
    if (nbf !== undefined && !(isInstant(nbf) && nbf <= now + clockSkew)) throw notAuthenticated('the assertion is not good yet')
    if (iat !== undefined && !(isInstant(iat) && iat <= now + clockSkew)) throw notAuthenticated('the assertion was issued in the future')
    if (iat !== undefined && iat < now - longestLife - clockSkew) throw notAuthenticated('the assertion was issued more than an hour ago')
    if (typeof jti !== 'string' || jti === '') throw notAuthenticated('the assertion has no jti')
    return { id: jti, expiresAt: exp }
  }

  /** RFC 7523 §3 item 7: one assertion, one use, over all processes. After the signature, so that only the client can fill the store. */
  async #useUp(clientId: string, { id, expiresAt }: AssertionClaims, now: Instant): Promise<void> {
    const key = createHash('sha256')
      .update(JSON.stringify([clientId, id]))
      .digest('base64url')
    // The clock of another machine may be behind ours, so that the assertion is good there when it no longer is here.
    const first = await this.#outside.store.putIfAbsent(`assertion:${key}`, '1', Math.ceil(expiresAt + 2 * clockSkew - now))
    if (!first) throw notAuthenticated('the assertion was used before')
  }
}

async function verifySignature(
  { header, signingInput, signature }: CompactJws,
  { algorithms, keys }: AssertionAuthentication,
): Promise<void> {
  if (!types.has(header.type)) throw notAuthenticated('typ of the assertion names something else')
  if (!algorithms.has(header.alg)) throw notAuthenticated('the assertion is signed with an algorithm that the client does not use')
  const key = await keys.find(header.alg, header.kid)
  if (key === 'unknown' || key === 'ambiguous') throw notAuthenticated(`the key of the assertion is ${key}`)
  if (!key.verify(signingInput, signature)) throw notAuthenticated('the signature of the assertion is not valid')
}

function soleAudience(aud: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(aud) && aud.length === 1 ? aud[0] : aud
}

// JSON.parse makes Infinity of 1e999.
function isInstant(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

import type { Client } from '../clients/client.ts'
import { settingOf } from '../config/folders.ts'
import type { JsonObject } from '../json.ts'
import type { SigningKey } from '../keys/signing-key.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Instant } from '../outside.ts'
import type { Server } from '../server.ts'

/** The media type of a signed answer (RFC 9701 §9). */
export const signedIntrospectionType = 'application/token-introspection+jwt'

const plain = 'application/json'

/** Which of several media types a request prefers; false: none of them (RFC 9110 §12.5.1). */
type Preference = (types: readonly string[]) => string | false

/** Who signs the answer; undefined: it is plain JSON. Decided by what the client's file demands, and else by what the request prefers. */
export function selectSigner(server: Pick<Server, 'introspectionSigner'>, client: Client, preference: Preference): SigningKey | undefined {
  const signer = server.introspectionSigner
  const { signedOnly } = client.introspection
  // Where a request likes both alike (`*/*`, or none), the first.
  const offered = signer === undefined ? [plain] : signedOnly ? [signedIntrospectionType] : [plain, signedIntrospectionType]
  const chosen = preference(offered)
  if (chosen === false)
    throw new OAuthError('answer-not-acceptable', `this client is answered by ${offered.join(' or ')}, which the request does not accept`, {
      setting: signedOnly ? settingOf('clients', client.id, 'introspection') : 'server.json introspection',
    })
  return chosen === plain ? undefined : signer
}

/** What a signed answer needs beside what it says of the token. */
export interface SignedAnswer {
  readonly issuer: string
  readonly signer: SigningKey
  readonly client: Client
  readonly now: Instant
}

/** Signs an answer of introspection, and encrypts it where the client has a key for that (RFC 9701 §5). */
export async function signedIntrospection(answer: JsonObject, { issuer, signer, client, now }: SignedAnswer): Promise<string> {
  // Without `sub` and `exp`: nothing that an access token has at its top, so that none takes it for one (RFC 9701 §5, §8.1).
  const claims = { iss: issuer, aud: client.id, iat: Math.floor(now), token_introspection: answer }
  const header = { alg: signer.algorithm, typ: 'token-introspection+jwt', kid: signer.kid }
  const signed = await signer.signCompact(Buffer.from(JSON.stringify(header)).toString('base64url'), JSON.stringify(claims))
  const { recipient } = client.introspection
  return recipient === undefined ? signed : await recipient.encrypt(signed)
}

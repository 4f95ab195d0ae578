import { settingOf } from '../config/folders.ts'
import type { SelectedConnection, SelectedMapping } from '../exchange/grant.ts'
import type { Witness } from '../exchange/witness.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { IdpConnection } from '../policies/idp-connection.ts'
import { unsupported } from './inbound-token.ts'
import type { TrustRequest } from './read-request.ts'

/** Step 5: how the tokens of the request are proved. Their form in the message decides whether they can be; nothing is guessed. */
export function selectTokens({ connection }: SelectedConnection, request: TrustRequest, witness: Witness): SelectedMapping {
  witness.considered('mapping', () => [{ name: connection.mapping.name, because: misfit(connection, request) }])
  if (request.form !== connection.form) throw unsupported(`the connection takes its token ${inWords[connection.form]}`)
  const mapping = request.actor === undefined ? connection.mapping : connection.actorMapping
  if (mapping === undefined) {
    const setting = settingOf('idp-connections', connection.id, 'actorTokenProcessor')
    throw new OAuthError('no-mapping', 'the connection takes no token of the one who acts', { setting })
  }
  if (request.actorForm !== undefined && request.actorForm !== (mapping.actor?.processor.form ?? 'text'))
    throw unsupported('the connection takes the token of the one who acts in another form')
  // One of our own names for it, which the record then shows.
  return { ...mapping, subjectTokenType: request.subjectTokenType } as SelectedMapping
}

const inWords = {
  assertion: 'as an assertion',
  text: 'as a BinarySecurityToken',
  username: 'as a UsernameToken',
  x509: 'as the certificate of the TLS connection',
} as const

function misfit({ form, actorMapping }: IdpConnection, request: TrustRequest): string | undefined {
  if (form !== request.form) return 'takes another kind of token'
  return request.actor !== undefined && actorMapping === undefined ? 'takes no actor' : undefined
}

import { z } from 'zod'
import type { ClientSecret } from '../clients/client.ts'
import { SecretAuthenticator, type SecretOwners } from '../clients/client-secret.ts'
import { buildSecret, secretSettings } from '../clients/secret-settings.ts'
import { strict } from '../config/values.ts'
import type { JsonObject } from '../json.ts'
import { OAuthError, TokenRejected } from '../oauth/errors.ts'
import type { Parts } from '../plugin.ts'
import { AssumptionMistake } from './assumed.ts'
import type { KnownUser, Users } from './users.ts'

const user = strict({
  passwords: z
    .array(secretSettings.refine(({ hash }) => hash !== undefined, 'a password is kept as a hash only; "cambist hash-secret" prints one'))
    .min(1)
    .meta({ description: 'Each is good: two while one replaces the other' }),
  attributes: z.record(z.string(), z.json()).default({}).meta({ description: 'What is known of the user' }),
})

/** Users that stand in the file of a processor. */
export const listedUsers = z
  .record(z.string().min(1), user)
  .refine(users => Object.keys(users).length > 0, 'must have at least one entry')
  .meta({ description: 'The users by name, with the hashes of their passwords' })

interface ListedUser extends KnownUser {
  readonly passwords: readonly ClientSecret[]
}

/** Builds them. */
export async function buildListedUsers(settings: z.output<typeof listedUsers>, parts: Parts): Promise<Users> {
  const built = Object.entries(settings).map(async ([name, { passwords, attributes }]) => {
    const hashes = passwords.map((password, index) => buildSecret(password, parts, ['users', name, 'passwords', index]))
    return [name, { name, passwords: await Promise.all(hashes), attributes }] as const
  })
  const users = new Map<string, ListedUser>(await Promise.all(built))
  const owners: SecretOwners<ListedUser> = { all: users, realm: `users of ${parts.id}: `, secretsOf: ({ passwords }) => passwords }
  return new ListedUsers(users, new SecretAuthenticator(owners, parts.outside, parts.kept))
}

class ListedUsers implements Users {
  readonly attributes: JsonObject = { type: 'object' }
  readonly #users: ReadonlyMap<string, ListedUser>
  readonly #passwords: SecretAuthenticator<ListedUser>

  constructor(users: ReadonlyMap<string, ListedUser>, passwords: SecretAuthenticator<ListedUser>) {
    this.#users = users
    this.#passwords = passwords
  }

  async logOn(name: string, password: string, clientIp: string): Promise<KnownUser> {
    try {
      const candidates = [{ clientId: name, secret: password }]
      return await this.#passwords.authenticate({ method: 'username_token', candidates }, clientIp)
    } catch (error) {
      // Who is not there and whose password is wrong read alike.
      if (!(error instanceof OAuthError) || error.reason !== 'client-not-authenticated') throw error
      throw new TokenRejected('the user name or the password is wrong', { cause: error.cause, member: 'users' })
    }
  }

  assume(says: JsonObject): KnownUser {
    const found = typeof says.username === 'string' ? this.#users.get(says.username) : undefined
    if (found === undefined) throw new AssumptionMistake(['username'], 'is none of the users')
    return found
  }
}

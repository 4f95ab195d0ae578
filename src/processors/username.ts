import { z } from 'zod'
import type { ClientSecret } from '../clients/client.ts'
import { SecretAuthenticator, type SecretOwners } from '../clients/client-secret.ts'
import { buildSecret, secretSettings } from '../clients/secret-settings.ts'
import { strict } from '../config/values.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { OAuthError, TokenRejected } from '../oauth/errors.ts'
import { type Parts, pluginKind } from '../plugin.ts'
import { type AssumedToken, AssumptionMistake } from './assumed.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from './processor.ts'

const user = strict({
  passwords: z
    .array(secretSettings.refine(({ hash }) => hash !== undefined, 'a password is kept as a hash only; "cambist hash-secret" prints one'))
    .min(1)
    .meta({ description: 'Each is good: two while one replaces the other' }),
  attributes: z.record(z.string(), z.json()).default({}).meta({ description: 'What is known of the user' }),
})

const shape = {
  issuer: z.string().min(1).meta({ description: 'What the issuer of these users is called: "entityId" of the connection' }),
  users: z
    .record(z.string().min(1), user)
    .refine(users => Object.keys(users).length > 0, 'must have at least one entry')
    .meta({ description: 'The users by name, with the hashes of their passwords' }),
}
type Settings = z.output<z.ZodObject<typeof shape>>

interface User {
  readonly name: string
  readonly passwords: readonly ClientSecret[]
  readonly attributes: JsonObject
}

/** A user name and a password, in a UsernameToken (WSS Username Token Profile §3). Only IdP connections may name it. */
export const username = pluginKind('username', shape, async (settings, parts): Promise<TokenProcessor> => {
  const users = await usersOf(settings, parts)
  const owners: SecretOwners<User> = { all: users, realm: `users of ${parts.id}: `, secretsOf: ({ passwords }) => passwords }
  return new UsernameProcessor(parts.id, settings.issuer, users, new SecretAuthenticator(owners, parts.outside, parts.kept))
})

async function usersOf({ users }: Settings, parts: Parts): Promise<ReadonlyMap<string, User>> {
  const built = Object.entries(users).map(async ([name, { passwords, attributes }]) => {
    const hashes = passwords.map((password, index) => buildSecret(password, parts, ['users', name, 'passwords', index]))
    return [name, { name, passwords: await Promise.all(hashes), attributes }] as const
  })
  return new Map(await Promise.all(built))
}

const text = { type: 'string' }

class UsernameProcessor implements TokenProcessor {
  readonly id: string
  readonly limits = { clockSkew: 0, once: false }
  readonly form = 'username'
  readonly issuers: readonly string[]
  readonly origin = 'presented'
  readonly audiences = undefined
  readonly attributes: JsonObject = {
    type: 'object',
    required: ['username', 'attributes'],
    properties: { username: text, attributes: { type: 'object' } },
  }
  readonly #issuer: string
  readonly #users: ReadonlyMap<string, User>
  readonly #passwords: SecretAuthenticator<User>

  constructor(id: string, issuer: string, users: ReadonlyMap<string, User>, passwords: SecretAuthenticator<User>) {
    this.id = id
    this.issuers = [issuer]
    this.#issuer = issuer
    this.#users = users
    this.#passwords = passwords
  }

  async process(token: string, { clientIp = '' }: ProcessorRequest): Promise<Proof> {
    const { name, password } = JSON.parse(token) as { name: string; password: string }
    try {
      const candidates = [{ clientId: name, secret: password }]
      return this.#prove(await this.#passwords.authenticate({ method: 'username_token', candidates }, clientIp))
    } catch (error) {
      // Who is not there and whose password is wrong read alike.
      if (!(error instanceof OAuthError) || error.reason !== 'client-not-authenticated') throw error
      throw new TokenRejected('the user name or the password is wrong', { cause: error.cause, member: 'users' })
    }
  }

  assume({ says }: AssumedToken): Proof {
    const found = typeof says.username === 'string' ? this.#users.get(says.username) : undefined
    if (found === undefined || !isJsonObject(says)) throw new AssumptionMistake(['username'], 'is none of the users')
    return this.#prove(found)
  }

  #prove({ name, attributes }: User): Proof {
    return { issuer: this.#issuer, subject: name, audiences: [], attributes: { username: name, attributes } }
  }
}

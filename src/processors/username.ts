import { z } from 'zod'
import type { JsonObject } from '../json.ts'
import { type Parts, pluginKind, SettingProblem } from '../plugin.ts'
import type { AssumedToken } from './assumed.ts'
import { buildDirectoryUsers, directoryMembers } from './directory-users.ts'
import { buildListedUsers, listedUsers } from './listed-users.ts'
import type { ProcessorRequest, Proof, TokenProcessor } from './processor.ts'
import type { KnownUser, Users } from './users.ts'

const shape = {
  issuer: z.string().min(1).meta({ description: 'What the issuer of these users is called: "entityId" of the connection' }),
  users: listedUsers.optional(),
  ...directoryMembers,
}
type Settings = z.output<z.ZodObject<typeof shape>>

/** A user name and a password, in a UsernameToken (WSS Username Token Profile §3). Only IdP connections may name it. */
export const username = pluginKind('username', shape, async (settings, parts): Promise<TokenProcessor> => {
  return new UsernameProcessor(parts.id, settings.issuer, await usersOf(settings, parts))
})

async function usersOf({ issuer: _issuer, users, dataStore, ...members }: Settings, parts: Parts): Promise<Users> {
  if ((users === undefined) === (dataStore === undefined)) throw new SettingProblem([], 'expected exactly one of "users" and "dataStore"')
  if (dataStore !== undefined) return buildDirectoryUsers(dataStore, members, parts)
  for (const member of Object.keys(directoryMembers).filter(name => members[name as keyof typeof members] !== undefined)) {
    parts.problem([member], 'is for a "dataStore", and the users stand in "users"')
  }
  return await buildListedUsers(users ?? {}, parts)
}

const text = { type: 'string' }

class UsernameProcessor implements TokenProcessor {
  readonly id: string
  readonly limits = { clockSkew: 0, once: false }
  readonly form = 'username'
  readonly issuers: readonly string[]
  readonly origin = 'presented'
  readonly audiences = undefined
  readonly attributes: JsonObject
  readonly #issuer: string
  readonly #users: Users

  constructor(id: string, issuer: string, users: Users) {
    this.id = id
    this.issuers = [issuer]
    this.attributes = { type: 'object', required: ['username', 'attributes'], properties: { username: text, attributes: users.attributes } }
    this.#issuer = issuer
    this.#users = users
  }

  async process(token: string, { clientIp = '' }: ProcessorRequest): Promise<Proof> {
    const { name, password } = JSON.parse(token) as { name: string; password: string }
    return this.#prove(await this.#users.logOn(name, password, clientIp))
  }

  assume({ says }: AssumedToken): Proof {
    return this.#prove(this.#users.assume(says))
  }

  #prove({ name, attributes }: KnownUser): Proof {
    return { issuer: this.#issuer, subject: name, audiences: [], attributes: { username: name, attributes } }
  }
}

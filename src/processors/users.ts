import type { JsonObject } from '../json.ts'

/** Who has proved a name and a password. */
export interface KnownUser {
  readonly name: string
  readonly attributes: JsonObject
}

/** Who can log on with a name and a password: those that a file lists, or those of a directory. */
export interface Users {
  /** JSON Schema of their attributes. */
  readonly attributes: JsonObject
  /**
   * Throws `TokenRejected` when the name or the password is wrong, which it does not tell apart; `OAuthError` after too many attempts;
   * `Outage` when it could not be found out.
   */
  logOn(name: string, password: string, clientIp: string): Promise<KnownUser>
  /** The user that a policy test says has logged on. Throws an `AssumptionMistake`. */
  assume(says: JsonObject): KnownUser
}

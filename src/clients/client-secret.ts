import { timingSafeEqual } from 'node:crypto'
import type { Keeping } from '../kept.ts'
import { Outage } from '../oauth/errors.ts'
import type { Instant, Outside } from '../outside.ts'
import { Attempts } from './attempts.ts'
import type { Client, ClientSecret, PresentedCredentials, SecretCandidate } from './client.ts'
import { notAuthenticated } from './not-authenticated.ts'
import { RememberedSecrets } from './remembered-secrets.ts'
import { type ScryptComparison, ScryptRuns } from './scrypt-runs.ts'
import { digestSecret, generateSecret, sha256 } from './secrets.ts'

/** A client id with a secret. */
export type PresentedSecret = Extract<PresentedCredentials, { candidates: unknown }>

/** One candidate, and what it is held against: the secrets of the client that it names, or, where there is none, secrets of nobody. */
interface Reading<Owner> {
  readonly clientId: string
  readonly secret: string
  readonly client: Owner | undefined
  readonly secrets: readonly ClientSecret[]
}

interface SlowComparison<Owner> extends ScryptComparison {
  readonly client: Owner
}

/** Who has secrets: the clients of the server, or the users of a `username` processor. */
export interface SecretOwners<Owner> {
  readonly all: ReadonlyMap<string, Owner>
  /** The secrets that are good for this method; undefined where the owner uses another one. */
  secretsOf(owner: Owner, method: PresentedSecret['method']): readonly ClientSecret[] | undefined
  /** What their names are counted under, so that a user is never mistaken for a client. */
  readonly realm: string
}

/** The secrets of clients. In SOAP there is one way only, for whoever may use that at all. */
export function clientSecrets(all: ReadonlyMap<string, Client>): SecretOwners<Client> {
  return {
    all,
    realm: '',
    secretsOf({ authentication, wsTrust }, method) {
      if (!('secrets' in authentication)) return undefined
      return authentication.method === method || (method === 'username_token' && wsTrust.enabled) ? authentication.secrets : undefined
    },
  }
}

/** `client_secret_basic` and `client_secret_post` (RFC 6749 §2.3.1), and the secret in a UsernameToken (WSS Username Token Profile §3). */
export class SecretAuthenticator<Owner> {
  readonly #owners: SecretOwners<Owner>
  readonly #now: () => Instant
  readonly #attempts: Attempts
  readonly #remembered: RememberedSecrets
  readonly #scrypt: ScryptRuns
  readonly #someAreSlow: boolean
  readonly #nobodys: readonly ClientSecret[]
  readonly #underWay = new Map<string, Promise<Owner>>()

  constructor(owners: SecretOwners<Owner>, outside: Pick<Outside, 'store' | 'now' | 'random'>, kept: Keeping) {
    this.#owners = owners
    this.#now = outside.now
    this.#attempts = new Attempts(outside)
    // Else each reload would cost every client a run of scrypt, all of them at once.
    this.#remembered = kept.of(['remembered-secrets'], () => new RememberedSecrets(outside.random))
    this.#scrypt = kept.of(['scrypt-runs'], () => new ScryptRuns())
    this.#someAreSlow = [...owners.all.values()].some(owner => hasSlowSecret(owner, owners))
    this.#nobodys = [{ hash: digestSecret(generateSecret(outside.random)), until: undefined }]
  }

  /** The client whose secret it is. Throws `OAuthError`; an `Outage` only where guesses could not be counted and must be. */
  async authenticate({ method, candidates }: PresentedSecret, address: string): Promise<Owner> {
    const now = this.#now()
    const readings = candidates.map(candidate => this.#read(candidate, method, now))
    for (const reading of readings) {
      if (this.#recognises(reading) && reading.client !== undefined) return reading.client
    }
    return this.#proveTogether(JSON.stringify([method, candidates, address]), readings, address)
  }

  // A client that uses another method is no client here, so that a secret learned in one place is worth nothing in the other.
  #read({ clientId, secret }: SecretCandidate, method: PresentedSecret['method'], now: Instant): Reading<Owner> {
    const client = this.#owners.all.get(clientId)
    const secrets = client && this.#owners.secretsOf(client, method)
    if (secrets === undefined) return { clientId, secret, client: undefined, secrets: this.#nobodys }
    return { clientId, secret, client, secrets: secrets.filter(candidate => this.#isGood(candidate, now)) }
  }

  #isGood({ hash, until }: ClientSecret, now: Instant): boolean {
    if (until === undefined || now < until) return true
    this.#remembered.forget(hash)
    return false
  }

  /** Whether the secret is right and that can be seen at once. Such a client is never slowed, whatever others do in its name. */
  #recognises({ secret, secrets }: Reading<Owner>): boolean {
    const digest = sha256(secret)
    return secrets.some(({ hash }) =>
      hash.form === 'sha256' ? timingSafeEqual(hash.digest, digest) : this.#remembered.knows(hash, secret),
    )
  }

  /** A client that starts sends many requests at once: equal ones are one attempt, and one run of scrypt. */
  #proveTogether(attempt: string, readings: readonly Reading<Owner>[], address: string): Promise<Owner> {
    const underWay = this.#underWay.get(attempt)
    if (underWay !== undefined) return underWay
    const proving = this.#prove(readings, address).finally(() => this.#underWay.delete(attempt))
    this.#underWay.set(attempt, proving)
    return proving
  }

  async #prove(readings: readonly Reading<Owner>[], address: string): Promise<Owner> {
    const name = (readings.find(reading => reading.client !== undefined) ?? readings[0])?.clientId ?? ''
    const clientId = `${this.#owners.realm}${name}`
    const comparisons = readings.flatMap(slowComparisons)
    if (comparisons.length === 0) return this.#refuse(clientId, address)
    this.#scrypt.refuseWhenFull()
    // Counted before, not after: otherwise as many guesses as fit into one moment would be free.
    await this.#attempts.count(clientId, address)
    const fitting = await this.#scrypt.firstThatFits(comparisons)
    if (fitting === undefined) throw notAuthenticated('the secret is wrong')
    this.#remembered.remember(fitting.hash, fitting.secret)
    await this.#attempts.forget(clientId, address)
    return fitting.client
  }

  async #refuse(clientId: string, address: string): Promise<never> {
    try {
      await this.#attempts.count(clientId, address)
    } catch (error) {
      // Whether it is counted or not, the secret is wrong.
      if (!(error instanceof Outage)) throw error
    }
    if (this.#someAreSlow) await this.#scrypt.imitate()
    throw notAuthenticated('no client has this id, method and secret')
  }
}

function slowComparisons<Owner>({ client, secret, secrets }: Reading<Owner>): SlowComparison<Owner>[] {
  if (client === undefined) return []
  return secrets.flatMap(({ hash }) => (hash.form === 'scrypt' ? [{ client, hash, secret }] : []))
}

function hasSlowSecret<Owner>(owner: Owner, { secretsOf }: SecretOwners<Owner>): boolean {
  return secretMethods.some(method => secretsOf(owner, method)?.some(({ hash }) => hash.form === 'scrypt'))
}

const secretMethods = ['client_secret_basic', 'client_secret_post', 'username_token'] as const

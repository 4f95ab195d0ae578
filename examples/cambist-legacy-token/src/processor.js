import { AssumptionMistake, exactName, externalText, pluginKind, SettingProblem, TokenRejected, tokenProcessorSettings, z } from 'cambist'
import { readLegacyToken } from './legacy-token.js'

const shape = {
  ...tokenProcessorSettings,
  issuer: exactName.meta({ description: 'What the old portal is called in policies' }),
  secrets: z.array(externalText).min(1).max(2).meta({ description: 'What its tokens are signed with: two while one replaces the other' }),
}

/** What a session says once its signature is known to be good. */
const session = z.strictObject({
  app: z.string(),
  user: z.string().min(1),
  mail: z.string().optional(),
  roles: z.array(z.string()),
  iat: z.number(),
  exp: z.number(),
  sid: z.string().min(1),
})

/** What expressions read as `subject`. */
const attributes = {
  type: 'object',
  required: ['user', 'roles'],
  properties: { user: { type: 'string' }, mail: { type: 'string' }, roles: { type: 'array', items: { type: 'string' } } },
}

/** Takes the session tokens of the old portal. */
export const legacyProcessor = pluginKind('legacy-token', shape, (settings, parts) => {
  const secrets = settings.secrets.map((secret, index) => strongSecret(parts.text(secret), index))
  if (settings.issuer === parts.issuer) parts.problem(['issuer'], 'is the name of this server')
  return {
    issuers: [settings.issuer],
    attributes,
    async process(token) {
      const says = readLegacyToken(token, secrets)
      if (says === undefined) throw new TokenRejected('it was not made by the old portal', { member: 'secrets' })
      return proofOf(settings.issuer, says)
    },
    assume({ says, audience, id, now }) {
      const usual = { app: audience, roles: [], iat: Math.floor(now), exp: Math.floor(now) + 600, sid: id }
      if (typeof says.user !== 'string') throw new AssumptionMistake(['user'], 'is missing: every session has one')
      return proofOf(settings.issuer, { ...usual, ...says })
    },
  }
})

/**
 * @param {string} secret
 * @param {number} index
 */
function strongSecret(secret, index) {
  // A code of a short secret can be tried out on any machine.
  if (Buffer.byteLength(secret) < 32) throw new SettingProblem(['secrets', index], 'has less than 32 bytes')
  return secret
}

/**
 * @param {string} issuer
 * @param {unknown} says
 */
function proofOf(issuer, says) {
  const { success, data } = session.safeParse(says)
  if (!success) throw new TokenRejected('it does not say what sessions of the old portal say')
  const { app, user, mail, roles, iat, exp, sid } = data
  return {
    issuer,
    subject: user,
    audiences: [app],
    issuedAt: iat,
    expiresAt: exp,
    id: sid,
    attributes: { user, roles, ...(mail !== undefined && { mail }) },
  }
}

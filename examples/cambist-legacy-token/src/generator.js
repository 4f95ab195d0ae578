import { externalText, NotExpressible, pluginKind, tokenGeneratorSettings, z } from 'cambist'
import { writeLegacyToken } from './legacy-token.js'

const shape = {
  ...tokenGeneratorSettings,
  app: z.string().min(1).meta({ description: 'Which application of the old portal takes the tokens' }),
  secret: externalText,
}

/** Makes session tokens for applications that know nothing else. */
export const legacyGenerator = pluginKind('legacy-token', shape, (settings, parts) => {
  const secret = parts.text(settings.secret)
  const { contract, app } = settings
  for (const name of Object.keys(contract)) {
    if (!['sub', 'mail', 'roles'].includes(name)) parts.problem(['contract', name], 'no session says this: there are sub, mail and roles')
  }
  return {
    tokenType: 'urn:acme:params:oauth:token-type:legacy-session',
    // It has no place for the actor of a delegation: such an exchange is refused.
    expressesActor: false,
    async generate({ attributes: { sub, mail, roles = [] }, expiresBy, now }) {
      if (String(sub).length > 64) throw new NotExpressible('the user name is longer than the 64 characters of a session')
      const id = parts.outside.random(16).toString('base64url')
      const session = { app, user: sub, ...(mail && { mail }), roles, iat: Math.floor(now), exp: Math.floor(expiresBy), sid: id }
      const token = writeLegacyToken(session, secret)
      return { token, id, tokenType: 'N_A', expiresAt: session.exp, content: { claims: session } }
    },
  }
})

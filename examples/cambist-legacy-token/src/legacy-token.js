import { createHmac, timingSafeEqual } from 'node:crypto'

/*
 * A session token of the old portal: `LT1.<base64url of JSON>.<hex of HMAC-SHA-256 over what stands before>`.
 * The JSON has `app` (who may take it), `user`, `mail`, `roles`, `iat`, `exp` and `sid`.
 */

const form = /^LT1\.([A-Za-z0-9_-]{2,8000})\.([0-9a-f]{64})$/

/**
 * Makes a token that says this.
 * @param {Record<string, unknown>} session
 * @param {string} secret
 */
export function writeLegacyToken(session, secret) {
  const signed = `LT1.${Buffer.from(JSON.stringify(session)).toString('base64url')}`
  return `${signed}.${macOf(signed, secret).toString('hex')}`
}

/**
 * What a token says; undefined where none of the secrets has made it.
 * @param {string} token
 * @param {readonly string[]} secrets
 * @returns {unknown}
 */
export function readLegacyToken(token, secrets) {
  const [, payload = '', mac = ''] = form.exec(token) ?? []
  const found = Buffer.from(mac, 'hex')
  const genuine = secrets.some(secret => {
    const expected = macOf(`LT1.${payload}`, secret)
    // Whoever could measure where a comparison stops could guess the code byte by byte.
    return found.length === expected.length && timingSafeEqual(found, expected)
  })
  return genuine ? JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) : undefined
}

/**
 * @param {string} signed
 * @param {string} secret
 */
function macOf(signed, secret) {
  return createHmac('sha256', secret).update(signed).digest()
}

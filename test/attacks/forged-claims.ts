import { encode, type Forgery, genuine, inputOf, jws, signWith, type Victim } from './forging.ts'

const now = () => Math.floor(Date.now() / 1000)

/** Genuine signatures over claims that must not be believed: a careless issuer signs what it is given. */
function signed(victim: Victim, claim: string, values: readonly unknown[]): Forgery[] {
  return values.map(value => ({
    name: `${claim} ${value === undefined ? 'left out' : short(value)}`,
    token: genuine(victim, undefined, { [claim]: value }),
    signed: true,
  }))
}

/** Who says so: exactly one name is believed, with no key but its own (RFC 8725 §3.8). */
export function issuers(victim: Victim): Forgery[] {
  const iss = String(victim.claims().iss)
  const tricks: unknown[] = [
    ...[
      `${iss}/`,
      `${iss}.evil.example`,
      `${iss}@evil.example`,
      `${iss}:443`,
      `${iss}?`,
      `${iss}#`,
      `${iss}/..`,
      `${iss}%00`,
      `${iss}\0`,
      `${iss}\n`,
    ],
    ...[
      ` ${iss}`,
      `${iss} `,
      `\u200b${iss}`,
      `\ufeff${iss}`,
      iss.slice(0, -1),
      iss.toUpperCase(),
      iss.replace('e', '\u0435'),
      iss.replace('e', 'e\u0301'),
    ],
    ...[
      `${iss} https://evil.example`,
      `${iss},https://evil.example`,
      `https://evil.example/?${iss}`,
      `evil-${iss}`,
      victim.neighbour.issuer,
    ],
    ...[undefined, null, '', 0, true, [], [iss], [iss, 'https://evil.example'], [[iss]], {}, { iss }, { toString: iss }, '\ud800', 'null'],
  ]
  return signed(victim, 'iss', tricks)
}

/** For whom it is. `more` are names that only this kind of token must not be for. */
export function audiences(victim: Victim, more: readonly unknown[]): Forgery[] {
  const { server } = victim
  const tricks = [
    ...[
      undefined,
      null,
      '',
      [],
      [''],
      0,
      true,
      {},
      { aud: server },
      { 0: server },
      [[server]],
      [{ aud: server }],
      [null],
      [7],
      [7, server],
      [server, 7],
      [server, null],
    ],
    ...[
      `${server}/`,
      `${server}.evil.example`,
      `${server}:443`,
      server.toUpperCase(),
      server.slice(0, -1),
      `${server}?`,
      `${server}#`,
      `${server}\0`,
    ],
    ...[
      ` ${server}`,
      `${server} `,
      `${server} https://evil.example`,
      `https://evil.example ${server}`,
      `${server},x`,
      JSON.stringify([server]),
    ],
    ...[
      server.replace('e', '\u0435'),
      'https://evil.example',
      ['https://evil.example'],
      '*',
      ['*'],
      'null',
      `${server}/tokens`,
      `${server}/token/`,
      '\ud800',
      ['\ud800'],
    ],
  ]
  return signed(victim, 'aud', [...tricks, ...more])
}

/** About whom it is. */
export function subjects(victim: Victim): Forgery[] {
  const tricks = [undefined, null, '', 0, 1, true, false, [], ['alice'], {}, { sub: 'alice' }, '\ud800', 'al\udfffice']
  const proto = JSON.stringify({ ...victim.claims(), sub: undefined }).replace(/}$/, ',"__proto__":{"sub":"alice"}}')
  return [...signed(victim, 'sub', tricks), ofText(victim, 'sub in __proto__', proto)]
}

/** How long it is good. */
export function expiries(victim: Victim): Forgery[] {
  const at = now()
  const tricks = [
    undefined,
    null,
    0,
    -1,
    1,
    at - 3600,
    at - 60,
    `${at + 600}`,
    '',
    true,
    [],
    [at + 600],
    {},
    { exp: at + 600 },
    (at + 600) * 1000,
    (at + 600) * 1e6,
    1e300,
    253_402_300_800,
  ]
  return [...signed(victim, 'exp', tricks), ...numbers(victim, 'exp')]
}

/** From when on it is good. */
export function beginnings(victim: Victim): Forgery[] {
  const at = now()
  // To come also when the last of a thousand forgeries is sent.
  const tricks = [at + 3600, at + 300, (at - 60) * 1000, 1e300, null, `${at - 60}`, '', true, false, [], [at - 60], {}]
  return ['nbf', 'iat'].flatMap(claim => [...signed(victim, claim, tricks), ...numbers(victim, claim)])
}

// Numbers that JSON does not have, and those that JavaScript cannot hold.
function numbers(victim: Victim, claim: string): Forgery[] {
  const texts = [
    'NaN',
    'Infinity',
    '-Infinity',
    '1e999',
    '1e308',
    '9'.repeat(400),
    '0x7fffffff',
    '01',
    '1_000',
    '1n',
    '+1',
    '.5',
    '1.',
    'undefined',
    '1e',
    '--1',
  ]
  return texts.map(text => {
    const claims = JSON.stringify({ ...victim.claims(), [claim]: 4_711 }).replace(`"${claim}":4711`, `"${claim}":${text}`)
    return ofText(victim, `${claim} ${short(text)}`, claims)
  })
}

/** Claims that change who may use the token, or on whose behalf. */
export function restrictions(victim: Victim): Forgery[] {
  const deep = [1, 2, 3, 4].reduce<object>(act => ({ sub: 'actor', act }), { sub: 'actor' })
  return [
    ...signed(victim, 'cnf', [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { kid: 'x' }, { jwk: {} }, {}, null, 'x', [], false]),
    ...signed(victim, 'act', [
      'x',
      [],
      {},
      null,
      7,
      { sub: 7 },
      { sub: '' },
      { sub: 'a', exp: 1 },
      { sub: 'a', aud: 'x' },
      { sub: 'a', act: {} },
      { sub: 'a', iss: 7 },
      deep,
    ]),
    ...signed(victim, 'may_act', [
      { sub: 'nobody' },
      {},
      [],
      null,
      'gateway',
      { sub: 'gateway', added: 1 },
      { sub: ['gateway'] },
      { iss: 'x', sub: 'gateway' },
    ]),
    ...signed(victim, 'jti', ['', 7, null, {}, []]),
    ...signed(victim, 'scope', [7, {}, null, [7], [['x']], ['a b']]),
    ...signed(victim, 'client_id', [7, '', null]),
  ]
}

/** Payloads that name a claim twice, in all the ways in which that can be hidden. */
export function twice(victim: Victim): Forgery[] {
  const claims = JSON.stringify(victim.claims()).slice(1, -1)
  const pairs = [
    '"iss":"https://evil.example"',
    '"sub":"admin"',
    '"aud":"https://evil.example"',
    '"exp":9999999999',
    '"\\u0061ud":"x"',
    '"s\\u0075b":"admin"',
    '"nested":{"a":1,"a":1}',
    '"list":[{"a":1,"a":2}]',
  ]
  return pairs.flatMap(member => [
    ofText(
      victim,
      `${member} in front`,
      member.startsWith('"nested') || member.startsWith('"list') ? `{${member},${claims},"x":0,"x":1}` : `{${member},${claims}}`,
    ),
    ofText(victim, `${member} behind`, `{${claims},${member}}`),
  ])
}

/** Payloads that are no JSON object in UTF-8. */
export function otherPayloads(victim: Victim): Forgery[] {
  const claims = JSON.stringify(victim.claims())
  const texts = [
    ...[
      '',
      'null',
      'true',
      '7',
      '"text"',
      '[]',
      `[${claims}]`,
      `"${claims.replaceAll('"', '\\"')}"`,
      claims.slice(0, -1),
      `${claims}}`,
      `${claims}${claims}`,
    ],
    ...[
      `${claims}\0`,
      `\ufeff${claims}`,
      `${claims.slice(0, -1)},}`,
      `${claims}//`,
      `/**/${claims}`,
      claims.replaceAll('"', "'"),
      claims.replaceAll(':', '='),
      `${claims}x`,
    ],
    ...[`)]}',\n${claims}`, `\0${claims}`, '{}', '{"":""}', `<claims>${claims}</claims>`],
  ]
  const bytes: Record<string, Buffer> = {
    'UTF-16': Buffer.from(claims, 'utf16le'),
    'UTF-32': Buffer.from([...claims].flatMap(letter => [0, 0, 0, letter.charCodeAt(0)])),
    'an overlong form': Buffer.from(claims.replace('"iss"', '"\xc1\xa9ss"'), 'latin1'),
    'a byte that is no UTF-8': Buffer.from(`${claims.slice(0, -1)},"x":"\xff"}`, 'latin1'),
    'a lone surrogate in UTF-8': Buffer.from(`${claims.slice(0, -1)},"x":"\xed\xa0\x80"}`, 'latin1'),
    'a text that is cut off': Buffer.from(`${claims.slice(0, -1)},"x":"\xe2\x82"}`, 'latin1'),
  }
  const inner = genuine(victim)
  return [
    ...texts.map((text, index) => ofText(victim, `payload ${index}: ${short(text)}`, text)),
    ...Object.entries(bytes).map(([name, payload]) => ofText(victim, `payload in ${name}`, payload)),
    { name: 'a nested JWT', token: jws(keyOf(victim), { ...victim.header, cty: 'JWT' }, inner), signed: true },
    { name: 'a nested JWT as JSON text', token: jws(keyOf(victim), { ...victim.header, cty: 'JWT' }, JSON.stringify(inner)), signed: true },
    { name: 'a nested JWT as a claim', token: jws(keyOf(victim), victim.header, { jwt: inner, token: inner }), signed: true },
  ]
}

/** Huge and deeply nested tokens, genuinely signed. */
export function oversized(victim: Victim): Forgery[] {
  const deep = (depth: number, open: string, close: string) => open.repeat(depth) + (open.endsWith(':') ? '0' : '') + close.repeat(depth)
  const claims = JSON.stringify(victim.claims()).slice(0, -1)
  const key = keyOf(victim)
  const header = JSON.stringify({ alg: key.alg, kid: key.kid, ...victim.header }).slice(0, -1)
  return [
    ofText(victim, 'a payload of 70 KB', `${claims},"x":"${'x'.repeat(70_000)}"}`),
    ofText(victim, '10,000 nested arrays', `${claims},"x":${deep(10_000, '[', ']')}}`),
    ofText(victim, '10,000 nested objects', `${claims},"x":${deep(5_000, '{"a":', '}')}}`),
    ofText(victim, '10,000 arrays that are not closed', `${claims},"x":${'['.repeat(10_000)}}`),
    ofText(victim, 'act nested 500 times', `${claims},"act":${deep(500, '{"sub":"a","act":', '}')}}`),
    ofText(
      victim,
      'a hundred nested lists as aud',
      `${claims.replace(/"aud":"[^"]*",?/, '').replace(/,$/, '')},"aud":${deep(100, '[', ']')}}`,
    ),
    { name: 'a header of 70 KB', token: jws(key, `${header},"x":"${'x'.repeat(70_000)}"}`, victim.claims()), signed: true },
    {
      name: 'a header of 10,000 nested arrays',
      token: jws(key, `${header},"x":${deep(10_000, '[', ']')}}`, victim.claims()),
      signed: true,
    },
    {
      name: 'a header of 5,000 nested objects',
      token: jws(key, `${header},"x":${deep(5_000, '{"a":', '}')}}`, victim.claims()),
      signed: true,
    },
    { name: 'a token of 200 KB without dots', token: 'A'.repeat(200_000) },
    { name: 'a token of 60,000 dots', token: '.'.repeat(60_000) },
    {
      name: 'a signature of 60 KB',
      token: `${inputOf({ alg: key.alg, kid: key.kid, ...victim.header }, victim.claims())}.${'A'.repeat(60_000)}`,
    },
  ]
}

function keyOf(victim: Victim) {
  const [key] = victim.trusted
  if (key === undefined) throw new Error('the victim has no key')
  return key
}

function ofText(victim: Victim, name: string, payload: string | Buffer): Forgery {
  const key = keyOf(victim)
  const input = inputOf({ alg: key.alg, kid: key.kid, ...victim.header }, payload)
  return { name, token: `${input}.${encode(signWith(key.alg, key.privateKey, input))}`, signed: true }
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 70)}... (${text.length})` : text
}

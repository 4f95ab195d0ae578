/** Below what all entries of the test directory are. */
export const suffix = 'dc=example,dc=com'

/** Who asks in most tests. */
export const reader = { dn: `cn=reader,${suffix}`, password: 'reads everything' }

/** The password of every person. */
export const passwordOf = (uid: string) => `secret of ${uid}`

/** How many usual people there are: `p00001` and so on. */
export const people = 10_000

/** The name of the entry of a usual person. */
export const nameOf = (uid: string) => `uid=${uid},ou=people,${suffix}`

export const objectSid = Buffer.from('0105000000000005150000000102030405060708090a0b0c50040000', 'hex')
export const objectGuid = Buffer.from('33221100554477668899aabbccddeeff', 'hex')
export const photo = Buffer.from([0xff, 0xd8, 0x00, 0xfe])

type Lines = Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>

/** The entries of the test directory, as LDIF. */
export function testDirectory(): string {
  return [...entries()].map(([dn, lines]) => ldif(dn, lines)).join('\n')
}

function* entries(): Generator<readonly [string, Lines]> {
  yield [suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'Example' }]
  yield [reader.dn, { objectClass: ['organizationalRole', 'simpleSecurityObject'], cn: 'reader', userPassword: reader.password }]
  for (const ou of ['people', 'special', 'groups', 'far']) yield [`ou=${ou},${suffix}`, { objectClass: 'organizationalUnit', ou }]
  for (let number = 1; number <= people; number++) yield person(`p${String(number).padStart(5, '0')}`, String(number))
  yield* special()
  yield* groups()
}

function person(uid: string, employeeNumber: string, more: Lines = {}): readonly [string, Lines] {
  const usual = { objectClass: 'inetOrgPerson', uid, cn: `Person ${uid}`, sn: uid, mail: `${uid}@example.com`, employeeNumber }
  return [nameOf(uid), { ...usual, userPassword: passwordOf(uid), ...more }]
}

/** Entries that hostile values would like to find, and some that have every character of the languages in their names. */
function* special(): Generator<readonly [string, Lines]> {
  const rich = { objectClass: ['inetOrgPerson', 'extensibleObject'], objectSid, objectGUID: objectGuid, jpegPhoto: photo }
  yield person('alice', 'E-1', {
    ...rich,
    manager: nameOf('admin'),
    mail: ['alice@example.com', 'a.liddell@example.com'],
    description: ['one', 'two'],
    roomNumber: '42',
  })
  yield person('admin', 'E-0', { title: 'root of all evil' })
  yield person('ümit', 'E-2')
  const odd = ['a*b', 'a(b)c', 'back\\slash', 'comma, space', '#hash', 'plus+equals=', 'quote"<>;', "O'Neil & Söhne"]
  for (const [index, cn] of odd.entries()) {
    const dn = `cn=${escaped(cn)},ou=special,${suffix}`
    yield [dn, { objectClass: 'inetOrgPerson', cn, sn: 'special', employeeNumber: `S-${index}` }]
  }
}

function escaped(value: string): string {
  return [...Buffer.from(value)].map(byte => `\\${byte.toString(16).padStart(2, '0')}`).join('')
}

/** alice is in `a`, that in `b`, that in `c`, and `a` is in `c` again: a circle. `deep0` … `deep14` are a line. `p00001` is in many. */
function* groups(): Generator<readonly [string, Lines]> {
  const group = (cn: string, ...member: string[]): readonly [string, Lines] => [groupName(cn), { objectClass: 'groupOfNames', cn, member }]
  yield group('a', nameOf('alice'), groupName('c'))
  yield group('b', groupName('a'))
  yield group('c', groupName('b'))
  for (let depth = 0; depth < 15; depth++) yield group(`deep${depth}`, depth === 0 ? nameOf('admin') : groupName(`deep${depth - 1}`))
  for (let number = 0; number < 60; number++) yield group(`many${number}`, nameOf('p00001'))
  yield group('beyond', ...Array.from({ length: 60 }, (_, number) => groupName(`many${number}`)))
}

/** The name of the entry of a group. */
export function groupName(cn: string): string {
  return `cn=${cn},ou=groups,${suffix}`
}

function ldif(dn: string, lines: Lines): string {
  const written = Object.entries(lines).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map(value => line(name, value)),
  )
  return `${[line('dn', dn), ...written].join('\n')}\n`
}

function line(name: string, value: string | Buffer): string {
  return `${name}:: ${Buffer.from(value as string).toString('base64')}`
}

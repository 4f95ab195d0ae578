import { expect } from 'chai'
import { certifiedKey } from '../../support/certificates.ts'
import { buildStore, prepareLookup, storeFile } from './asking.ts'

const url = 'ldaps://ldap.example.com'

describe('data store ldap, its file', () => {
  const problems = async (more: object, servers: string | readonly string[] = url, texts: Record<string, string> = {}) =>
    (await buildStore(storeFile(servers, more), texts)).problems

  it('has no problems where there are none', async () => {
    expect(await problems({})).to.deep.equal([])
    expect(await problems({}, ['ldap://127.0.0.1:3890', 'ldap://localhost', 'ldap://[::1]:389/'])).to.deep.equal([])
    expect(await problems({ startTls: true }, 'ldap://ldap.example.com')).to.deep.equal([])
    expect(await problems({ bindDn: 'EXAMPLE\\cambist' })).to.deep.equal([])
    expect(await problems({ bindDn: 'cambist@example.com' })).to.deep.equal([])
  })

  const mistakes: ReadonlyArray<readonly [string, object, RegExp, (string | readonly string[])?]> = [
    ['an address of something else', {}, /^servers\.0: expected the address of a directory/, 'https://ldap.example.com'],
    ['an address with a path', {}, /^servers\.0: expected/, 'ldaps://ldap.example.com/dc=example'],
    ['one server twice', {}, /^servers\.1: stands in this list twice/, [url, url]],
    ['a password in the clear', {}, /^servers\.0: is not encrypted/, 'ldap://ldap.example.com'],
    ['StartTLS where there is TLS', { startTls: true }, /^servers\.0: is encrypted from the first byte on/],
    ['a permission that permits nothing', { allowUnencrypted: true }, /^allowUnencrypted: every server is encrypted/],
    ['an authority for nothing', { ca: { env: 'CA' } }, /^ca: is for encrypted connections.*/, 'ldap://127.0.0.1'],
    ['an authority that is none', { ca: { env: 'CA' } }, /^ca: has no certificate in PEM$/],
    ['a certificate without its key', { certificate: { env: 'CERT' } }, /belong together/],
    ['a bind without a password', { password: undefined }, /^bind: needs "bindDn" and "password"/],
    ['an empty password', { password: { env: 'EMPTY' } }, /^password: is empty/],
    ['a password for nobody', { bind: 'anonymous' }, /^bindDn: is for "bind": "simple"/],
    [
      'a certificate that is not there',
      { bind: 'external', bindDn: undefined, password: undefined },
      /^bind: "external" needs the "certificate"/,
    ],
    ['a literal password', { password: 'secret' }, /^password: a secret or a key never stands in the configuration/],
    ['a name that is none', { bindDn: 'reader' }, /^bindDn: "reader" where a name such as ou=people was expected/],
    ['a base that is none', { base: 'dc=example,,dc=com' }, /^base: "" where a name/],
    ['a name that RFC 4514 does not have', { base: 'cn="a",dc=com' }, /^base: .*has a character that is written with/],
    ['an attribute of another kind', { attributes: { 'e mail': { type: 'string' } } }, /no name of an attribute of a directory/],
    ['an object', { attributes: { mail: { type: 'object' } } }, /a directory has no object/],
    ['a list of objects', { attributes: { mail: { type: 'array', items: { type: 'object' } } } }, /a directory has no object/],
    ['bytes that are no attribute', { binary: { objectSit: 'sid' } }, /^binary\.objectSit: "attributes" has no "objectSit"/],
    ['bytes as a number', { binary: { n: 'hex' }, attributes: { n: { type: 'integer' } } }, /is written as text by "binary"/],
    ['groups that are not declared', { nestedGroups: {} }, /^nestedGroups: "attributes" has to declare "groups" as a list/],
    ['more connections than the most', { connections: { min: 5, max: 2 } }, /^connections\.min: is more than "max"/],
    ['a member that is none', { startTLS: true }, /unknown member "startTLS"; did you mean "startTls"/],
  ]
  for (const [what, more, expected, servers] of mistakes) {
    it(`may not have ${what}`, async () => {
      const found = await problems(more, servers ?? url, { EMPTY: '\n', CA: 'nonsense' })
      expect(found.join('\n')).to.match(expected)
    })
  }

  it('may not have the key of another certificate', async () => {
    const [one, other] = [certifiedKey('ES256'), certifiedKey('ES256')]
    const file = { certificate: { env: 'CERT' }, privateKey: { env: 'KEY' } }
    expect(await problems(file, url, { CERT: one.certificatePem, KEY: one.privateKeyPem })).to.deep.equal([])
    const [problem] = await problems(file, url, { CERT: one.certificatePem, KEY: other.privateKeyPem })
    expect(problem).to.equal('certificate: is no certificate (PEM) with the key of "privateKey"')
  })

  it('warns of a password that others can read on its way', async () => {
    const { warnings, problems } = await buildStore(storeFile('ldap://ldap.example.com', { allowUnencrypted: true }))
    expect(problems).to.deep.equal([])
    expect(warnings).to.deep.equal(['ldap-unencrypted allowUnencrypted'])
  })
})

describe('data store ldap, a lookup', () => {
  const checked = async (lookup: object) => {
    const { store } = await buildStore(storeFile(url))
    if (store === undefined) throw new Error('the store has problems')
    return prepareLookup(store, lookup)
  }
  const sound = [
    ...[
      '(uid={x})',
      '(uid=a{x}b)',
      '(&(a=1)(|(b={x})(!(c={y}))))',
      '(cn={x}*)',
      '(cn=*{x}*y*)',
      '(&(cn~=alice)(uid={x}))',
      '(n>={x})',
      '(n<={x})',
      '(mail=*)',
    ],
    ...[
      '(cn:caseExactMatch:={x})',
      '(ou:dn:={x})',
      '(ou:dn:2.5.13.5:={x})',
      '(:2.5.13.5:={x})',
      '(userCertificate;binary={x})',
      '(2.5.4.3={x})',
    ],
    ...['(cn=\\2a{x}\\00)', '(cn=Müller {x})', '(cn=a=b)', '(cn=)', '(cn=a:b)', '(cn=<a>)'],
  ]
  for (const filter of sound) it(`takes ${filter}`, async () => expect((await checked({ filter })).problems).to.deep.equal([]))

  const mistakes: ReadonlyArray<readonly [object, RegExp]> = [
    [{ filter: 'uid={x}' }, /^filter: "uid=\{…\}": "\(" was expected/],
    [{ filter: '(uid={x}' }, /^filter: the end: "\)" was expected/],
    [{ filter: '(uid={x}))' }, /^filter: "\)" follows the filter/],
    [{ filter: '(uid={x})(cn=a)' }, /^filter: .*several are one in/],
    [{ filter: '({x}=alice)' }, /^filter: a value may stand only where the filter has one/],
    [{ filter: '(uid{x}=alice)' }, /^filter: a value may stand only/],
    [{ filter: '(uid:{x}:=alice)' }, /^filter: a value may stand only/],
    [{ filter: '({x})' }, /^filter: .*a comparison such as/],
    [{ filter: '{x}' }, /^filter: .*"\(" was expected/],
    [{ filter: '(&{x})' }, /^filter: .*"\(" was expected/],
    [{ filter: '({x}(uid=a))' }, /^filter: /],
    [{ filter: '(uid=\\{x})' }, /^filter: after \\ come two hexadecimal digits/],
    [{ filter: '(uid=\\2{x})' }, /^filter: after \\ come two hexadecimal digits/],
    [{ filter: '(uid>=a*{x})' }, /^filter: an asterisk stands after = only/],
    [{ filter: '(cn~={x})' }, /^filter: a value may not stand after ~=/],
    [{ filter: '(e mail={x})' }, /^filter: "e mail" is no name of an attribute/],
    [{ filter: '(={x})' }, /^filter: a comparison names no attribute/],
    [{ filter: '(&)' }, /^filter: .*"\(" was expected/],
    [{ filter: '()' }, /^filter: .*a comparison/],
    [{ filter: '(uid={x})', base: 'ou={x}{y},{z}' }, /^base: a value may stand only where a name has one/],
    [{ filter: '(uid={x})', base: '{x}=people' }, /^base: a value may stand only/],
    [{ filter: '(uid={x})', base: 'ou={x},dc=example,' }, /^base: /],
    [{ filter: '(uid={x})', base: 'ou=#{x},dc=example' }, /^base: .*after # come hexadecimal digits/],
    [{ filter: '(uid={x})', base: 'ou=\\{x}' }, /^base: \\.* is nothing in a name/],
    [{ filter: '(uid={x})', base: '{x}' }, /^base: is wholly a value, and so anywhere/],
    [{ filter: '(uid={x})', base: 'ou={x}', within: 'dc=com' }, /^within: "base" is not wholly a value/],
    [{ filter: '(uid={x})', base: '{x}', within: 'nonsense' }, /^within: "nonsense" where a name/],
    [{ filter: `${'(!'.repeat(40)}(uid={x})${')'.repeat(40)}` }, /^filter: the filter is nested more than/],
  ]
  for (const [lookup, expected] of mistakes) {
    it(`does not take ${JSON.stringify(lookup).slice(0, 70)}`, async () => {
      expect((await checked(lookup)).problems.join('\n')).to.match(expected)
    })
  }

  it('is shown to people with its values, as values', async () => {
    const { prepared } = await checked({ filter: '(&(uid={uid})(cn=x))', base: 'ou={ou},dc=example', scope: 'one' })
    expect(prepared.describe(['a*(b)\\', 'people'])).to.equal('(&(uid=a\\2a\\28b\\29\\5c)(cn=x)), one of ou=people,dc=example')
    expect(prepared.describe(['alice ', 'people'])).to.match(/not asked: a value that is empty, or that a directory takes for another/)
  })

  it('is warned of where it takes look-alikes', async () => {
    expect((await checked({ filter: '(uid={x})', lookalikes: true })).warnings).to.deep.equal(['ldap-lookalikes lookalikes'])
  })
})

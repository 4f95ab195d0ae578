import { expect } from 'chai'
import fc from 'fast-check'
import { type RealLdap, requireLdap, startLdap } from '../../real/ldap.ts'
import { suffix } from '../../real/ldap-people.ts'
import { type OpenStore, openStore, storeFile } from './asking.ts'

/** What somebody may write into an attribute of a token to be taken for somebody else, or for everybody. */
const hostile: readonly string[] = [
  ...['*', 'a*', '*)(uid=*', '*)(uid=*))(|(uid=*', 'alice)(objectClass=*', 'x)(|(uid=alice)', ')', '(', '()', '!(uid=x)', '(uid=alice)'],
  ...['\\2a', '\\2A', '\\61lice', 'ali\\', '\\', '\\29', '\\00', '\\\\', '&', '|', '!', '(&)', '(|)'],
  ...['\0', 'alice\0', 'alice\0x', '\0alice', 'x\r\ndn: uid=alice', 'alice\r', 'alice\n', '\talice', 'ali\u0007ce'],
  ...[' alice', 'alice ', '  alice', ' ', '', 'ali  ce', 'alice\u00a0', '\u3000alice', 'alice\u2028'],
  ...[
    'ａｌｉｃｅ',
    'alice\u200b',
    'al\u00adice',
    'a\u2060lice',
    '\ufeffalice',
    'alice\ufe0f',
    'alice\u034f',
    'ⓐlice',
    '𝐚lice',
    'аlice',
    'alicе',
    'aliϲe',
  ],
  ...['al\ud800ice', '\udfffalice', 'alice\ud83d', 'admın', 'adm\u0131n', 'ad\u{1d5c6}in'],
  ...['#alice', '#616c696365', '# ', 'uid=alice', 'alice,ou=people', 'alice+cn=x', 'a"lice', '<alice>', 'alice;x', 'alice=', 'cn=admin'],
  ...['{subject.sub}', '%61lice', '&#97;lice', 'TRUE', '0', 'null', 'alice'.repeat(5_000)],
]

describe('data store ldap, asked with hostile values', function () {
  this.timeout(120_000)
  let server: RealLdap
  let store: OpenStore
  before(async function () {
    requireLdap(this)
    server = await startLdap()
    store = await openStore(storeFile(server.url))
  })
  after(async () => {
    await store?.close()
    await server?.stop()
  })

  const shapes: ReadonlyArray<readonly [string, object]> = [
    ['in a comparison', { filter: '(uid={uid})' }],
    ['in a part of one', { filter: '(mail={uid}@example.com)' }],
    ['among other conditions', { filter: '(&(objectClass=person)(|(uid={uid})(employeeNumber={uid})))' }],
    ['below a negation', { filter: '(&(objectClass=inetOrgPerson)(uid={uid})(!(mail={uid})))' }],
    ['with a matching rule', { filter: '(uid:caseExactMatch:={uid})' }],
    ['in a name', { base: `uid={uid},ou=people,${suffix}`, scope: 'base', filter: '(objectClass=*)' }],
  ]
  for (const [where, lookup] of shapes) {
    it(`${where}, which find nobody`, async () => {
      expect(await store.ask(lookup, ['alice', 'alice', 'alice'], { attributes: ['uid'] }), 'the honest one').to.deep.equal([
        { uid: 'alice' },
      ])
      for (const value of hostile) {
        const found = await store.ask(lookup, [value, value, value])
        expect(found, JSON.stringify(value).slice(0, 60)).to.deep.equal([])
      }
    })
  }

  it('which are an entry where they are its name, character for character', async () => {
    for (const [index, cn] of [
      'a*b',
      'a(b)c',
      'back\\slash',
      'comma, space',
      '#hash',
      'plus+equals=',
      'quote"<>;',
      "O'Neil & Söhne",
    ].entries()) {
      const expected = [{ employeeNumber: `S-${index}` }]
      const attributes = ['employeeNumber']
      expect(await store.ask({ filter: '(cn={cn})' }, [cn], { attributes }), cn).to.deep.equal(expected)
      const base = `cn={cn},ou=special,${suffix}`
      expect(await store.ask({ base, scope: 'base', filter: '(objectClass=*)' }, [cn], { attributes }), cn).to.deep.equal(expected)
    }
  })

  it('none of which finds an entry that has not just this value', async () => {
    const piece = fc.constantFrom('*', '(', ')', '\\', '&', '|', '!', '=', '\0', ',', '+', '#', ' ', '"', 'alice', 'uid', '2a', 'ü', '\r\n')
    const value = fc.oneof(
      fc.array(piece, { maxLength: 6 }).map(pieces => pieces.join('')),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(value, async uid => {
        const found = await store.ask({ filter: '(uid={uid})' }, [uid], { attributes: ['uid'] })
        const [row] = found
        expect(found.length).to.be.at.most(1)
        if (row !== undefined) expect(String(row.uid).toLowerCase()).to.equal(uid.normalize('NFC').toLowerCase())
      }),
      { numRuns: 500 },
    )
  })

  it('that are empty, which do not widen a comparison with asterisks', async () => {
    const lookup = { filter: '(uid={uid}*)' }
    expect(await store.ask(lookup, [''])).to.deep.equal([])
    expect(await store.ask(lookup, ['*'])).to.deep.equal([])
    expect(await store.ask(lookup, ['alic'], { attributes: ['uid'] })).to.deep.equal([{ uid: 'alice' }])
  })

  it('of which look-alikes are asked for only where the lookup says so', async () => {
    const found = async (uid: string) =>
      (await store.ask({ filter: '(uid={uid})', lookalikes: true }, [uid], { attributes: ['uid'] })).map(row => row.uid)
    expect(await found('alice ')).to.deep.equal(['alice'])
    expect(await found('ａｌｉｃｅ')).to.deep.equal(['alice'])
    expect(await found('*')).to.deep.equal([])
    expect(await found('al\ud800ice')).to.deep.equal([])
  })

  it('as numbers and booleans', async () => {
    expect(await store.ask({ filter: '(employeeNumber={n})' }, [42], { attributes: ['uid'] })).to.deep.equal([{ uid: 'p00042' }])
    expect(await store.ask({ filter: '(employeeNumber={n})' }, [true])).to.deep.equal([])
  })

  it('whether a name is composed or not', async () => {
    for (const uid of ['ümit', 'ümit'.normalize('NFD'), 'ÜMIT'])
      expect(await store.ask({ filter: '(uid={uid})' }, [uid], { attributes: ['uid'] })).to.deep.equal([{ uid: 'ümit' }])
  })
})

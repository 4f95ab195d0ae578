import { expect } from 'chai'
import pino from 'pino'
import { Outage } from '../../../src/oauth/errors.ts'
import { type RealLdap, requireLdap, startLdap } from '../../real/ldap.ts'
import { Authority, type Certified } from '../../real/ldap-authority.ts'
import { groupName, nameOf, objectGuid, objectSid, photo, suffix } from '../../real/ldap-people.ts'
import { buildStore, type OpenStore, openStore, storeFile } from './asking.ts'

const text = { type: ['string', 'null'] }
const texts = { type: 'array', items: { type: 'string' } }

/** What went wrong, which has to be the store's fault. */
async function outage(asking: Promise<unknown>): Promise<string> {
  const failure = await asking.then(
    () => expect.fail('there was an answer'),
    error => error,
  )
  expect(failure).to.be.instanceOf(Outage)
  return `${failure.message}: ${failure.cause?.message}`
}

/** Whatever it is asked again and again without a usable answer, the store is not left alone. */
async function remainsAsked(store: OpenStore, lookup: object): Promise<void> {
  const about = { store: 'directory', now: () => 0, log: pino({ level: 'silent' }) }
  for (let count = 0; count < 20; count++) await outage(store.store.breaker.run(() => store.ask(lookup), about))
  expect(store.store.breaker.state).to.equal('closed')
}

describe('data store ldap, of a real directory', function () {
  this.timeout(60_000)
  let authority: Authority
  let client: Certified
  let server: RealLdap
  const opened: OpenStore[] = []
  const open = async (more: object = {}, texts: Record<string, string> = {}, url: string | readonly string[] = server.url) => {
    const store = await openStore(storeFile(url, more), texts)
    opened.push(store)
    return store
  }
  before(async function () {
    requireLdap(this)
    authority = await Authority.make('the authority of the test')
    const certified = await authority.certify('localhost', 'DNS:localhost,DNS:other.example.com')
    client = await authority.certify('client', 'DNS:client')
    server = await startLdap({ authority, certified })
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
  })
  after(async () => {
    await server?.stop()
    await authority?.remove()
  })

  describe('finds entries', () => {
    it('of which it gives the attributes that are asked for', async () => {
      const store = await open()
      const found = await store.ask({ filter: '(mail={mail})' }, ['p00042@example.com'], { attributes: ['employeeNumber', 'dn'] })
      expect(found).to.deep.equal([{ employeeNumber: '42', dn: nameOf('p00042') }])
    })

    it('with lists, an absent one being empty, and an absent text absent', async () => {
      const store = await open({ attributes: { mail: texts, title: text, description: texts, seeAlso: texts } })
      const [alice] = await store.ask({ filter: '(uid={uid})' }, ['alice'])
      expect(alice).to.deep.equal({
        mail: ['alice@example.com', 'a.liddell@example.com'],
        title: undefined,
        description: ['one', 'two'],
        seeAlso: [],
      })
    })

    it('with numbers, and with bytes in their usual forms', async () => {
      const attributes = { roomNumber: { type: 'integer' }, objectSid: text, objectGUID: text, jpegPhoto: text, JPEGPHOTO: text }
      const binary = { objectSid: 'sid', objectGUID: 'guid', jpegPhoto: 'base64', JPEGPHOTO: 'hex' }
      const [alice] = await (await open({ attributes, binary })).ask({ filter: '(uid=alice)' })
      expect(alice).to.deep.equal({
        roomNumber: 42,
        objectSid: 'S-1-5-21-67305985-134678021-202050057-1104',
        objectGUID: '00112233-4455-6677-8899-aabbccddeeff',
        jpegPhoto: photo.toString('base64'),
        JPEGPHOTO: photo.toString('hex'),
      })
      expect([objectSid.length, objectGuid.length]).to.deep.equal([28, 16])
    })

    it('whatever the case of the names of attributes', async () => {
      const store = await open({ attributes: { EMPLOYEENUMBER: text } })
      expect(await store.ask({ filter: '(UID=Alice)' })).to.deep.equal([{ EMPLOYEENUMBER: 'E-1' }])
    })

    it('below a base, at it, or in the whole tree', async () => {
      const store = await open()
      const uids = async (lookup: object) => (await store.ask({ filter: '(objectClass=*)', ...lookup }, [], { attributes: ['uid'] })).length
      expect(await uids({ base: nameOf('alice'), scope: 'base' })).to.equal(1)
      expect(await uids({ base: nameOf('alice'), scope: 'one' })).to.equal(0)
      expect(await uids({ base: `ou=people,${suffix}` })).to.equal(2)
    })

    it('not more than anybody looks at', async () => {
      const store = await open()
      expect(await store.ask({ filter: '(objectClass=inetOrgPerson)' }, [], { atMost: 2 })).to.have.length(2)
      expect(await store.ask({ filter: '(uid=p0001*)' }, [], { atMost: 100 })).to.have.length(10)
    })

    it('and says so where the directory keeps some back', async () => {
      const asking = (await open()).ask({ filter: '(objectClass=inetOrgPerson)' }, [], { atMost: 2_000 })
      expect(await outage(asking)).to.match(/gives no more than 500 entries/)
    })

    it('below a name that a value is part of, where none is nothing', async () => {
      const store = await open()
      const lookup = { base: `ou={ou},${suffix}`, filter: '(uid=alice)' }
      expect(await store.ask(lookup, ['people'])).to.have.length(1)
      expect(await store.ask(lookup, ['nowhere'])).to.deep.equal([])
      expect(await outage(store.ask({ base: `ou=nowhere,${suffix}`, filter: '(uid=alice)' }))).to.match(/noSuchObject \(32\)/)
    })

    it('by a name that an earlier lookup has found, and only where it may be', async () => {
      const store = await open()
      const lookup = { base: '{name}', within: `ou=people,${suffix}`, scope: 'base', filter: '(objectClass=*)' }
      expect(await store.ask(lookup, [nameOf('alice').toUpperCase()], { attributes: ['uid'] })).to.deep.equal([{ uid: 'alice' }])
      for (const name of [suffix, groupName('a'), 'dc=com', 'nonsense', 'uid=alice', `${nameOf('alice')},dc=org`])
        expect(await store.ask(lookup, [name]), name).to.deep.equal([])
    })
  })

  describe('has the groups of an entry', () => {
    const attributes = { groups: texts, uid: text }

    it('and those that these are in, in a circle', async () => {
      const store = await open({ attributes, nestedGroups: { base: `ou=groups,${suffix}` } })
      expect(await store.ask({ filter: '(uid=alice)' })).to.deep.equal([{ groups: ['a', 'b', 'c'], uid: 'alice' }])
      expect(await store.ask({ filter: '(uid=p00002)' })).to.deep.equal([{ groups: [], uid: 'p00002' }])
    })

    it('not farther away than the settings say', async () => {
      const [depth1] = await (await open({ attributes, nestedGroups: { maxDepth: 1 } })).ask({ filter: '(uid=admin)' })
      expect(depth1?.groups).to.deep.equal(['deep0'])
      const [depth15] = await (await open({ attributes, nestedGroups: { maxDepth: 15 } })).ask({ filter: '(uid=admin)' })
      expect(depth15?.groups).to.have.length(15)
    })

    it('which are no answer where some are deeper, rather than without these', async () => {
      for (const nestedGroups of [{}, { maxDepth: 2 }, { maxDepth: 14 }]) {
        const store = await open({ attributes, nestedGroups })
        expect(await outage(store.ask({ filter: '(uid=admin)' }))).to.match(/groups within groups that are more than \d+ deep/)
      }
      // A circle has no end, and no depth either.
      const [alice] = await (await open({ attributes, nestedGroups: { maxDepth: 3 } })).ask({ filter: '(uid=alice)' })
      expect(alice?.groups).to.deep.equal(['a', 'b', 'c'])
    })

    it('in more than one question where they are many, and as names of entries', async () => {
      const [many] = await (await open({ attributes, nestedGroups: { attribute: 'dn' } })).ask({ filter: '(uid=p00001)' })
      expect(many?.groups).to.have.length(61).and.include(groupName('beyond'))
    })

    it('which are no answer where there are more than allowed', async () => {
      const store = await open({ attributes, nestedGroups: { atMost: 60 } })
      expect(await outage(store.ask({ filter: '(uid=p00001)' }))).to.match(/more than 60 groups/)
    })

    it('and asks for none where nobody wants them', async () => {
      const store = await open({ attributes, nestedGroups: { atMost: 1 } })
      expect(await store.ask({ filter: '(uid=p00001)' }, [], { attributes: ['uid'] })).to.deep.equal([{ uid: 'p00001' }])
    })
  })

  describe('is at fault when an attribute is not as declared', () => {
    const cases: ReadonlyArray<readonly [string, object, RegExp]> = [
      ['several values for one', { mail: text }, /"mail" has 2 values/],
      ['bytes for a text', { jpegPhoto: text }, /"jpegPhoto" is no text/],
      ['a text for a number', { cn: { type: 'integer' } }, /"cn" is no integer/],
      ['a text for a boolean', { cn: { type: 'boolean' } }, /"cn" is neither TRUE nor FALSE/],
    ]
    for (const [what, attributes, why] of cases) {
      it(what, async () => {
        expect(await outage((await open({ attributes })).ask({ filter: '(uid=alice)' }))).to.match(why)
      })
    }

    it('and that is no reason to leave the store alone, or one odd entry would keep all others away', async () => {
      await remainsAsked(await open({ attributes: { mail: text } }), { filter: '(uid=alice)' })
    })
  })

  describe('gives up on a question by a limit of its own', () => {
    it('and that is no reason to leave the store alone, or one heavy value would keep all others away', async () => {
      const limited = await startLdap({ settings: ['sizelimit size.unchecked=100'] })
      try {
        const store = await open({}, {}, limited.url)
        expect(await outage(store.ask({ filter: '(sn=*{x}*)' }, ['e']))).to.match(/by a limit of its own.*adminLimitExceeded \(11\)/)
        await remainsAsked(store, { filter: '(sn=*e*)' })
        expect(await store.ask({ filter: '(uid=alice)' })).to.have.length(1)
      } finally {
        await limited.stop()
      }
    })
  })

  describe('logs on', () => {
    const lookup = { filter: '(uid=alice)' }
    const tls = { ca: { env: 'CA' } }
    const withCa = () => ({ CA: authority.certificate })

    it('through TLS', async () => {
      expect(await (await open(tls, withCa(), server.secureUrl)).ask(lookup)).to.have.length(1)
    })

    it('through StartTLS', async () => {
      const url = server.url.replace('127.0.0.1', 'localhost')
      expect(await (await open({ ...tls, startTls: true }, withCa(), url)).ask(lookup)).to.have.length(1)
    })

    it('by its certificate', async () => {
      const file = {
        ...tls,
        certificate: { env: 'CERT' },
        privateKey: { env: 'KEY' },
        bind: 'external',
        bindDn: undefined,
        password: undefined,
      }
      const store = await open(file, { ...withCa(), CERT: client.certificate, KEY: client.privateKey }, server.secureUrl)
      expect(await store.ask(lookup)).to.have.length(1)
    })

    it('not at a server that its authority does not know', async () => {
      expect(await outage((await open({}, {}, server.secureUrl)).ask(lookup))).to.match(/certificate/)
    })

    it('not at a server of another name, whether through TLS or StartTLS', async () => {
      const byAddress = server.secureUrl.replace('localhost', '127.0.0.1')
      expect(await outage((await open(tls, withCa(), byAddress)).ask(lookup))).to.match(
        /127\.0\.0\.1 is not in the cert's list|does not match/,
      )
      expect(await outage((await open({ ...tls, startTls: true }, withCa())).ask(lookup))).to.match(
        /is not in the cert's list|does not match/,
      )
    })

    it('not with a wrong password, which it does not try at every server', async () => {
      const store = await open({}, { PASSWORD: 'wrong' }, [server.url, server.url.replace('127.0.0.1', 'localhost')])
      const before = await server.connections()
      expect(await outage(store.ask(lookup))).to.match(/invalidCredentials \(49\)/)
      expect(await outage(store.ask(lookup))).to.match(/invalidCredentials \(49\)/)
      const after = await server.connections()
      // Every count takes two connections of its own.
      expect(after.total - before.total - 2).to.equal(1)
    })

    it('as nobody only when told to, and sees what nobody may see', async () => {
      const store = await open({ bind: 'anonymous', bindDn: undefined, password: undefined })
      expect(await store.ask(lookup)).to.deep.equal([])
    })
  })

  describe('is tried by "cambist check --online"', () => {
    it('at each of its servers', async () => {
      const { probes } = await buildStore(storeFile([server.url, 'ldap://127.0.0.1:1']))
      expect(probes.map(({ path, what }) => [path, what])).to.deep.equal([
        [['servers', 0], `the directory ${server.url}`],
        [['servers', 1], 'the directory ldap://127.0.0.1:1'],
      ])
      expect(await probes[0]?.run()).to.equal(`logged on; ${suffix} is there`)
      expect(await probes[1]?.run().catch(error => error.message)).to.match(/ECONNREFUSED/)
    })

    it('with its password and its base', async () => {
      const run = async (more: object, texts = {}) => {
        const { probes } = await buildStore(storeFile(server.url, more), texts)
        return await probes[0]?.run().catch(error => error.message)
      }
      expect(await run({}, { PASSWORD: 'wrong' })).to.match(/refuses the bind: invalidCredentials \(49\)/)
      expect(await run({ base: 'dc=example,dc=org' })).to.match(/noSuchObject|nothing at/)
    })
  })
})

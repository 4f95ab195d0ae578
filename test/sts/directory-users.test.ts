import { expect } from 'chai'
import { memoryStore } from '../../src/stores/memory.ts'
import { security } from '../../src/sts/names.ts'
import { type RealLdap, requireLdap, startLdap } from '../real/ldap.ts'
import { passwordOf, reader, suffix } from '../real/ldap-people.ts'
import { makeSigner } from '../saml/forge.ts'
import { until } from '../stores/until.ts'
import { type Files, patched } from '../support/configuration.ts'
import { answered, ask, assertionIn, faulted, trustServerFor, userName } from './asking.ts'

const path = '/sts/users'
const held = (name: string, password = passwordOf(name)) =>
  userName(name, password).replace('<wsse:UsernameToken', `<wsse:UsernameToken xmlns:wsse="${security.wsse}" xmlns:wsu="${security.wsu}"`)
const text = { type: ['string', 'null'] }

/** Before the servers of the tests are started, whose configuration names it. */
let server: RealLdap | undefined

describe('a UsernameToken of somebody in a directory', function () {
  this.timeout(60_000)
  before(async function () {
    requireLdap(this)
    server = await startLdap()
  })
  after(() => server?.stop())

  const withDirectory = (files: Files): Files => {
    const users = {
      type: 'username',
      issuer: 'urn:users',
      dataStore: 'directory',
      filter: '(&(objectClass=person)(uid={username}))',
      attributes: ['mail', 'groups'],
    }
    const { 'policies/token-processors/users.json': _listed, ...others } = files
    return patched(others, {
      'policies/data-stores/directory.json': {
        type: 'ldap',
        servers: [server?.url],
        bindDn: reader.dn,
        password: { file: 'secrets/reader' },
        base: suffix,
        attributes: { uid: { type: 'string' }, mail: text, groups: { type: 'array', items: { type: 'string' } } },
        nestedGroups: { maxDepth: 20 },
        // The clock of these tests stands still.
        breaker: { failures: 1000 },
      },
      'secrets/reader': reader.password,
      'policies/token-processors/users.json': users,
      'policies/idp-connections/users.json': {
        contract: { TOKEN_SUBJECT: { type: 'string' }, email: text },
        attributes: {
          TOKEN_SUBJECT: 'assertion.username',
          email: 'has(assertion.attributes.mail) ? assertion.attributes.mail : null',
        },
        criteria: [{ require: "!('many0' in assertion.attributes.groups)", otherwise: 'not one of many' }],
      },
    })
  }

  describe('at a connection', () => {
    const at = trustServerFor(makeSigner(), withDirectory)
    const reason = () => (at.lastRecord().refusal as { reason: string } | undefined)?.reason

    it('is taken with the password of the entry, and called by its name', async () => {
      for (const name of ['admin', 'ADMIN', 'p00042'])
        expect(assertionIn(await answered(at, { path, subject: held(name, passwordOf(name.toLowerCase())) }))).to.include(
          `<saml:NameID>${name.toLowerCase()}</saml:NameID>`,
        )
    })

    it('has the attributes of the entry', async () => {
      const { text } = await faulted(at, { path, subject: held('p00001') }, 'wst:RequestFailed')
      expect(text).to.include('not one of many')
    })

    it('is refused without it, whoever it is, all alike', async () => {
      const hostile = ['*', 'admin*', 'admin)(uid=*', 'ad  min', 'ａｄｍｉｎ', '\\61dmin', 'admin,ou=people', 'nobody']
      const attempts = [held('admin', 'wrong'), held('admin', ' '), ...hostile.map(name => held(name, passwordOf('admin')))]
      const texts = new Set<string>()
      for (const subject of attempts) {
        const { text } = await faulted(at, { path, subject }, 'wst:FailedAuthentication')
        texts.add(text.replace(/reference [^)]*/, ''))
        expect(reason()).to.equal('subject-token-rejected')
        expect(at.lastRecord().refusal).to.deep.include({ setting: 'policies/token-processors/users.json dataStore' })
      }
      expect(texts).to.have.property('size', 1)
    })

    it('is refused with an empty one, which a directory would take for nobody', async () => {
      const answer = await ask(at, { path, subject: held('p00043', '') })
      expect(answer.status).to.equal(500)
      expect(reason()).to.be.oneOf(['subject-token-rejected', 'subject-token-invalid', 'message-invalid'])
    })

    it('can be guessed a few times only, however the name is written', async () => {
      const names = ['p00100', 'P00100']
      for (let count = 0; count < 10; count++) await ask(at, { path, subject: held(names[count % 2] ?? '', 'a guess') })
      await faulted(at, { path, subject: held('p00100') }, 'wsse:FailedAuthentication')
      expect(reason()).to.equal('too-many-attempts')
      await answered(at, { path, subject: held('p00101') })
    })

    it('leaves no connection open', async () => {
      for (let count = 0; count < 20; count++) await answered(at, { path, subject: held(`p002${String(count).padStart(2, '0')}`) })
      // The server hears a little later that one was closed.
      await until('there are no more than the pool may have', async () => ((await server?.connections())?.current ?? 0) <= 10)
    })
  })

  describe('whose entry cannot be used', () => {
    const narrow = (files: Files) =>
      patched(withDirectory(files), { 'policies/data-stores/directory.json': { nestedGroups: { maxDepth: 2 } } })
    const at = trustServerFor(makeSigner(), narrow)

    it('hears so with the password only: nobody else learns that there is such an entry', async () => {
      const texts = new Set<string>()
      for (const name of ['admin', 'nobody']) {
        const { text } = await faulted(at, { path, subject: held(name, 'a guess') }, 'wst:FailedAuthentication')
        texts.add(text.replace(/reference [^)]*/, ''))
      }
      expect(texts).to.have.property('size', 1)
      expect((await ask(at, { path, subject: held('admin') })).status).to.equal(503)
    })
  })

  describe('whose directory goes away', () => {
    // With a store of its own nothing is foretold, since what comes of it changes between the two.
    const at = trustServerFor(makeSigner(), withDirectory, { store: memoryStore })

    it('could not be proved while the directory is down, and can again afterwards', async () => {
      await server?.kill()
      try {
        const { text } = await ask(at, { path, subject: held('p00050') })
        expect(text).to.include('Fault')
        expect(at.lastRecord().outcome).to.equal('unavailable')
      } finally {
        await server?.start()
      }
      let person = 0
      const next = () => held(`p003${String(person++ % 100).padStart(2, '0')}`)
      await until('the directory is asked again', async () => (await ask(at, { path, subject: next() })).status === 200)
    })
  })
})

import { expect } from 'chai'
import { TemplateSource } from '../../../src/config/values.ts'
import type { Login } from '../../../src/data-stores/sql/login.ts'
import { Outage } from '../../../src/oauth/errors.ts'
import type { RealDatabase } from '../../real/database-process.ts'
import { certifiedKey } from '../../support/certificates.ts'
import { lookupParts } from '../templates.ts'
import { kinds, storeIn } from './databases.ts'

for (const kind of kinds) {
  describe(`data-stores/sql: TLS with ${kind.name}`, function () {
    this.timeout(120_000)
    const own = certifiedKey('ES256', 'localhost')
    const foreign = certifiedKey('ES256', 'localhost')
    const misnamed = certifiedKey('ES256', 'other.example.com')
    const databases: RealDatabase[] = []
    const started = async (tls?: typeof own) => {
      const database = await kind.start(tls)
      databases.push(database)
      return database.port
    }

    before(function () {
      kind.require(this)
    })
    after(async () => {
      for (const database of databases) await database.stop()
    })

    /** What a lookup with these settings gives: the row, or why there is none. */
    const answer = async (login: Login): Promise<string> => {
      const server = kind.server(login)
      try {
        const store = storeIn(kind, server, { id: { type: 'integer' } })
        const query = store.prepare({ query: new TemplateSource('SELECT 5 AS id') }, lookupParts(['id']))
        return JSON.stringify(await query.run([], AbortSignal.timeout(30_000)))
      } catch (error) {
        expect(error).to.be.instanceOf(Outage)
        return String(((error as Outage).cause as Error).message)
      } finally {
        await server.close()
      }
    }

    it('believes the pinned authority, and no other one', async () => {
      const port = await started(own)
      expect(await answer(kind.login(port, { tls: { ca: own.certificatePem } }))).to.equal('[{"id":5}]')
      expect(await answer(kind.login(port, { tls: { ca: foreign.certificatePem } }))).to.match(
        /self-signed certificate|certificate|signature/,
      )
      expect(await answer(kind.login(port, { tls: {} }))).to.match(/self-signed certificate/)
    })

    it('compares the name in the certificate', async () => {
      const port = await started(misnamed)
      expect(await answer(kind.login(port, { tls: { ca: misnamed.certificatePem } }))).to.match(
        /does not match certificate's altnames|altnames/,
      )
    })

    it('says nothing to a server that cannot encrypt', async () => {
      const port = await started()
      expect(await answer(kind.login(port, { tls: { ca: own.certificatePem } }))).to.match(/does not support (SSL|secure)/)
    })

    it('is refused with another password, and does not say it', async () => {
      const port = await started(own)
      const words = await answer(kind.login(port, { tls: { ca: own.certificatePem }, password: 's3cret-wrong' }))
      expect(words).to.match(/password authentication failed|Access denied/)
      expect(words).not.to.contain('s3cret')
    })
  })
}

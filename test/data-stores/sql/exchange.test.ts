import { expect } from 'chai'
import type { RealDatabase } from '../../real/database-process.ts'
import { type Files, patched } from '../../support/configuration.ts'
import { expectError, serverFor } from '../../support/world.ts'
import { kinds } from './databases.ts'

for (const kind of kinds) {
  describe(`an exchange with a lookup in ${kind.name}`, function () {
    this.timeout(120_000)
    let database: RealDatabase

    before(async function () {
      kind.require(this)
      database = await kind.start()
      await database.query(`CREATE TABLE people (emp_no INTEGER PRIMARY KEY, mail VARCHAR(100));
        INSERT INTO people VALUES (4711, 'alice@example.com'), (4712, 'bob@example.com')`)
    })
    after(() => database?.stop())

    const world = serverFor((files: Files) => {
      const { engine, host, port, database: name, username, password } = { engine: kind.name, ...kind.login(database.port) }
      const policy = files['policies/processor-policies/people.json'] as { processors: [{ attributes: object }, ...object[]] }
      const [first, ...others] = policy.processors
      const person = { dataStore: 'hr', query: 'SELECT emp_no AS number FROM people WHERE mail = {subject.email}', attributes: ['number'] }
      return patched(files, {
        'secrets/hr': String(password),
        'policies/data-stores/hr.json': {
          ...{ type: 'sql', engine, host, port, database: name, username, password: { file: 'secrets/hr' }, tls: false },
          ...{ attributes: { number: { type: 'string' } }, breaker: { failures: 2, pause: '1h' } },
        },
        'policies/processor-policies/people.json': {
          processors: [{ ...first, lookups: { person }, attributes: { ...first.attributes, subject: 'lookup.person.number' } }, ...others],
        },
      })
    })

    it('has what the database says', async () => {
      const { claims } = await world.issued({ subject_token: await world.person({ email: 'alice@example.com' }) })
      expect(claims.sub).to.equal('4711')
    })

    it('is refused for whoever is not there, whatever he is called', async () => {
      for (const email of ['nobody@example.com', "' OR ''='", "'; DROP TABLE people; --", 'alice@example.com\0', '%', '0']) {
        await world.refused({ subject_token: await world.person({ email }) }, 'invalid_request', /^lookup-found-nothing/)
      }
      await world.issued({ subject_token: await world.person({ email: 'bob@example.com' }) })
    })

    it('is answered 503 while the database is gone, and goes on without a restart', async () => {
      const request = async () => world.exchange({ subject_token: await world.person({ email: 'bob@example.com' }) })
      await database.kill()
      for (let count = 0; count < 4; count++) {
        const answer = await request()
        expectError(answer, 'temporarily_unavailable')
        expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60)
      }
      await database.start()
      // The breaker's pause is over, and the first question finds the database.
      world.server.advance(7_200)
      expect((await request()).status).to.equal(200)
    })
  })
}

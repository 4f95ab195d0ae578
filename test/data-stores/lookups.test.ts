import { expect } from 'chai'
import { Kept } from '../../src/kept.ts'
import { Outage } from '../../src/oauth/errors.ts'
import { failure, made, ScriptedStore } from './scripted-store.ts'

const alice = [{ number: '0042' }]

describe('a lookup', () => {
  it('passes on what is asked for, and nothing else', async () => {
    const store = new ScriptedStore()
    store.script = async () => [{ number: '0042', groups: ['a'], level: 3, password: 'secret' }]
    const { found } = await made(await store.lookups({ attributes: ['number', 'level'] }))
    expect(found).to.deep.equal({ person: { number: '0042', level: 3 } })
  })

  it('asks with the values, in the order of the query, and describes it', async () => {
    const store = new ScriptedStore()
    const asked: unknown[] = []
    store.script = async values => {
      asked.push(values)
      return alice
    }
    const built = await store.lookups({ query: "{subject.mail} {'}{'} {{x}} {1 + 1} {true}" })
    await made(built)
    expect(asked).to.deep.equal([['a@b.example', '}{', 2, true]])
    expect(built.lookups?.[0]?.describe(['a', 'b', 2, true])).to.equal('<a> <b> {x} <2> <true>')
  })

  it('is not made with null, and finds nothing', async () => {
    const store = new ScriptedStore()
    store.script = async () => alice
    const query = '(&(a={subject.mail})(b={null}))'
    expect(await failure(made(await store.lookups({ query })))).to.match(/^lookup-found-nothing: .* \[lookups\.person\.ifMissing\]$/)
    expect((await made(await store.lookups({ query, ifMissing: 'empty' }))).found).to.deep.equal({ person: {} })
    expect((await made(await store.lookups({ query, ifMissing: 'empty', many: 'list' }))).found).to.deep.equal({ person: [] })
    expect(store.asked).to.equal(0)
  })

  it('refuses a list or an object in the place of one value', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({ query: '{subject.any}' }, { declared: { subject: undefined } })
    for (const any of [['a', 'b'], { a: 1 }, []]) {
      expect(await failure(made(built, { any }))).to.match(/^expression-failed: .*a query takes one value/)
    }
    expect(store.asked).to.equal(0)
    await store.lookups({ query: '(a={[subject.mail]})' })
    expect(store.problems).to.deep.equal([
      'lookups.person.query+4: this gives a list of strings, but a string or a number or a boolean or null is needed',
    ])
  })

  it('says where a template is wrong', async () => {
    for (const [query, problem] of [
      ['(mail={subject.mail)', '+6: this "{" has no "}"'],
      ['(mail=})', '+6: this "}" has no "{"'],
      ['(mail={ })', '+6: there is no expression between these braces'],
      ['(mail={subject.mial})', '+7: subject has no "mial"; did you mean "mail"?'],
    ] as const) {
      const store = new ScriptedStore()
      expect((await store.lookups({ query })).lookups).to.equal(undefined)
      expect(store.problems.join('\n')).to.include(`lookups.person.query${problem}`)
    }
  })

  it('says which attribute or member is not known, and which one may be meant', async () => {
    const store = new ScriptedStore()
    await store.lookups({ attributes: ['number', 'gruops'] })
    await store.lookups({ qeury: 'x' })
    await store.lookups({ timeot: '1s' })
    expect(store.problems).to.deep.equal([
      'lookups.person.attributes.1: the data store "hr" has no attribute "gruops"; did you mean "groups"?',
      'lookups.person.qeury: unknown member "qeury"; did you mean "query"?',
      'lookups.person.timeot: unknown member "timeot"; did you mean "timeout"?',
    ])
  })

  it('takes several entries as its file says', async () => {
    const store = new ScriptedStore()
    store.script = async () => [{ number: '1' }, { number: '2' }]
    expect(await failure(made(await store.lookups()))).to.match(/^lookup-found-several: .* \[lookups\.person\.many\]$/)
    expect((await made(await store.lookups({ many: 'first' }))).found).to.deep.equal({ person: { number: '1' } })
    expect((await made(await store.lookups({ many: 'list' }))).found).to.deep.equal({ person: [{ number: '1' }, { number: '2' }] })
  })

  it('refuses a list that is longer than any is meant to be', async () => {
    const store = new ScriptedStore()
    store.script = async () => Array.from({ length: 1_001 }, (_, index) => ({ number: String(index) }))
    expect(await failure(made(await store.lookups({ many: 'list' })))).to.match(/^lookup-found-several: .*more than 1000/)
  })

  it('never goes on with an answer that is not what the data store declares, and repeats nothing of it', async () => {
    const store = new ScriptedStore()
    for (const row of [{ number: 42 }, { number: null }, {}, { number: ['secret-value'] }]) {
      store.script = async () => [row as never]
      const said = await failure(made(await store.lookups({ ifDown: 'empty', ifMissing: 'empty' })))
      expect(said).to.match(/^Outage: what the data store "hr" answers at lookups\.person is not what its "attributes" say: number/)
      expect(said).to.not.include('secret-value')
    }
    expect(store.store.breaker.state).to.equal('closed')
  })

  it('leaves out what may be absent', async () => {
    const store = new ScriptedStore()
    store.script = async () => [{ number: '1', groups: null }]
    const { found } = await made(await store.lookups({ attributes: ['number', 'groups', 'level'] }))
    expect(found).to.deep.equal({ person: { number: '1' } })
  })
})

describe('a lookup in a data store that is down', () => {
  const down = async () => {
    throw new Outage('the data store "hr" is away')
  }

  it('is an outage with the setting that makes it one, or goes on without the attributes', async () => {
    const store = new ScriptedStore()
    store.script = down
    expect(await failure(made(await store.lookups()))).to.equal('Outage: the data store "hr" is away [lookups.person.ifDown]')
    const { found, told } = await made(await store.lookups({ ifDown: 'empty' }))
    expect(found).to.deep.equal({ person: {} })
    expect(told[0]?.outcome).to.equal('down')
    expect(store.warnings).to.deep.equal(['goes-on-without-data-store lookups.person.ifDown'])
  })

  it('does not wait for what hangs, and tells it to stop', async () => {
    const store = new ScriptedStore()
    let stopped = false
    store.script = (_values, signal) => {
      signal.addEventListener('abort', () => {
        stopped = true
      })
      // It neither answers nor listens.
      return new Promise(() => undefined)
    }
    expect(await failure(made(await store.lookups({ timeout: '1s' })))).to.match(/^Outage: the data store "hr" did not answer within 1 s/)
    expect(stopped).to.equal(true)
  })

  it('hears nothing of what comes too late', async () => {
    const store = new ScriptedStore()
    let reject: (error: Error) => void = () => undefined
    store.script = () => new Promise((_resolve, rejected) => (reject = rejected))
    await failure(made(await store.lookups({ timeout: '1s' })))
    reject(new Error('too late: nobody may hear of this, or the process would end'))
    await new Promise(resolve => setImmediate(resolve))
  })

  it('is left alone after some failures in a row, tried once, and asked again when that works', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({}, { store: { breaker: { failures: 3, pause: '10s' } } })
    store.script = down
    for (let attempt = 0; attempt < 5; attempt++) await failure(made(built))
    expect([store.asked, store.store.breaker.state]).to.deep.equal([3, 'open'])
    expect(await failure(made(built))).to.match(/is not asked, since it has failed 3 times in a row/)

    store.now += 10
    let answer: (rows: typeof alice) => void = () => undefined
    store.script = () => new Promise(resolve => (answer = resolve))
    const trial = made(built)
    expect(store.store.breaker.state).to.equal('half-open')
    expect(await failure(made(built, { mail: 'another@b.example' }))).to.match(/is not asked/)
    expect(store.asked).to.equal(4)
    answer(alice)
    expect((await trial).found).to.deep.equal({ person: { number: '0042' } })
    expect(store.store.breaker.state).to.equal('closed')
    expect(store.logged.map(line => JSON.parse(line).msg)).to.deep.equal([
      'the data store is left alone for a while',
      'the data store answers again',
    ])
  })

  it('is left alone again when the trial fails', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({}, { store: { breaker: { failures: 1, pause: '10s' } } })
    store.script = down
    await failure(made(built))
    store.now += 10
    await failure(made(built))
    await failure(made(built))
    expect([store.asked, store.store.breaker.state]).to.deep.equal([2, 'open'])
    store.now += 10
    store.script = async () => alice
    expect((await made(built)).found).to.deep.equal({ person: { number: '0042' } })
  })

  it('is not left alone for failures with successes between', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({}, { store: { breaker: { failures: 2 } } })
    for (let attempt = 0; attempt < 6; attempt++) {
      store.script = attempt % 2 === 0 ? down : async () => alice
      await failure(made(built))
    }
    expect([store.asked, store.store.breaker.state]).to.deep.equal([6, 'closed'])
  })

  it('is not left alone because of a mistake of ours', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({ ifDown: 'empty' }, { store: { breaker: { failures: 1 } } })
    store.script = async () => {
      throw new TypeError('a bug')
    }
    expect(await failure(made(built))).to.match(/^TypeError/)
    expect(store.store.breaker.state).to.equal('closed')
  })
})

describe('answers of a data store', () => {
  it('are asked for once at a time', async () => {
    const store = new ScriptedStore()
    const answers: Array<(rows: typeof alice) => void> = []
    store.script = () => new Promise(resolve => answers.push(resolve))
    const built = await store.lookups()
    const same = [made(built), made(built), made(built)]
    const other = made(built, { mail: 'other@b.example' })
    await new Promise(resolve => setImmediate(resolve))
    expect(store.asked).to.equal(2)
    for (const answer of answers) answer(alice)
    const all = await Promise.all([...same, other])
    for (const { found } of all) expect(found).to.deep.equal({ person: { number: '0042' } })
    expect(all.map(({ told }) => told[0]?.joined)).to.deep.equal([false, true, true, false])
    // What is over is not remembered where nobody says so.
    store.script = async () => alice
    await made(built)
    expect(store.asked).to.equal(3)
  })

  it('fail together, and the next one asks anew', async () => {
    const store = new ScriptedStore()
    store.script = async () => {
      throw new Outage('away')
    }
    const built = await store.lookups()
    const failures = await Promise.all([failure(made(built)), failure(made(built))])
    expect(failures.map(said => said.split(' ')[0])).to.deep.equal(['Outage:', 'Outage:'])
    expect(store.asked).to.equal(1)
    store.script = async () => alice
    expect((await made(built)).found).to.deep.equal({ person: { number: '0042' } })
  })

  it('are remembered for their time, also that there is none', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({ cache: { ttl: '60s', missing: '5s' }, ifMissing: 'empty' })
    store.script = async () => []
    await made(built)
    expect((await made(built)).told[0]).to.include({ outcome: 'missing', cached: true })
    store.script = async () => alice
    store.now += 5
    expect((await made(built)).told[0]).to.include({ outcome: 'found', cached: false })
    store.now += 59
    expect((await made(built)).told[0]).to.include({ outcome: 'found', cached: true })
    store.now += 1
    expect((await made(built)).told[0]).to.include({ outcome: 'found', cached: false })
    expect(store.asked).to.equal(3)
  })

  it('serve while the data store is down, and what fails is not remembered', async () => {
    const store = new ScriptedStore()
    const built = await store.lookups({ cache: { ttl: '60s' } })
    store.script = async () => {
      throw new Outage('away')
    }
    await failure(made(built))
    store.script = async () => alice
    await made(built)
    store.script = async () => {
      throw new Outage('away')
    }
    expect((await made(built)).found).to.deep.equal({ person: { number: '0042' } })
    expect(store.asked).to.equal(2)
  })

  it('make room for each other: those that were not used for longest go', async () => {
    const store = new ScriptedStore()
    store.script = async () => alice
    const built = await store.lookups({ cache: { ttl: '60s', entries: 2 } })
    const asked = async (mail: string) => (await made(built, { mail })).told[0]?.cached
    expect([await asked('a'), await asked('b'), await asked('a'), await asked('c')]).to.deep.equal([false, false, true, false])
    expect([await asked('a'), await asked('b')]).to.deep.equal([true, false])
  })

  it('make room for each other where they are large, and one that is too large is not remembered', async () => {
    const store = new ScriptedStore()
    let size = 0
    store.script = async () => [{ number: 'x'.repeat(size) }]
    const built = await store.lookups({ cache: { ttl: '60s', maxBytes: 10_000 } })
    const asked = async (mail: string, bytes: number) => {
      size = bytes
      return (await made(built, { mail })).told[0]?.cached
    }
    for (const mail of ['a', 'b', 'a', 'c']) await asked(mail, 4_000)
    expect([await asked('a', 4_000), await asked('c', 4_000), await asked('b', 4_000)]).to.deep.equal([true, true, false])
    expect([await asked('d', 20_000), await asked('d', 20_000)]).to.deep.equal([false, false])
    expect([await asked('c', 4_000), await asked('b', 4_000)]).to.deep.equal([true, true])
    // One that has ended and is asked again does not count twice.
    for (let round = 0; round < 10; round++) {
      store.now += 61
      for (const mail of ['a', 'b']) expect(await asked(mail, 4_000)).to.equal(false)
      for (const mail of ['a', 'b']) expect(await asked(mail, 4_000)).to.equal(true)
    }
  })

  it('are not remembered for values that would fill the memory', async () => {
    const store = new ScriptedStore()
    store.script = async () => alice
    const built = await store.lookups({ cache: { ttl: '60s' } })
    const mail = 'x'.repeat(10_000)
    await made(built, { mail })
    expect((await made(built, { mail })).told[0]?.cached).to.equal(false)
  })

  it('outlive a reload while store and lookup are the same, and no longer', async () => {
    const kept = new Kept()
    const store = new ScriptedStore()
    store.script = async () => alice
    const reload = async (lookup: object, settings: object = {}) => {
      const draft = kept.draft()
      const built = await store.lookups({ cache: { ttl: '60s' }, ...lookup }, { kept: draft, store: settings })
      draft.settle()
      return (await made(built)).told[0]?.cached
    }
    expect(await reload({})).to.equal(false)
    expect(await reload({})).to.equal(true)
    expect(await reload({ description: 'the same' })).to.equal(true)
    expect(await reload({ query: '(email={subject.mail})' })).to.equal(false)
    expect(await reload({ query: '(email={subject.mail})', attributes: ['number', 'level'] })).to.equal(false)
    expect(await reload({ query: '(email={subject.mail})', attributes: ['number', 'level'] }, { breaker: { failures: 7 } })).to.equal(false)
  })

  it('of ten thousand subjects take no more memory than the bound', async () => {
    const store = new ScriptedStore()
    store.script = async () => alice
    const built = await store.lookups({ cache: { ttl: '60s', entries: 10 } })
    for (let index = 0; index < 10_000; index++) await made(built, { mail: `subject-${index}` })
    expect(store.asked).to.equal(10_000)
    for (let index = 9_990; index < 10_000; index++)
      expect((await made(built, { mail: `subject-${index}` })).told[0]?.cached).to.equal(true)
    expect((await made(built, { mail: 'subject-9989' })).told[0]?.cached).to.equal(false)
  })
})

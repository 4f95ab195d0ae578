import { randomBytes } from 'node:crypto'
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { pino } from 'pino'
import { buildConfiguration, parseConfiguration } from '../../src/config/load.ts'
import { describeWarning } from '../../src/config/problems.ts'
import { readSources } from '../../src/config/read.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { certifiedKey } from '../support/certificates.ts'
import { environment, replaced, type Texts, wholeConfiguration, writeFolder } from './configuration.ts'

describe('keys without a successor', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })

  /** The warnings of the configuration, one of whose files has not been touched for so many days. */
  async function warnings(files: Texts, old?: { readonly file: string; readonly days: number }) {
    const { folder, remove } = writeFolder(files)
    const now = () => Date.now() / 1000
    const fetch = () => Promise.reject(new Error('nothing is fetched here'))
    const outside = { effects: undefined, fetch, now, store: memoryStore(now), log: pino({ level: 'silent' }), random: randomBytes }
    try {
      const then = now() - (old?.days ?? 0) * 86_400
      if (old !== undefined) utimesSync(join(folder, old.file), then, then)
      const loaded = await buildConfiguration(await parseConfiguration(await readSources(folder), folder, environment), outside)
      return loaded.warnings.map(describeWarning)
    } finally {
      remove()
    }
  }

  it('are warned of when they are older than a year', async () => {
    expect(await warnings(whole, { file: 'secrets/mail.pem', days: 400 })).to.deep.equal([
      'keys/mail.json:3:3 status: its file is older than a year, and no key with "status": "next" replaces it [key-without-successor]',
    ])
    expect(await warnings(whole, { file: 'secrets/mail.pem', days: 300 })).to.deep.equal([])
  })

  it('are those that have none', async () => {
    expect(await warnings(whole, { file: 'secrets/api.pem', days: 400 })).to.deep.equal([])
    expect(
      (await warnings({ ...whole, 'keys/api-next.json': undefined }, { file: 'secrets/api.pem', days: 400 })).map(
        line => line.split(' ')[0],
      ),
    ).to.deep.equal(['keys/api.json:3:3'])
  })

  it('are warned of before their certificate ends, whatever their age', async () => {
    // The certificates begin a year ago.
    const ending = (days: number) => {
      const { privateKeyPem, certificatePem } = certifiedKey('ES256', 'api', 365 + days)
      return {
        ...whole,
        'keys/api-next.json': undefined,
        'keys/api.json': replaced(
          whole['keys/api.json'] ?? '',
          '"secrets/api.pem" }',
          '"secrets/api.pem" }, "certificate": { "file": "secrets/api.crt" }',
        ),
        'secrets/api.pem': privateKeyPem,
        'secrets/api.crt': certificatePem,
      }
    }
    const old = { file: 'secrets/api.pem', days: 500 }
    expect(await warnings(ending(100), old)).to.deep.equal([])
    expect((await warnings(ending(60), old)).join()).to.match(
      /^keys\/api\.json:3:3 status: its certificate ends on 2\d{3}-\d\d-\d\d, and no key .* \[key-without-successor\]$/,
    )
    expect((await warnings(ending(20), old)).join()).to.match(/^keys\/api\.json:4:\d+ certificate: .* \[certificate-expires\]$/)
  })
})

import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { environment, replaced, wholeConfiguration, writeFolder } from '../config/configuration.ts'
import { cambist, patience } from './run.ts'

describe('cambist serve', function () {
  this.timeout(patience)

  let whole: Record<string, string>
  before(async () => {
    whole = await wholeConfiguration()
  })
  const textOf = (file: string) => whole[file] ?? ''

  for (const workers of [1, 2]) {
    it(`prints every problem and starts nothing, with ${workers} workers`, async () => {
      const { folder, remove } = writeFolder({
        ...whole,
        'server.json': replaced(textOf('server.json'), '"workers": 1', `"workers": ${workers}`),
        'keys/mail.json': replaced(textOf('keys/mail.json'), '"ECDH-ES"', '"ECDH"'),
        'policies/token-processors/own.json': replaced(textOf('policies/token-processors/own.json'), '"billing"', '"biling"'),
      })
      const before = readdirSync(folder)
      try {
        const { code, output, complaints } = await cambist(['serve', '--config', folder], { env: environment })
        expect({ code, output }).to.deep.equal({ code: 1, output: '' })
        expect(complaints.split('\n').map(line => line.replace(/: expected one of .*found/, ': … found'))).to.deep.equal([
          'keys/mail.json:2:3 algorithm: … found "ECDH"',
          'policies/token-processors/own.json:3:34 accessTokenManagers[1]: there is no policies/access-token-managers/biling.json; did you mean "billing"?',
          '2 problems; nothing was started',
          '',
        ])
        expect(readdirSync(folder)).to.deep.equal(before)
      } finally {
        remove()
      }
    })
  }

  it('makes no files for a configuration that is not the sample', async () => {
    const { folder, remove } = writeFolder({ ...whole, 'secrets/api.pem': undefined })
    try {
      const { code, complaints } = await cambist(['serve', '--config', folder], { env: environment })
      expect(code).to.equal(1)
      expect(complaints).to.include('keys/api.json:4:3 privateKey: there is no file secrets/api.pem in the configuration folder\n')
      expect(existsSync(join(folder, 'secrets/api.pem'))).to.equal(false)
    } finally {
      remove()
    }
  })

  it('says that its port is taken', async () => {
    const other = createServer()
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const { folder, remove } = writeFolder({ ...whole, 'server.json': replaced(textOf('server.json'), '3000', String(port)) })
    try {
      const { code, complaints } = await cambist(['serve', '--config', folder], { env: environment })
      expect(code).to.equal(1)
      expect(complaints).to.equal(
        `cannot listen on 127.0.0.1:${port}: another process listens there already; change "listen" in server.json\n`,
      )
    } finally {
      other.close()
      remove()
    }
  })
})

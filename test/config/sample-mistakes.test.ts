import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { certifiedKey } from '../support/certificates.ts'
import { replaced, type Texts } from './configuration.ts'
import { readMistakes } from './read-mistakes.ts'
import { SampleFolder, sampleTexts } from './sample-texts.ts'

const tables = new URL('sample-mistakes/', import.meta.url)
const policy = 'policies/processor-policies/people.json'
const orders = 'policies/access-token-managers/orders.json'
const billing = 'policies/access-token-managers/billing.json'
const ledger = 'policies/generator-groups/ledger.json'

/** Whoever uses something that is gone is named, with the line that names it. */
const removed: Record<string, readonly string[]> = {
  'policies/token-processors/sample-people.json': [
    `${policy}:13:7 processors[0].subjectTokenProcessor`,
    `${policy}:24:7 processors[1].subjectTokenProcessor`,
  ],
  'policies/token-processors/sample-agents.json': [`${policy}:26:7 processors[1].actorTokenProcessor`],
  'policies/token-processors/own.json': [`${policy}:57:7 processors[4].subjectTokenProcessor`],
  [policy]: ['server.json:8:17 defaults.processorPolicy'],
  [orders]: [
    `${policy}:67:7 issues[0].accessTokenManager`,
    'policies/token-processors/own.json:5:27 accessTokenManagers[0]',
    'server.json:8:46 defaults.accessTokenManager',
  ],
  [billing]: [
    'clients/orders.json:6:63 tokenExchange.accessTokenManagers[0]',
    'clients/orders.json:6:88 tokenExchange.default.accessTokenManager',
    `${policy}:71:7 issues[1].accessTokenManager`,
    'policies/token-processors/own.json:5:37 accessTokenManagers[1]',
  ],
  'policies/token-generators/ledger-saml2.json': [
    `${ledger}:7:5 generators["urn:ietf:params:oauth:token-type:saml2"]`,
    'policies/idp-connections/sample-idp.json:18:7 generators[0].tokenGenerator',
    `${policy}:75:7 issues[2].tokenGenerator`,
  ],
  [ledger]: [
    `${policy}:75:7 issues[2].tokenGenerator`,
    `${policy}:80:7 issues[3].tokenGenerator`,
    'server.json:8:78 defaults.generatorGroup',
  ],
  'keys/api.json': [`${orders}:6:3 signingKey`],
  'keys/saml.json': [
    'policies/token-generators/ledger-saml11.json:7:3 signingKey',
    'policies/token-generators/ledger-saml2.json:7:3 signingKey',
  ],
  'keys/api.pem': ['keys/api.json:6:3 privateKey'],
  'keys/saml.crt.pem': ['keys/saml.json:7:3 certificate'],
  'keys/sample-issuer.jwks': [
    'policies/token-processors/sample-agents.json:5:60 issuers[0].jwks',
    'policies/token-processors/sample-people.json:5:60 issuers[0].jwks',
  ],
  'keys/orders-client.secret': ['clients/orders.json:5:69 authentication.secrets[0].file'],
}

/** What else can befall a folder. */
const accidents: Array<[what: string, change: (folder: string) => void, names: string[], lines: string[]]> = [
  [
    'server.json is not there',
    folder => renameSync(join(folder, 'server.json'), join(folder, 'old')),
    ['server.json', 'old'],
    ['server.json:1:1 this file is missing; every configuration starts with it'],
  ],
  [
    'a file is empty',
    folder => writeFileSync(join(folder, 'clients/orders.json'), ''),
    ['clients/orders.json'],
    ['clients/orders.json:1:1 the file is empty'],
  ],
  [
    'a file is cut off',
    folder => writeFileSync(join(folder, 'clients/orders.json'), '{\n  "enabled": true,\n  "authen'),
    ['clients/orders.json'],
    ['clients/orders.json:3:3 the text that starts here does not end on its line (is a quote missing?)'],
  ],
  [
    'a file begins with a byte order mark',
    folder => writeFileSync(join(folder, 'clients/orders.json'), '\ufeff{}'),
    ['clients/orders.json'],
    ['clients/orders.json:1:1 the file starts with a byte order mark; save it as UTF-8 without one'],
  ],
  [
    'a file is Latin-1',
    folder => writeFileSync(join(folder, 'clients/orders.json'), Buffer.from('{ "description": "Zürich" }', 'latin1')),
    ['clients/orders.json'],
    ['clients/orders.json:1:1 the file is not UTF-8'],
  ],
  [
    'a file holds what git leaves of a conflict',
    folder => writeFileSync(join(folder, 'clients/orders.json'), '{\n<<<<<<< HEAD\n  "enabled": true\n'),
    ['clients/orders.json'],
    ['clients/orders.json:2:1 this is no JSON value; names and texts stand in double quotes'],
  ],
  [
    'a file opens more brackets than anybody can follow',
    folder => writeFileSync(join(folder, 'clients/orders.json'), `{ "a": "[[", "b": ${'['.repeat(200_000)}`),
    ['clients/orders.json'],
    ['clients/orders.json:1:118 no more than 100 lists and objects stand in each other'],
  ],
  [
    'a folder stands where a file was meant',
    folder => mkdirSync(join(folder, 'clients/new.json')),
    ['clients/new.json'],
    ['clients/new.json:1:1 this is no file'],
  ],
  [
    'a link leads nowhere',
    folder => symlinkSync('nowhere.json', join(folder, 'clients/linked.json')),
    ['clients/linked.json'],
    ['clients/linked.json:1:1 the file cannot be read (ENOENT)'],
  ],
  [
    'a secret is a folder',
    folder => {
      renameSync(join(folder, 'keys/orders-client.secret'), join(folder, 'keys/old'))
      mkdirSync(join(folder, 'keys/orders-client.secret'))
    },
    ['keys/orders-client.secret', 'keys/old'],
    ['clients/orders.json:5:69 authentication.secrets[0].file: the file keys/orders-client.secret cannot be read (it is a folder)'],
  ],
  [
    'a secret is empty',
    folder => writeFileSync(join(folder, 'keys/orders-client.secret'), '\n'),
    ['keys/orders-client.secret'],
    ['clients/orders.json:5:69 authentication.secrets[0].file: the file keys/orders-client.secret is empty'],
  ],
  [
    'the folder of the clients is misspelt',
    folder => renameSync(join(folder, 'clients'), join(folder, 'client')),
    ['client', 'clients/orders.json', 'clients/sample.json'],
    [
      'client/orders.json:1:1 this file is not read; did you mean "clients"?',
      'client/sample.json:1:1 this file is not read; did you mean "clients"?',
    ],
  ],
  [
    'a kind of file stands beside the policies',
    folder => {
      mkdirSync(join(folder, 'token-processor'))
      writeFileSync(join(folder, 'token-processor/acme.json'), '{ "type": "jwt", "issuers": [] }')
      writeFileSync(join(folder, 'token-processor/package.json'), '{ "name": "something else" }')
    },
    ['token-processor'],
    ['token-processor/acme.json:1:1 this file is not read; did you mean "policies/token-processors"?'],
  ],
  [
    'a file stands a folder too deep',
    folder => {
      mkdirSync(join(folder, 'clients/team'))
      writeFileSync(join(folder, 'clients/team/a.json'), '{}')
    },
    ['clients/team'],
    ['clients/team/a.json:1:1 files stand directly in clients/, not in folders below it'],
  ],
]

describe('mistakes in the sample configuration', () => {
  let sample: SampleFolder
  let texts: Texts
  before(async function () {
    this.timeout(60_000)
    texts = await sampleTexts()
    sample = new SampleFolder(texts)
  })
  after(() => sample?.remove())
  const textOf = (file: string) => String(texts[file] ?? '')

  it('are none as it is shipped', async () => expect(await sample.problemsWith({})).to.deep.equal([]))

  for (const table of readdirSync(tables)) {
    describe(`in ${table.replace('.txt', '')}`, () => {
      for (const { file, removed: found, written, lines } of readMistakes(new URL(table, tables))) {
        it(`${file}: ${(written || `without ${found}`).trim()}`, async () => {
          expect(lines, 'a mistake has a problem').to.not.deep.equal([])
          const text = found === '' ? written : replaced(textOf(file), found, written)
          expect(await sample.problemsWith({ [file]: text })).to.deep.equal(lines)
        })
      }
    })
  }

  describe('of what is used and gone name the users:', () => {
    for (const [file, users] of Object.entries(removed)) {
      it(file, async () => {
        const lines = await sample.problemsWith({ [file]: undefined })
        expect(lines.map(line => line.replace(/: (?:there is no|is never reached).*$/, ''))).to.deep.equal(users)
      })
    }

    it('a scope of server.json', async () => {
      const server = replaced(textOf('server.json'), '"orders.read": "Read orders", ', '')
      expect((await sample.problemsWith({ 'server.json': server })).map(line => line.split(': ')[0])).to.deep.equal([
        'clients/orders.json:9:14 scopes[0]',
        'clients/sample.json:8:14 scopes[0]',
      ])
    })

    it('a file that another one extends', async () => {
      const child = '{\n  "extends": "gone",\n  "audiences": ["child"]\n}'
      expect(await sample.problemsWith({ 'policies/access-token-managers/child.json': child })).to.deep.equal([
        'policies/access-token-managers/child.json:2:3 extends: there is no policies/access-token-managers/gone.json',
      ])
    })

    it('a key that another one replaces, a client that a manager lists, a key that decrypts', async () => {
      const files = {
        'keys/api.json': replaced(textOf('keys/api.json'), '"status": "active"', '"status": "active", "replaces": "gone"'),
        [billing]: replaced(textOf(billing), '"lifetime"', '"clients": ["gone"], "lifetime"'),
        'policies/token-processors/sample-people.json': replaced(
          textOf('policies/token-processors/sample-people.json'),
          '"algorithms"',
          '"decryptionKeys": ["gone"], "algorithms"',
        ),
      }
      expect(await sample.problemsWith(files)).to.deep.equal([
        'clients/orders.json:6:88 tokenExchange.default.accessTokenManager: can never be issued: "clients" of "billing" does not list this client',
        'keys/api.json:5:23 replaces: there is no keys/gone.json',
        `${billing}:5:15 clients[0]: there is no clients/gone.json`,
        'policies/token-processors/sample-people.json:6:22 decryptionKeys[0]: there is no keys/gone.json',
      ])
    })
  })

  describe('of the folder:', () => {
    for (const [what, change, names, lines] of accidents) {
      it(what, async () => expect(await sample.problemsAfter(change, names)).to.deep.equal(lines))
    }
  })

  describe('of keys and certificates:', () => {
    const other = certifiedKey('RS256', 'other')
    it('the certificate of another key', async () => {
      expect(await sample.problemsWith({ 'keys/saml.crt.pem': other.certificatePem })).to.deep.equal([
        'keys/saml.json:7:3 certificate: the certificate belongs to another key',
      ])
    })
    it('a key that the algorithm does not fit', async () => {
      expect(await sample.problemsWith({ 'keys/api.pem': other.privateKeyPem })).to.deep.equal([
        'keys/api.json:6:3 privateKey: a key of type rsa does not fit ES256',
      ])
    })
    it('one key in two files', async () => {
      expect(await sample.problemsWith({ 'keys/twin.json': textOf('keys/api.json') })).to.deep.equal([
        'keys/twin.json:6:3 privateKey: is the same key as that of "api"',
      ])
    })
    it('a line of keys that is broken does not touch the others', async () => {
      const broken = replaced(textOf('keys/api.json'), '"active"', '"retired"')
      expect(await sample.problemsWith({ 'keys/api.json': broken })).to.deep.equal([
        'keys/api.json:5:3 status: no key is active among "api"',
      ])
    })
  })

  it('in several files are all reported at once', async () => {
    const files = {
      'server.json': replaced(textOf('server.json'), '"port": 3000', '"prot": 3000'),
      'clients/orders.json': replaced(textOf('clients/orders.json'), '["orders.read"]', '["orders.raed"]'),
      [ledger]: replaced(textOf(ledger), '"ledger-saml11"', '"ledger-saml1"'),
      [policy]: replaced(
        textOf(policy),
        '"require": "subject.email_verified", "otherwise": "the e-mail address is not verified" }]\n    },\n    {\n      "description"',
        '"require": "subject.email_verifed", "otherwise": "no" }]\n    },\n    {\n      "description"',
      ),
    }
    expect((await sample.problemsWith(files)).map(line => line.split(' ')[0])).to.deep.equal([
      `${ledger}:8:5`,
      `${policy}:19:42`,
      'server.json:6:36',
    ])
    const { 'server.json': _, ...others } = files
    expect((await sample.problemsWith(others)).map(line => line.split(' ')[0])).to.deep.equal([
      'clients/orders.json:9:14',
      `${ledger}:8:5`,
      `${policy}:19:42`,
    ])
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { problemsOf, replaced, type Texts, warningsOf, wholeConfiguration } from './configuration.ts'

const policy = 'policies/processor-policies/people.json'
const people = 'policies/token-processors/people.json'
const agents = 'policies/token-processors/agents.json'
const builds = 'policies/token-processors/builds.json'
const partner = 'policies/token-processors/partner.json'
const api = 'policies/access-token-managers/api.json'
const billing = 'policies/access-token-managers/billing.json'
const basic = 'clients/basic.json'

/** One change of a file: what is replaced, and by what. */
type Change = readonly [file: string, found: string, written: string]

interface Case {
  /** Makes the warning appear. */
  readonly dangerous: readonly Change[]
  readonly lines: readonly string[]
  /** Comes near, and is not warned of. */
  readonly harmless: readonly (readonly Change[])[]
}

const email = '        "email": "subject.email",'
const secondPeople = `{ "extends": "people", "issuers": [{ "issuer": "https://others.example", "jwksUri": "https://others.example/jwks" }] }`
const mappingOfOthers = `"processors": [
    {
      "subjectTokenType": "urn:example:others",
      "subjectTokenProcessor": "others",
      "attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[]" }
    },`

const mappingStart = '"processors": ['
const mappingOfAgents = (type: string) => `"processors": [
    {
      "subjectTokenType": "${type}",
      "subjectTokenProcessor": "agents",
      "attributes": { "subject": "subject.iss + '|' + subject.sub", "email": "'agents@example.com'", "groups": "[]" }
    },`
const policyCriteria = `  "criteria": [{ "require": "policy.email.endsWith('@example.com')", "otherwise": "our own people only" }],\n`
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()

const defaultToApi: Change = [basic, '"default": { "accessTokenManager": "billing" }', '"default": { "accessTokenManager": "api" }']

const notIssued: Change = [
  policy,
  `    },\n    {\n      "accessTokenManager": "billing",\n      "attributes": { "sub": "policy.subject", "email": "policy.email" }\n    }`,
  '    }',
]

const tableOfPeople = `{ "type": "table", "file": "hr.csv", "keys": ["mail"],
  "attributes": { "mail": { "type": "string" }, "number": { "type": "string" } } }`
const lookupOf = (more: string) => `      "lookups": { "person": { "dataStore": "hr", "where": { "mail": "{subject.email}" },
  "attributes": ["number"],
  ${more} } },
      "attributes": {\n        "subject"`

const cases: Record<string, Case> = {
  'admin-in-public': {
    dangerous: [
      ['server.json', '"listen": {', '"admin": { "listen": { "host": "0.0.0.0" }, "bearer": { "file": "secrets/partner" } }, "listen": {'],
    ],
    lines: ['server.json:3:26 admin.listen.host: explanations are given to other machines, without TLS [admin-in-public]'],
    harmless: [[['server.json', '"listen": {', '"admin": { "bearer": { "file": "secrets/partner" } }, "listen": {']]],
  },
  'goes-on-without-data-store': {
    dangerous: [
      ['hr.csv', '', 'mail,number\n'],
      ['policies/data-stores/hr.json', '', tableOfPeople],
      [policy, '      "attributes": {\n        "subject"', lookupOf('"ifDown": "empty"')],
    ],
    lines: [
      `${policy}:14:3 processors[0].lookups.person.ifDown: while the data store is down, exchanges go on without these attributes [goes-on-without-data-store]`,
    ],
    harmless: [
      [
        ['hr.csv', '', 'mail,number\n'],
        ['policies/data-stores/hr.json', '', tableOfPeople],
        [policy, '      "attributes": {\n        "subject"', lookupOf('"ifDown": "refuse", "ifMissing": "empty"')],
      ],
    ],
  },
  'audience-near-miss': {
    dangerous: [[people, '"audiences": ["https://sts.example.com"]', '"audiences": ["https://sts.example.com/"]']],
    lines: [`${people}:7:17 audiences[0]: is nearly, but not exactly, "https://sts.example.com" [audience-near-miss]`],
    harmless: [
      [[people, '"audiences": ["https://sts.example.com"]', '"audiences": ["https://sts.example.com/token"]']],
      [[people, '"audiences": ["https://sts.example.com"]', '"audiences": ["https://other.example.com"]']],
    ],
  },
  'constant-criterion': {
    dangerous: [[policy, '"size(policy.groups) >= 0"', '"1 + 1 == 2"']],
    lines: [`${policy}:39:22 issues[0].criteria[0].require: reads nothing, so that it decides the same always [constant-criterion]`],
    harmless: [[[policy, '"size(policy.groups) >= 0"', '"context.clientIp != \'\'"']]],
  },
  'crossed-attribute': {
    dangerous: [
      [policy, email, '        "email": "subject.sub",'],
      [
        policy,
        '"attributes": { "sub": "policy.subject", "email": "policy.email" },',
        '"attributes": { "sub": "policy.email", "email": "policy.subject" },',
      ],
    ],
    lines: [
      `${policy}:14:9 processors[0].attributes.email: is filled from "sub", although "email" is there to be read [crossed-attribute]`,
      `${policy}:38:46 issues[0].attributes.email: is filled from "subject", although "email" is there to be read [crossed-attribute]`,
    ],
    harmless: [
      [[policy, email, `        "email": "subject.sub + '@example.com'",`]],
      [
        [people, '"email": { "type": "string" }', '"mail": { "type": "string" }'],
        [people, '["email", "groups"]', '["mail", "groups"]'],
        [policy, email, '        "email": "subject.mail",'],
        [
          policy,
          '"subject": "subject.sub", "email": "subject.email", "groups": "[]" },\n      "criteria"',
          '"subject": "subject.sub", "email": "subject.mail", "groups": "[]" },\n      "criteria"',
        ],
      ],
    ],
  },
  'literal-subject': {
    dangerous: [
      [
        policy,
        '"attributes": { "sub": "policy.subject", "email": "policy.email" },',
        '"attributes": { "sub": "\'robot\'", "email": "policy.email" },',
      ],
    ],
    lines: [`${policy}:38:23 issues[0].attributes.sub: reads nothing, so that everybody becomes the same subject [literal-subject]`],
    harmless: [
      [
        [
          policy,
          '"attributes": { "sub": "policy.subject", "email": "policy.email" },',
          '"attributes": { "sub": "\'acme|\' + policy.subject", "email": "policy.email" },',
        ],
      ],
    ],
  },
  'long-lifetime': {
    dangerous: [[api, '"lifetime": "10m"', '"lifetime": "10d"']],
    lines: [`${api}:3:3 lifetime: its tokens may live longer than a day [long-lifetime]`],
    harmless: [[[api, '"lifetime": "10m"', '"lifetime": "24h"']]],
  },
  'refresh-token-taken': {
    dangerous: [[policy, mappingStart, mappingOfAgents('urn:ietf:params:oauth:token-type:refresh_token')]],
    lines: [
      `${policy}:10:7 processors[0].subjectTokenType: refresh tokens are for their authorization server only; nobody else should have one to exchange [refresh-token-taken]`,
    ],
    harmless: [[[policy, mappingStart, mappingOfAgents('urn:ietf:params:oauth:token-type:id_token')]]],
  },
  'secret-expired': {
    dangerous: [[basic, '[{ "file": "secrets/basic" }]', `[{ "file": "secrets/basic", "until": "2020-01-01T00:00:00Z" }]`]],
    lines: [
      `${basic}:2:95 authentication.secrets[0].until: no secret of this client is good any more: it cannot authenticate [secret-expired]`,
    ],
    harmless: [
      [
        [
          basic,
          '[{ "file": "secrets/basic" }]',
          `[{ "file": "secrets/basic" }, { "file": "secrets/partner", "until": "2020-01-01T00:00:00Z" }]`,
        ],
      ],
    ],
  },
  'secret-expires': {
    dangerous: [[basic, '[{ "file": "secrets/basic" }]', `[{ "file": "secrets/basic", "until": "${inDays(10)}" }]`]],
    lines: [
      `${basic}:2:95 authentication.secrets[0].until: the last secret of this client ends on ${inDays(10).slice(0, 10)}; put the next one beside it [secret-expires]`,
    ],
    harmless: [
      [[basic, '[{ "file": "secrets/basic" }]', `[{ "file": "secrets/basic", "until": "${inDays(40)}" }]`]],
      [[basic, '[{ "file": "secrets/basic" }]', `[{ "file": "secrets/basic" }, { "file": "secrets/partner", "until": "${inDays(10)}" }]`]],
    ],
  },
  'binding-moved': {
    dangerous: [[policy, '"actorTokenProcessor": "agents",', '"actorTokenProcessor": "agents", "rebind": true,']],
    lines: [
      `${policy}:23:40 processors[1].rebind: a stolen token that is bound to a key can be exchanged by every actor that this mapping takes [binding-moved]`,
    ],
    harmless: [[[policy, '"actorTokenProcessor": "agents",', '"actorTokenProcessor": "agents", "rebind": false,']]],
  },
  'unrestricted-impersonation': {
    dangerous: [
      [policy, policyCriteria, ''],
      [policy, mappingStart, mappingOfAgents('urn:example:agents')],
    ],
    lines: [
      `${policy}:9:5 processors[0]: whoever has such a token becomes its subject: no criteria restrict that, and the claims need no may_act [unrestricted-impersonation]`,
    ],
    harmless: [
      [[policy, mappingStart, mappingOfAgents('urn:example:agents')]],
      [[policy, policyCriteria, '']],
      [
        [policy, policyCriteria, ''],
        [policy, mappingStart, mappingOfAgents('urn:example:agents')],
        [agents, '"decryptionKeys": ["mail"]', '"claims": { "type": "object", "required": ["may_act"] }, "decryptionKeys": ["mail"]'],
      ],
      [
        [policy, policyCriteria, ''],
        [policy, mappingStart, mappingOfAgents('urn:example:agents')],
        [
          agents,
          '"decryptionKeys": ["mail"]',
          '"claims": { "type": "object", "properties": { "sub": { "type": "string", "pattern": "^agent-" } } }, "decryptionKeys": ["mail"]',
        ],
      ],
    ],
  },
  'audit-mode': {
    dangerous: [
      [policy, '"otherwise": "our own people only" }', '"otherwise": "our own people only", "mode": "audit" }'],
      [billing, '["basic", "post"]', '{ "allow": ["basic", "post"], "mode": "audit" }'],
    ],
    lines: [
      `${billing}:7:44 clients.mode: is recorded and not enforced: every client may have its tokens [audit-mode]`,
      `${policy}:33:106 criteria[0].mode: is recorded and not enforced: it refuses nothing [audit-mode]`,
    ],
    harmless: [[[billing, '["basic", "post"]', '{ "allow": ["basic", "post"] }']]],
  },
  'tracing-unencrypted': {
    dangerous: [
      [
        'server.json',
        '"workers": 1',
        '"workers": 1, "tracing": { "otlp": "http://collector.example:4318/v1/traces", "headers": { "authorization": { "file": "secrets/partner" } } }',
      ],
    ],
    lines: [
      'server.json:5:30 tracing.otlp: the headers that the collector wants can be read on the way: send them by https [tracing-unencrypted]',
    ],
    harmless: [
      [['server.json', '"workers": 1', '"workers": 1, "tracing": { "otlp": "http://collector.example:4318/v1/traces" }']],
      [
        [
          'server.json',
          '"workers": 1',
          '"workers": 1, "tracing": { "otlp": "http://127.0.0.1:4318/v1/traces", "headers": { "authorization": { "file": "secrets/partner" } } }',
        ],
      ],
      [
        [
          'server.json',
          '"workers": 1',
          '"workers": 1, "tracing": { "otlp": "https://collector.example:4318/v1/traces", "headers": { "authorization": { "file": "secrets/partner" } } }',
        ],
      ],
    ],
  },
  'memory-store': {
    dangerous: [['server.json', '"embedded"', '"memory"']],
    lines: ['server.json:4:14 store.type: revocations and tokens that were used once are forgotten when the server stops [memory-store]'],
    harmless: [[['server.json', '"embedded"', '"embedded", "path": "memory"']]],
  },
  'sample-in-public': {
    dangerous: [['server.json', '"host": "127.0.0.1", "port": 3000 }', '"host": "0.0.0.0" }, "sample": true']],
    lines: [
      'server.json:3:36 sample: the sample configuration answers other machines, and trusts tokens that anybody with its files can mint [sample-in-public]',
    ],
    harmless: [
      [['server.json', '"host": "127.0.0.1", "port": 3000 }', '"host": "localhost" }, "sample": true']],
      [['server.json', '"host": "127.0.0.1", "port": 3000 }', '"host": "::1" }, "sample": true']],
      [['server.json', '"host": "127.0.0.1"', '"host": "0.0.0.0"']],
    ],
  },
  'unreachable-target': {
    dangerous: [[billing, '["basic", "post"]', '["post"]'], defaultToApi],
    lines: [
      `${basic}:6:36 tokenExchange.accessTokenManagers[1]: can never be issued: "clients" of "billing" does not list this client [unreachable-target]`,
    ],
    harmless: [[[basic, '["api", "billing"]', '["billing"]']]],
  },
  'no-policy': {
    dangerous: [
      ['server.json', '"processorPolicy": "people", ', ''],
      [basic, '    "processorPolicy": "people",\n', ''],
    ],
    lines: [
      `${basic}:3:3 tokenExchange: can exchange nothing: neither "processorPolicy" here nor "defaults" of server.json names a policy [no-policy]`,
    ],
    harmless: [
      [['server.json', '"processorPolicy": "people", ', '']],
      [
        ['server.json', '"processorPolicy": "people", ', ''],
        [basic, '"enabled": true,\n    "processorPolicy": "people",', '"enabled": false,'],
      ],
    ],
  },
  'outlives-subject': {
    dangerous: [[api, '"lifetime": "10m"', '"lifetime": "10m", "outlivesSubject": true']],
    lines: [`${api}:3:22 outlivesSubject: its tokens stay valid after the subject token has ended [outlives-subject]`],
    harmless: [[[api, '"lifetime": "10m"', '"lifetime": "10m", "outlivesSubject": false']]],
  },
  'wide-resource': {
    dangerous: [[api, 'https://api.example.com/v1/', 'https://api.example.com/']],
    lines: [`${api}:6:17 resources[0]: serves everything on this host [wide-resource]`],
    harmless: [[[api, 'https://api.example.com/v1/', 'https://api.example.com']], [[api, 'https://api.example.com/v1/', 'urn:api/']]],
  },
  'scope-from-client': {
    dangerous: [[policy, '"scope": "subject"', '"scope": "client"']],
    lines: [`${policy}:34:3 scope: a token may carry scopes that its subject never had [scope-from-client]`],
    harmless: [
      [[policy, '"scope": "subject"', `"scope": "['orders.read']"`]],
      [[policy, '"scope": "subject"', `"scope": "context.scopes.filter(s, s in policy.groups)"`]],
    ],
  },
  'mappings-differ': {
    dangerous: [
      [
        policy,
        '"attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[]" },',
        '"attributes": { "subject": "actor.sub", "email": "subject.email", "groups": "[]" },',
      ],
    ],
    lines: [
      `${policy}:19:5 processors[1]: has other criteria or another expression of "subject" than processors[0], which takes the same tokens [mappings-differ]`,
    ],
    harmless: [
      [
        [
          policy,
          '"attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[]" },',
          '"attributes": { "subject": "subject.sub", "email": "subject.email", "groups": "[actor.sub]" },',
        ],
      ],
    ],
  },
  'issuers-without-iss': {
    dangerous: [[policy, '"processors": [', mappingOfOthers]],
    lines: [
      `${policy}:12:23 processors[0].attributes.subject: subjects of 2 issuers are mapped without their issuer, so that two of one name become one [issuers-without-iss]`,
    ],
    harmless: [[[policy, '"processors": [', mappingOfOthers.replace('subject.sub', "subject.iss + '|' + subject.sub")]]],
  },
  'optional-claim-read': {
    dangerous: [[policy, email, '        "email": "subject.email + subject.nickname",']],
    lines: [
      `${policy}:14:35 processors[0].attributes.email: reads subject.nickname, which its schema does not require; guard it with has() [optional-claim-read]`,
    ],
    harmless: [
      [[policy, email, `        "email": "has(subject.nickname) ? subject.nickname : subject.email",`]],
      [[policy, email, '        "email": "subject.email",']],
    ],
  },
  'token-type-near-miss': {
    dangerous: [[policy, 'urn:ietf:params:oauth:token-type:access_token', 'urn:ietf:params:oauth:token-type:acces_token']],
    lines: [
      `${policy}:28:7 processors[2].subjectTokenType: is nearly, but not exactly, "urn:ietf:params:oauth:token-type:access_token" [token-type-near-miss]`,
    ],
    harmless: [
      'urn:example:access_token',
      'urn:ietf:params:oauth:token-type:access_token:acme',
      'https://acme.example/token-types/session',
    ].map(type => [[policy, 'urn:ietf:params:oauth:token-type:access_token', type] as const]),
  },
  'open-issuer': {
    dangerous: [[builds, ',\n  "claims": { "type": "object", "properties": { "repository_owner": { "const": "acme" } } }', '']],
    lines: [
      `${builds}:3:3 preset: anybody can get tokens of this issuer: say whose are taken, by "claims" here or by criteria of the policies [open-issuer]`,
    ],
    harmless: [[[agents, '"type": "jwt"', '"type": "jwt", "preset": "kubernetes"']]],
  },
  'no-expiry': {
    dangerous: [
      [agents, '"type": "jwt"', '"type": "jwt", "expiry": "optional"'],
      [partner, '"cache": "1m"', '"expiry": "optional"'],
    ],
    lines: [
      `${agents}:2:18 expiry: tokens without exp are taken; they bound the lifetime of nothing [no-expiry]`,
      `${partner}:7:3 expiry: tokens without exp are taken; they bound the lifetime of nothing [no-expiry]`,
    ],
    harmless: [[[agents, '"type": "jwt"', '"type": "jwt", "expiry": "required"']]],
  },
  'private-network': {
    dangerous: [
      [agents, '"maxStale": "12h"', '"allowPrivateNetwork": true'],
      [partner, '"cache": "1m"', '"allowPrivateNetwork": true'],
      [
        'policies/access-token-managers/api.json',
        '"signingKey": "api"',
        '"signingKey": "api", "encryption": { "jwksUri": "http://127.0.0.1:1/jwks", "allowPrivateNetwork": true }',
      ],
    ],
    lines: [
      'policies/access-token-managers/api.json:4:78 encryption.allowPrivateNetwork: the keys may be fetched from addresses of private networks [private-network]',
      `${agents}:3:95 issuers[0].allowPrivateNetwork: the keys may be fetched from addresses of private networks [private-network]`,
      `${partner}:7:3 allowPrivateNetwork: the endpoint may be at an address of a private network [private-network]`,
    ],
    harmless: [[[agents, '"maxStale": "12h"', '"allowPrivateNetwork": false']]],
  },
  'short-client-secret': {
    dangerous: [['secrets/basic', '', 'hunter2']],
    lines: [
      `${basic}:2:68 authentication.secrets[0]: the secret has fewer than 32 characters; "cambist hash-secret" makes a good one [short-client-secret]`,
    ],
    harmless: [[['secrets/basic', '', 'x'.repeat(32)]]],
  },
}

describe('warnings', () => {
  let whole: Record<string, string>
  before(async () => {
    whole = { ...(await wholeConfiguration()), 'policies/token-processors/others.json': secondPeople }
  })

  function apply(changes: readonly Change[]): Texts {
    const files = { ...whole }
    for (const [file, found, written] of changes) files[file] = found === '' ? written : replaced(files[file] ?? '', found, written)
    return files
  }

  it('are none where nothing is dangerous', async () => expect(await warningsOf(whole)).to.deep.equal([]))

  for (const [code, { dangerous, lines, harmless }] of Object.entries(cases)) {
    describe(code, () => {
      it('is said of what is dangerous', async () => expect(await warningsOf(apply(dangerous))).to.deep.equal(lines))
      for (const changes of harmless) {
        it(`is not said of ${changes.map(([, , written]) => written).join(' and ')}`, async () => {
          expect(await warningsOf(apply(changes))).to.deep.equal([])
        })
      }
    })
  }

  describe('unreachable-target', () => {
    const lines: Array<[what: string, changes: Change[], lines: string[]]> = [
      [
        "a manager that the client's policy issues nothing to",
        [notIssued, defaultToApi],
        [
          `${basic}:6:36 tokenExchange.accessTokenManagers[1]: can never be issued: the policy "people" issues nothing to "billing" [unreachable-target]`,
        ],
      ],
      [
        'what the default policy issues nothing to',
        [notIssued, [basic, '    "processorPolicy": "people",\n', '']],
        [
          `${basic}:5:36 tokenExchange.accessTokenManagers[1]: can never be issued: the default policy "people" issues nothing to "billing" [unreachable-target]`,
          `${basic}:6:18 tokenExchange.default.accessTokenManager: can never be issued: the default policy "people" issues nothing to "billing" [unreachable-target]`,
        ],
      ],
      [
        "the server's default that no policy issues to",
        [
          notIssued,
          [basic, ',\n    "accessTokenManagers": ["api", "billing"],\n    "default": { "accessTokenManager": "billing" }', ''],
          ['server.json', '"accessTokenManager": "api"', '"accessTokenManager": "billing"'],
        ],
        ['server.json:6:46 defaults.accessTokenManager: can never be issued: no policy issues anything to "billing" [unreachable-target]'],
      ],
    ]
    for (const [what, changes, expected] of lines) {
      it(`is said of ${what}`, async () => expect(await warningsOf(apply(changes))).to.deep.equal(expected))
    }

    const problems: Array<[what: string, changes: Change[], lines: string[]]> = [
      [
        'the client itself does not list',
        [[basic, '["api", "billing"]', '["api"]']],
        [`${basic}:7:18 tokenExchange.default.accessTokenManager: can never be issued: "accessTokenManagers" does not list "billing"`],
      ],
      [
        'other clients have',
        [[billing, '["basic", "post"]', '["post"]']],
        [`${basic}:7:18 tokenExchange.default.accessTokenManager: can never be issued: "clients" of "billing" does not list this client`],
      ],
    ]
    for (const [what, changes, expected] of problems) {
      it(`is more than a warning for a default that ${what}`, async () => expect(await problemsOf(apply(changes))).to.deep.equal(expected))
    }
  })

  it('scope-from-client is said of an expression that only repeats the request', async () => {
    expect(await warningsOf(apply([[policy, '"scope": "subject"', '"scope": "context.scopes"']]))).to.deep.equal([
      `${policy}:34:3 scope: a token may carry scopes that its subject never had [scope-from-client]`,
    ])
  })

  it('of subjects of two issuers are about foreign tokens, each expression once', async () => {
    const twoIssuers: Change = [
      people,
      '"issuers": [',
      '"issuers": [\n    { "issuer": "https://others.example", "jwksUri": "https://others.example/jwks" },',
    ]
    expect(await warningsOf(apply([twoIssuers]))).to.deep.equal([
      `${policy}:13:9 processors[0].attributes.subject: subjects of 2 issuers are mapped without their issuer, so that two of one name become one [issuers-without-iss]`,
    ])
  })

  it('each have a section in docs/warnings.md, and each section a warning', () => {
    const source = join(import.meta.dirname, '../../src')
    const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.ts'))
      .map(name => readFileSync(join(source, name), 'utf8'))
    const codes = texts.flatMap(text => [...text.matchAll(/\bwarn\((?:\s*\w+,)?\s*'([a-z0-9]+(?:-[a-z0-9]+)+)'/g)].map(([, code]) => code))
    const page = readFileSync(join(import.meta.dirname, '../../docs/warnings.md'), 'utf8')
    const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    expect(sections).to.deep.equal([...new Set(codes)].sort())
    // These are provoked beside what gives them: test/aws, test/data-stores, test/dpop, test/generators, test/processors, test/saml, test/tls, test/config/key-warnings.test.ts.
    const elsewhere = [
      'aws-endpoint',
      'bearer-without-recipient',
      'binding-dropped',
      'certificate-expired',
      'certificate-expires',
      'certificate-not-yet-valid',
      'certificate-of-another-host',
      'everybody-is-a-proxy',
      'incomplete-chain',
      'key-without-successor',
      'ldap-lookalikes',
      'ldap-unencrypted',
      'own-generator-trusted',
      'proxy-judges-certificates',
      'server-id-not-unique',
      'sha1-signature',
      'sql-unencrypted',
      'transient-name',
    ]
    expect([...Object.keys(cases), ...elsewhere].sort()).to.deep.equal(sections)
  })
})

import { spawnSync } from 'node:child_process'
import { freePort } from '../test/support/free-port.ts'
import { lookupSources } from './lookup-sources.ts'
import { assertionExchange, type Exchange, exchanges, isSaml } from './material.ts'
import { start } from './processes.ts'
import { assertions, cambist, cryptography, type Subject, scripted } from './subjects.ts'

/** Things that are measured beside each other, in rounds. */
export interface Experiment {
  readonly name: string
  readonly title: string
  readonly exchange: Exchange
  readonly subjects: readonly Subject[]
}

/** The subjects of an exchange, by the letters of the issue. */
export const subjectNames = {
  cambist: 'cambist',
  inMemory: 'cambist, store in memory',
  koa: '(a) bare operations in Koa + @koa/router',
  http: "(a') bare operations in node:http",
  oidcProvider: '(b) oidc-provider',
  xmlCrypto: '(c) xml-crypto in node:http',
  cryptography: 'the cryptography alone',
} as const

const [es256] = exchanges

/** Every experiment. `against` is another checkout of this repository, built, that is measured beside this one. */
export function allExperiments(against: string | undefined): Experiment[] {
  const other = against === undefined ? [] : [cambist({ name: `cambist in ${against}`, checkout: against })]
  return [
    ...exchanges.map(exchange => ({
      name: `${exchange.inbound}-${exchange.outbound}`.toLowerCase(),
      title: exchange.name,
      exchange,
      subjects: [
        cambist(),
        ...other,
        ...(exchange.outbound === 'reference' ? onOtherStores() : []),
        scripted(subjectNames.koa, 'bench/bare/koa.ts', true),
        scripted(subjectNames.http, 'bench/bare/http.ts', true),
        otherOf(exchange),
        cryptography(subjectNames.cryptography),
      ],
    })),
    {
      name: 'clients',
      title: 'ES256→ES256, requests spread over all clients',
      exchange: es256,
      subjects: [
        cambist({ name: '10 clients, 10 policies' }),
        cambist({ name: '10,000 clients, 1,000 policies', clients: 10_000, policies: 1000 }),
      ],
    },
    {
      name: 'workers',
      title: 'ES256→ES256, server and load on both cores',
      exchange: es256,
      subjects: [cambist({ name: '1 worker', cores: 'all' }), cambist({ name: '2 workers', workers: 2, cores: 'all' })],
    },
    {
      name: 'trust',
      title: `${assertionExchange.name}, by two doors`,
      exchange: assertionExchange,
      subjects: [cambist({ name: 'POST /token' }), cambist({ name: 'POST /sts (WS-Trust, Issue)', path: '/sts' })],
    },
    {
      name: 'tls',
      title: 'ES256→ES256, through TLS 1.3',
      exchange: es256,
      subjects: [
        cambist({ name: 'HTTP, connections kept alive' }),
        cambist({ name: 'TLS, connections kept alive', wire: { tls: 'kept' } }),
        cambist({ name: 'TLS, a new connection each, resumed', wire: { tls: 'resumed' } }),
        cambist({ name: 'TLS, a new connection each, not resumed', wire: { tls: 'whole' } }),
      ],
    },
    {
      name: 'dpop',
      title: 'ES256→ES256, with a DPoP proof',
      exchange: es256,
      subjects: [
        cambist({ name: 'without' }),
        cambist({ name: 'with a proof by ES256', wire: { dpop: true } }),
        cambist({ name: 'without, store in memory', store: { type: 'memory' } }),
        cambist({ name: 'with a proof by ES256, store in memory', store: { type: 'memory' }, wire: { dpop: true } }),
      ],
    },
    {
      name: 'lookups',
      title: 'ES256→ES256, and one lookup',
      exchange: es256,
      subjects: [
        cambist({ name: 'without' }),
        ...lookupSources().flatMap(source =>
          [true, false].map(cached => cambist({ name: `${source.name}, ${cached ? 'remembered' : 'asked'}`, lookup: { source, cached } })),
        ),
      ],
    },
    {
      name: 'sizes',
      title: 'SAML 2.0, read and verified, without a server',
      exchange: es256,
      subjects: [
        ...sizes.flatMap(([attributes, size]) =>
          (['cambist', 'xml-crypto'] as const).map(by => assertions(`${by}, ${size}`, by, attributes)),
        ),
        assertions('cambist, 64 KB of elements in each other, not signed', 'cambist', 'nested'),
      ],
    },
  ]
}

/** Attributes beside the usual ones, and how large an assertion is with them. The last is just below the limit. */
const sizes = [
  [12, '7 KB'],
  [100, '26 KB'],
  [280, '64 KB'],
] as const

/** What others would use: nothing of its kind does SAML, so that there a library stands for it. */
function otherOf({ inbound, outbound }: Exchange): Subject {
  return isSaml(inbound) || isSaml(outbound)
    ? scripted(subjectNames.xmlCrypto, 'bench/xml-crypto.ts', true)
    : scripted(subjectNames.oidcProvider, 'bench/oidc-provider.ts', false)
}

/** The shipped store is on disk. oidc-provider's own is in memory, and comparable with this server's in memory only. */
function onOtherStores(): Subject[] {
  const inMemory = cambist({ name: subjectNames.inMemory, store: { type: 'memory' } })
  return spawnSync('redis-server', ['--version']).status === 0 ? [inMemory, onRedis('cambist, store in Redis')] : [inMemory]
}

/** Redis itself runs on the load generator's core and is not counted. */
function onRedis(name: string): Subject {
  return {
    name,
    async start(bench, exchange) {
      const port = await freePort()
      const redis = start(['redis-server', '--port', String(port), '--save', '', '--appendonly', 'no'], 'load')
      const running = await cambist({ name, store: { type: 'redis', url: `redis://127.0.0.1:${port}` } }).start(bench, exchange)
      return { measure: running.measure, stop: () => running.stop().then(() => redis.stop()) }
    },
  }
}

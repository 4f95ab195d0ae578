import { isIP } from 'node:net'
import { z } from 'zod'
import { dpopSettings } from '../dpop/dpop-settings.ts'
import type { Blueprint } from '../plugin.ts'
import { packageName } from '../plugins/named-plugins.ts'
import { storeSettings } from '../stores/open-store.ts'
import { proxySettings } from '../tls/proxy-settings.ts'
import { tlsSettings } from '../tls/tls-settings.ts'
import { distinct, duration, everyFile, externalText, reference, strict, webAddress } from './values.ts'

const issuer = webAddress
  .refine(text => !text.includes('?'), { error: 'an issuer has no query', abort: true })
  .refine(text => new URL(text).protocol === 'https:' || isLoopback(new URL(text).hostname), {
    error: 'an issuer is an https address, except on a loopback host',
    abort: true,
  })
  // Issuers are compared as texts, and every library that reads the address as a URL would write it in this form.
  .refine(text => [text, `${text}/`].includes(new URL(text).href), {
    error: issue => `is not in its normal form, which is "${new URL(String(issue.input)).href.replace(/\/$/, '')}"`,
  })
  // Its path is a part of every route, where other characters would be a pattern.
  .refine(
    text => /^[^/]*\/\/[^/]+(\/[A-Za-z0-9._~-]+)*\/?$/.test(text),
    'the path of an issuer has letters, digits and . _ ~ - only, between single slashes',
  )
  .meta({ description: 'The issuer identifier: the address under which clients know this server', format: 'uri' })

// Timers of more than 24 days end at once.
const grace = duration.refine(seconds => seconds <= 3600, 'must be at most "1h"')

// Those of the transport are set by whoever sends.
const headerName = z
  .string()
  .regex(
    /^(?!(?:connection|content-.*|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$)[A-Za-z0-9-]+$/i,
    'expected the name of a header such as "authorization"',
  )

const settings = strict({
  ...everyFile,
  issuer,
  listen: strict({
    host: z
      .string()
      .min(1)
      .refine(isHost, 'expected an address of this machine such as "127.0.0.1", "0.0.0.0" or "::", or a host name')
      .default('127.0.0.1')
      .meta({ description: 'The address of this machine; "0.0.0.0" or "::" for all' }),
    port: z.int().min(0).max(65535).default(3000).meta({ description: 'The port; 0 for any that is free' }),
    mtlsAddress: webAddress
      .refine(text => text.startsWith('https:') && !text.includes('?'), 'expected an https address without a query')
      .optional()
      .meta({
        description: 'Where clients with certificates call, where that is another address than the issuer ("mtls_endpoint_aliases")',
      }),
    proxies: proxySettings.optional().meta({ description: 'Whose word about clients is believed; absent: nobody is' }),
    tls: tlsSettings.optional().meta({ description: 'TLS in this server itself; absent: requests are taken by plain http' }),
  })
    .prefault({})
    .meta({ description: 'Where requests are taken' }),
  plugins: distinct(z.string().regex(packageName, 'expected the name of an npm package such as "@acme/cambist-legacy-token"'))
    .default([])
    .meta({ description: 'npm packages with token processors, token generators, access token managers or data stores of your own' }),
  store: storeSettings.meta({ description: 'Where tokens, revocations and counters are kept' }),
  defaults: strict({
    processorPolicy: reference('processor-policies').optional(),
    accessTokenManager: reference('access-token-managers').optional(),
    generatorGroup: reference('generator-groups').optional(),
  })
    .default({})
    .meta({ description: 'What applies to clients that name nothing of their own' }),
  scopes: z
    .record(
      z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope has visible ASCII characters only, no space, quote or backslash'),
      z.string().meta({ description: 'What it allows, in words' }),
    )
    .default({})
    .meta({ description: 'Every scope that may be granted, with what it allows in words' }),
  delegation: strict({
    maxDepth: z.int().min(1).max(16).default(4).meta({ description: 'How many actors a token may name, one nested in the other' }),
  })
    .prefault({})
    .meta({ description: 'What holds for tokens that name actors' }),
  introspection: strict({
    signingKey: reference('keys').meta({ description: 'The key that signs the answers, or any key of its line of succession' }),
  })
    .optional()
    .meta({ description: 'Signed answers of /introspect (RFC 9701); absent: it answers with plain JSON only' }),
  dpop: dpopSettings.prefault({}).meta({ description: 'What proofs of possession (DPoP) have to be like' }),
  metrics: strict({
    enabled: z.boolean().default(true).meta({ description: 'Whether GET /metrics answers' }),
    bearer: externalText.optional().meta({ description: 'The token that Prometheus has to bring; without one everybody is answered' }),
  })
    .prefault({})
    .meta({ description: 'Numbers for Prometheus' }),
  tracing: strict({
    otlp: webAddress.meta({
      description: 'Where a collector takes traces by OTLP over HTTP, as JSON: "https://collector.example.com:4318/v1/traces"',
    }),
    headers: z
      .record(headerName, externalText)
      .default({})
      .meta({ description: 'Headers that the collector wants, such as "authorization"' }),
    sampling: z.number().min(0).max(1).default(1).meta({ description: 'Which share of the requests without a traceparent is traced' }),
    serviceName: z.string().min(1).default('cambist').meta({ description: 'How traces call this server' }),
  })
    .optional()
    .meta({ description: 'Where traces of exchanges are sent' }),
  admin: strict({
    listen: strict({
      host: z
        .string()
        .min(1)
        .default('127.0.0.1')
        .meta({ description: 'The address of this machine; another than loopback is warned about' }),
      port: z.int().min(0).max(65535).default(3001).meta({ description: 'The port, another one than that of "listen"' }),
      tls: z.boolean().default(false).meta({ description: 'Whether administrators are answered by TLS, as "listen.tls" has it' }),
    })
      .prefault({})
      .meta({ description: 'Where administrators are answered' }),
    bearer: externalText.meta({ description: 'The token that whoever asks has to bring' }),
  })
    .optional()
    .meta({ description: 'POST /admin/explain, on a listener of its own; absent: there is none' }),
  workers: z.int().min(1).max(256).default(1).meta({ description: 'Processes that serve the port' }),
  shutdown: strict({
    delay: grace.default(0).meta({
      description: 'How long /readyz answers 503 while everything else is served on, so that load balancers notice (default "0s")',
    }),
    deadline: grace.default(10).meta({ description: 'How long requests in flight may then take before they are cut off (default "10s")' }),
  })
    .prefault({})
    .meta({ description: 'What happens after SIGTERM' }),
  sample: z.boolean().default(false).meta({
    description: 'This is the sample configuration: at the first start its missing keys and secrets are made. Never set it in production.',
  }),
})
  .refine(({ admin, listen }) => admin === undefined || admin.listen.port === 0 || admin.listen.port !== listen.port, {
    path: ['admin', 'listen', 'port'],
    error: 'is the port of "listen": administrators are answered on one of their own',
  })
  .refine(({ admin, listen }) => admin?.listen.tls !== true || listen.tls !== undefined, {
    path: ['admin', 'listen', 'tls'],
    error: 'there is no "listen.tls" whose certificate could be shown',
  })
  .refine(({ issuer: address, listen }) => listen.tls === undefined || !address.startsWith('http:'), {
    path: ['issuer'],
    error: 'is an http address, and "listen.tls" answers by https only',
  })
  .refine(
    ({ listen }) => listen.mtlsAddress === undefined || (listen.tls?.clientCertificates ?? listen.proxies?.clientCertificate) !== undefined,
    {
      path: ['listen', 'mtlsAddress'],
      error: 'no certificate of a client ever comes here: there is neither "tls.clientCertificates" nor "proxies.clientCertificate"',
    },
  )
  .refine(({ issuer: address, listen }) => listen.mtlsAddress === undefined || pathOf(listen.mtlsAddress) === pathOf(address), {
    path: ['listen', 'mtlsAddress'],
    error: 'has another path than "issuer", and this server answers below that one only',
  })
  .refine(server => server.workers <= 1 || server.store.type !== 'memory', {
    path: ['store', 'type'],
    error: 'several workers cannot share a store of type "memory"; use "embedded" or "redis"',
  })

/** `server.json`, parsed. */
export type ServerSettings = z.output<typeof settings>

/** The server itself. It is not built from its file alone, but from everything else (`build.ts`). */
export const serverFile: z.ZodType<Blueprint<ServerSettings>> = settings.transform(parsed => ({
  type: 'server',
  settings: parsed,
  build: () => parsed,
}))

function pathOf(address: string): string {
  return new URL(address).pathname.replace(/\/$/, '')
}

// What looks like an address has to be one: as a host name, 127.0.0.256 would be asked of the DNS.
function isHost(text: string): boolean {
  return text === '' || isIP(text) !== 0 || (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(text) && !/^[0-9.]+$/.test(text))
}

/** Whether a host name means this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

import { z } from 'zod'
import { exactName, externalText, strict, TemplateSource, template, webAddress } from '../../config/values.ts'
import type { JsonValue } from '../../json.ts'
import { storeAttributes } from '../store-kind.ts'
import { tlsFiles } from '../tls-files.ts'

const text = z.string().regex(/^[\x20-\x7e]*$/, 'expected visible ASCII characters')

// Those of the connection are set by whoever sends; "authentication" has its own place.
const headerName = z
  .string()
  .regex(
    /^(?!(?:authorization|connection|content-.*|cookie|expect|host|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade)$)[A-Za-z0-9-]+$/i,
    'expected the name of a header such as "accept-language"; for "authorization" there is "authentication"',
  )

// A secret does not stand in the configuration.
const plainHeader = headerName.regex(
  /^(?!.*(?:key|token|secret|password|auth))/i,
  'sounds like a secret: write "authentication": { "method": "header", "name": …, "value": { "env": "NAME" } }',
)

const basic = strict({
  method: z.literal('basic'),
  username: z.string().regex(/^[^:]+$/, 'has a colon, which no such name can have'),
  password: externalText,
})
const bearer = strict({ method: z.literal('bearer'), token: externalText })
const apiKey = strict({
  method: z.literal('header'),
  name: headerName.meta({ description: 'The header that carries the key' }),
  value: externalText,
})
const clientCredentials = strict({
  method: z.literal('client-credentials'),
  tokenEndpoint: webAddress.meta({ description: 'Where the access token comes from (RFC 6749, 4.4)' }),
  clientId: z.string().min(1),
  clientSecret: externalText,
  scope: z.string().min(1).optional().meta({ description: 'The scopes that are asked for, with spaces between them' }),
  resource: webAddress.optional().meta({ description: 'The resource that the token is for (RFC 8707)' }),
})

const proxy = strict({
  url: webAddress.meta({ description: 'An HTTP proxy that connects to others (CONNECT): http://proxy.example.com:3128' }),
  username: z.string().min(1).optional(),
  password: externalText.optional(),
})

/** The members of the file of an `http` data store. */
export const httpShape = {
  url: webAddress.meta({ description: 'Where the service is; the paths of lookups come after it, and nothing else can be asked' }),
  allowPrivateNetwork: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the service may be at a private or loopback address, there also by plain http' }),
  authentication: z
    .discriminatedUnion('method', [basic, bearer, apiKey, clientCredentials])
    .optional()
    .meta({ description: 'How this server says who it is, beside a "certificate"' }),
  headers: z.record(plainHeader, text).default({}).meta({ description: 'Headers that every request has' }),
  proxy: proxy.optional().meta({ description: 'The proxy through which the service is reached' }),
  ...tlsFiles,
  connections: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .meta({ description: 'The most that are open, of each process of this server (default 50)' }),
  maxBytes: z.int().min(100).max(16_777_216).default(262_144).meta({ description: 'The largest answer that is read (default 262144)' }),
  probe: z
    .string()
    .regex(/^\//, 'expected a path such as "/health"')
    .optional()
    .meta({ description: 'The path that `cambist check --online` asks for, and expects 200 of' }),
  attributes: storeAttributes,
}

/** The settings of an `http` data store. */
export type HttpSettings = z.output<z.ZodObject<typeof httpShape>>

/** JSON whose strings are templates. */
export type BodySource = TemplateSource | number | boolean | null | readonly BodySource[] | { readonly [name: string]: BodySource }

function withTemplates(value: JsonValue): BodySource {
  if (typeof value === 'string') return new TemplateSource(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withTemplates)
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withTemplates(item as JsonValue)]))
}

const pointer = z.string().regex(/^(?:\/(?:[^~/]|~[01])*)*$/, 'expected a JSON pointer such as "/data/number" (RFC 6901)')

/** The members of a lookup in an `http` data store. */
export const httpLookupShape = {
  path: template.meta({ description: 'What comes after the "url" of the store: "/people/{subject.email}"' }),
  method: z.enum(['GET', 'POST']).default('GET'),
  parameters: z
    .record(z.string().min(1), template)
    .default({})
    .meta({ description: 'The query of the address: { "mail": "{subject.email}" }' }),
  body: z
    .json()
    .optional()
    .meta({ description: 'Beside "POST": JSON in whose strings {expression} stands for a value' })
    .transform(value => (value === undefined ? undefined : withTemplates(value as JsonValue))),
  rows: pointer
    .optional()
    .meta({ description: 'Where in the answer a list of entries is, as a JSON pointer; absent: the answer is the entry' }),
  pointers: z
    .record(exactName, pointer)
    .default({})
    .meta({ description: 'Where in an entry attributes are, as JSON pointers; the others are its members: { "mail": "/contact/mail" }' }),
}

/** A lookup in an `http` data store. */
export type HttpLookup = z.output<z.ZodObject<typeof httpLookupShape>>

import { z } from 'zod'
import { distinct, externalText, lifetime, strict } from '../../config/values.ts'
import { storeAttributes } from '../store-kind.ts'
import { tlsFiles } from '../tls-files.ts'

const addressForm = /^(ldaps?):\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([1-9]\d{0,4}))?\/?$/

/** An address of a directory: scheme, host and port (RFC 4516 §2, without what comes after). */
const address = z
  .string()
  .regex(addressForm, 'expected the address of a directory such as "ldaps://ldap.example.com" or "ldap://10.0.0.5:3389"')

/** Reads an address that `address` has let through. */
export function readAddress(text: string): { readonly host: string; readonly port: number; readonly secure: boolean } {
  const [, scheme, host = '', port] = addressForm.exec(text) ?? []
  const secure = scheme === 'ldaps'
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? (secure ? 636 : 389) : Number(port), secure }
}

/** How far below the base is searched. */
export const scope = z
  .enum(['base', 'one', 'sub'])
  .meta({ description: '"base": the base itself, "one": just below it, "sub": all below it' })

const connections = strict({
  min: z.int().min(0).max(100).default(1).meta({ description: 'So many stay open' }),
  max: z.int().min(1).max(1000).default(10).meta({ description: 'The most that are open, of each process of this server' }),
  waiting: z.int().min(0).max(100_000).default(1000).meta({ description: 'The most lookups that wait for one' }),
  idle: lifetime.default(300).meta({ description: 'One above "min" that nobody has used for so long is closed (default "5m")' }),
  check: lifetime.default(30).meta({ description: 'How often those that nobody uses are tried (default "30s")' }),
  timeout: lifetime.default(2).meta({ description: 'How long one may take to open, with TLS and bind (default "2s")' }),
}).refine(({ min, max }) => min <= max, { path: ['min'], error: 'is more than "max"' })

const nestedGroups = strict({
  as: z.string().min(1).default('groups').meta({ description: 'The attribute that they become (default "groups"); a list of strings' }),
  base: z.string().optional().meta({ description: 'Below which name the groups are (default: "base" of the store)' }),
  member: z.string().min(1).default('member').meta({ description: 'The attribute of a group that names its members (default "member")' }),
  attribute: z.string().min(1).default('cn').meta({ description: 'What is taken of a group (default "cn"); "dn": its name' }),
  maxDepth: z.int().min(1).max(50).default(10).meta({
    description: 'How deep groups are followed (default 10); deeper ones are no answer. 1: only those that the entry itself is in',
  }),
  atMost: z.int().min(1).max(100_000).default(1000).meta({ description: 'Being in more groups than this is no answer (default 1000)' }),
  matchingRule: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether the directory follows them itself, by LDAP_MATCHING_RULE_IN_CHAIN: Active Directory, Samba' }),
})

/** The members of the file of an `ldap` data store. */
export const ldapShape = {
  servers: distinct(address).min(1).meta({ description: 'The servers of the directory, each of which has the same entries' }),
  choose: z
    .enum(['in-order', 'random'])
    .default('in-order')
    .meta({ description: '"in-order": the first that can be reached; "random": any of them' }),
  startTls: z.boolean().default(false).meta({ description: 'Whether connections to ldap:// addresses are encrypted by StartTLS' }),
  allowUnencrypted: z.boolean().default(false).meta({ description: 'Allows ldap:// without StartTLS to other machines' }),
  ...tlsFiles,
  bind: z
    .enum(['simple', 'external', 'anonymous'])
    .default('simple')
    .meta({ description: '"simple": by bindDn and password; "external": by the certificate (SASL EXTERNAL); "anonymous": as nobody' }),
  bindDn: z.string().min(1).optional().meta({ description: 'As whom this server asks' }),
  password: externalText.optional().meta({ description: 'The password of "bindDn"' }),
  base: z.string().min(1).meta({ description: 'Below which name lookups search that say nothing else' }),
  scope: scope.default('sub'),
  aliases: z
    .enum(['never', 'searching', 'finding', 'always'])
    .default('never')
    .meta({ description: 'When aliases are followed (RFC 4511, 4.5.1.3)' }),
  attributes: storeAttributes,
  binary: z
    .record(z.string().min(1), z.enum(['base64', 'hex', 'sid', 'guid']))
    .default({})
    .meta({ description: 'How attributes are written that are no text: "base64", "hex", "sid" (objectSid) or "guid" (objectGUID)' }),
  nestedGroups: nestedGroups.optional().meta({ description: 'How the groups of an entry are found, and the groups that these are in' }),
  connections: connections.prefault({}),
}

/** The settings of an `ldap` data store. */
export type LdapSettings = z.output<z.ZodObject<typeof ldapShape>>

/** Whether what is sent to this host stays on this machine. */
export function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

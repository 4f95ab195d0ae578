import { didYouMean } from '../config/suggest.ts'
import type { Parts } from '../plugin.ts'
import type { StoreClient } from './data-store.ts'
import { LdapClient, nameAttribute } from './ldap/client.ts'
import { Directories, type DirectorySettings } from './ldap/directories.ts'
import { TemplateMistake } from './ldap/held.ts'
import { LogOns } from './ldap/log-ons.ts'
import { type LdapLookup, ldapLookupShape } from './ldap/lookup.ts'
import type { Credentials } from './ldap/messages.ts'
import { parseName } from './ldap/names.ts'
import type { NestedGroups } from './ldap/nested-groups.ts'
import type { Directory } from './ldap/open-connection.ts'
import { isAttributeName } from './ldap/parse-filter.ts'
import { Pool } from './ldap/pool.ts'
import { probeServers } from './ldap/probe.ts'
import { isThisMachine, type LdapSettings, ldapShape, readAddress } from './ldap/settings.ts'
import { dataStoreKind } from './store-kind.ts'
import { typeOf } from './table-rows.ts'
import { readTlsFiles, type TlsChoices } from './tls-files.ts'

/** A directory that speaks LDAP (RFC 4511): OpenLDAP, Active Directory and others. */
export const ldap = dataStoreKind('ldap', ldapShape, ldapLookupShape, (settings, parts, sameness): StoreClient<LdapLookup> => {
  checkAttributes(settings, parts)
  checkName(settings.base, ['base'], parts)
  const directories = directorySettings(settings, parts)
  const { nestedGroups } = settings
  const { min, max, waiting, idle, check } = settings.connections
  const { log, now } = parts.outside
  const timing = { min, max, mostWaiting: waiting, idleMilliseconds: idle * 1000, checkMilliseconds: check * 1000 }
  const known = parts.kept.of(['ldap-servers', sameness], () => new Directories(directories, now))
  const pool = parts.kept.of(['ldap', sameness], () => new Pool(known, timing, log.child({ dataStore: parts.id })))
  const logOns = parts.kept.of(['ldap-log-ons', sameness], () => new LogOns(known, { atOnce: max, mostWaiting: waiting }))
  probeServers(directories, settings, parts)
  return new LdapClient({ ...settings, nestedGroups: nestedGroups && groupsIn(settings, nestedGroups) }, pool, logOns)
})

function groupsIn({ base }: LdapSettings, groups: NonNullable<LdapSettings['nestedGroups']>): NestedGroups {
  return { ...groups, base: groups.base ?? base }
}

function directorySettings(settings: LdapSettings, parts: Parts): DirectorySettings {
  const tls = tlsOf(settings, parts)
  const servers = settings.servers.map((name): Directory => {
    const { host, port, secure } = readAddress(name)
    return { name, host, port, encryption: secure ? 'tls' : settings.startTls ? 'start-tls' : 'none', tls }
  })
  checkEncryption(servers, settings, parts)
  const connectMilliseconds = settings.connections.timeout * 1000
  return { servers, choose: settings.choose, credentials: credentialsIn(settings, parts), connectMilliseconds }
}

function checkEncryption(servers: readonly Directory[], settings: LdapSettings, parts: Parts): void {
  const isOpen = ({ encryption, host }: Directory) => encryption === 'none' && !isThisMachine(host)
  for (const [index, server] of servers.entries()) {
    if (settings.startTls && server.encryption === 'tls')
      parts.problem(['servers', index], 'is encrypted from the first byte on: "startTls" is for ldap:// addresses')
    if (isOpen(server) && !settings.allowUnencrypted)
      parts.problem(['servers', index], 'is not encrypted, and the password goes there: write "ldaps://", or "startTls": true')
  }
  const open = servers.some(isOpen)
  if (!settings.allowUnencrypted) return
  if (open)
    parts.warn('ldap-unencrypted', ['allowUnencrypted'], 'the password of this server, and what is looked up, can be read on the way')
  else parts.problem(['allowUnencrypted'], 'every server is encrypted or on this machine; take it away')
}

function tlsOf(settings: LdapSettings, parts: Parts): TlsChoices {
  const isEncrypted = settings.startTls || settings.servers.some(server => readAddress(server).secure)
  for (const member of ['ca', 'certificate', 'privateKey'] as const) {
    if (settings[member] !== undefined && !isEncrypted) parts.problem([member], 'is for encrypted connections, and none is')
  }
  return readTlsFiles(settings, parts)
}

function credentialsIn(settings: LdapSettings, parts: Parts): Credentials {
  const { bind, bindDn, password } = settings
  if (bind === 'simple') return simple(bindDn, password && parts.text(password), parts)
  for (const member of ['bindDn', 'password'] as const) {
    if (settings[member] !== undefined) parts.problem([member], `is for "bind": "simple", and "bind" is "${bind}"`)
  }
  if (bind === 'external' && settings.certificate === undefined)
    parts.problem(['bind'], '"external" needs the "certificate" that says who this server is')
  return { method: bind }
}

function simple(dn: string | undefined, text: string | undefined, parts: Parts): Credentials {
  if (dn === undefined || text === undefined)
    parts.problem(['bind'], 'needs "bindDn" and "password"; to ask as nobody, say "bind": "anonymous"')
  if (dn !== undefined) checkBindName(dn, parts)
  // As an editor leaves a file.
  const password = (text ?? '').replace(/\r?\n$/, '')
  if (text !== undefined && password === '') parts.problem(['password'], 'is empty: a directory would take this server for nobody')
  return { method: 'simple', dn: dn ?? '', password }
}

// Active Directory also takes alice@example.com and EXAMPLE\alice.
function checkBindName(dn: string, parts: Parts): void {
  if (!/[@\\]/.test(dn)) checkName(dn, ['bindDn'], parts)
}

function checkName(name: string, path: readonly string[], parts: Parts): void {
  try {
    parseName(name)
  } catch (error) {
    if (!(error instanceof TemplateMistake)) throw error
    parts.problem(path, error.message)
  }
}

const types = ['string', 'integer', 'number', 'boolean']

function checkAttributes({ attributes, binary, nestedGroups }: LdapSettings, parts: Parts): void {
  for (const [name, schema] of Object.entries(attributes)) {
    const path = ['attributes', name]
    if (!isAttributeName(name)) parts.problem(path, `"${name}" is no name of an attribute of a directory`)
    const type = typeOf(schema)
    const items = schema.items as typeof schema | undefined
    const each = type === 'array' ? typeOf(items ?? {}) : type
    if (!types.includes(each)) parts.problem(path, `a directory has no ${each}; its values are ${types.join(', ')}, or lists of these`)
    if (binary[name] !== undefined && each !== 'string') parts.problem(path, `is written as text by "binary", and declared to be ${each}`)
  }
  for (const name of Object.keys(binary).filter(name => !Object.hasOwn(attributes, name) || name === nameAttribute))
    parts.problem(['binary', name], `"attributes" has no "${name}"${didYouMean(name, Object.keys(attributes))}`)
  if (nestedGroups !== undefined) checkGroups(nestedGroups, attributes, parts)
}

function checkGroups(groups: NonNullable<LdapSettings['nestedGroups']>, attributes: LdapSettings['attributes'], parts: Parts): void {
  const declared = attributes[groups.as]
  if (declared === undefined || typeOf(declared) !== 'array')
    parts.problem(
      ['nestedGroups'],
      `"attributes" has to declare "${groups.as}" as a list: { "type": "array", "items": { "type": "string" } }`,
    )
  for (const member of ['member', 'attribute'] as const) {
    if (!isAttributeName(groups[member])) parts.problem(['nestedGroups', member], `"${groups[member]}" is no name of an attribute`)
  }
  if (groups.base !== undefined) checkName(groups.base, ['nestedGroups', 'base'], parts)
}

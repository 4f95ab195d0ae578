import type { SigningKey } from '../keys/signing-key.ts'
import { keyInfo, keyValue, x509Data } from './key-info.ts'
import { namespaces } from './names.ts'
import { element, text, type Xml } from './write.ts'

/** A SAML issuer of ours, as its metadata describes it. */
export interface SamlEntity {
  /** Its name, which is the Issuer of its assertions. */
  readonly entityId: string
  /** The versions of SAML that it issues. */
  readonly versions: ReadonlyArray<'1.1' | '2.0'>
  /** The keys that sign now or next. Retired ones are left out: assertions that they signed have ended. */
  readonly keys: readonly SigningKey[]
  /** The NameID formats that it uses. */
  readonly nameFormats: readonly string[]
}

/** Joins what several generators with one issuer say, by its name. */
export function samlEntities(parts: Iterable<SamlEntity>): ReadonlyMap<string, SamlEntity> {
  const entities = new Map<string, SamlEntity>()
  for (const part of parts) {
    const known = entities.get(part.entityId)
    entities.set(part.entityId, known === undefined ? part : joined(known, part))
  }
  return entities
}

function joined(one: SamlEntity, other: SamlEntity): SamlEntity {
  return {
    entityId: one.entityId,
    versions: [...new Set([...one.versions, ...other.versions])],
    keys: [...one.keys, ...other.keys.filter(key => !one.keys.some(({ kid }) => kid === key.kid))],
    nameFormats: [...new Set([...one.nameFormats, ...other.nameFormats])],
  }
}

/**
 * Writes the EntityDescriptor of an issuer (SAML Metadata §2.3.2, §2.4.3). It has no validUntil: importers stop logins when that has
 * passed, and the keys hold for as long as they stand here. `login` is an address for the SingleSignOnService, which the schema and
 * every importer demand although our assertions are asked for at the token endpoint.
 */
export function samlMetadata({ entityId, versions, keys, nameFormats }: SamlEntity, login: string): string {
  const protocols = versions.map(version => protocolNames[version])
  const descriptor = element(
    'md:IDPSSODescriptor',
    { protocolSupportEnumeration: protocols.toSorted().reverse().join(' '), WantAuthnRequestsSigned: 'false' },
    ...keys.map(keyDescriptor),
    ...(nameFormats.length === 0 ? [unspecifiedFormat] : nameFormats).map(format => element('md:NameIDFormat', {}, text(format))),
    ...versions.flatMap(version => bindings[version]).map(Binding => element('md:SingleSignOnService', { Binding, Location: login })),
  )
  // A reader that looks again within the hour learns of the next key long before it signs.
  const attributes = { 'xmlns:md': namespaces.metadata, cacheDuration: 'PT1H', entityID: entityId }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('md:EntityDescriptor', attributes, descriptor)}\n`
}

const unspecifiedFormat = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'

// SAML 1.x metadata profile §2.3: SAML 1.1 names itself in the enumeration, and has no request message of its own.
const protocolNames = { '1.1': 'urn:oasis:names:tc:SAML:1.1:protocol', '2.0': namespaces.saml2Protocol } as const
const bindings = {
  '1.1': ['urn:mace:shibboleth:1.0:profiles:AuthnRequest'],
  '2.0': ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
} as const

function keyDescriptor(key: SigningKey): Xml {
  const shown = key.certificate === undefined ? keyValue(key.publicJwk) : x509Data(key.certificate)
  return element('md:KeyDescriptor', { use: 'signing' }, keyInfo(shown, 'alone'))
}

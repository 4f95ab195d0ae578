import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Context } from 'mocha'
import { requireProgram, run } from './tools.ts'

const required = 'CAMBIST_REQUIRE_XML_TOOLS'
const schemas = '/usr/share/simplesamlphp/schemas'

/** Leaves the tests out, aloud, without xmlsec1, OpenSAML's samlsign, xmllint and the schemas of OASIS. */
export function requireXmlTools(context: Context): void {
  requireProgram(context, 'xmlsec1', ['--version'], required)
  requireProgram(context, 'xmllint', ['--version'], required)
  // It has no option that ends well without a document.
  requireProgram(context, 'sh', ['-c', 'command -v samlsign'], required)
  requireProgram(context, 'cat', [`${schemas}/${versions['2.0'].schema}`, ...Object.values(extensions)], required)
}

/** Leaves the tests out, aloud, without Debian's Python and these modules of it. */
export function requirePython(context: Context, ...modules: readonly string[]): void {
  requireProgram(context, '/usr/bin/python3', ['-c', `import ${modules.join(', ')}`], required)
}

/** The version of an assertion, in the words of each tool. */
const versions = {
  '2.0': { idAttribute: 'ID', namespace: 'urn:oasis:names:tc:SAML:2.0:assertion', schema: 'saml-schema-assertion-2.0.xsd' },
  '1.1': {
    idAttribute: 'AssertionID',
    namespace: 'urn:oasis:names:tc:SAML:1.0:assertion',
    schema: 'oasis-sstc-saml-schema-assertion-1.1.xsd',
  },
} as const
export type Version = keyof typeof versions

/** What a document is validated by; for SAML 2.0 with the delegation restriction and XML Encryption 1.1. */
export type Schema = Version | 'metadata'

/** A folder of files for programs that read nothing else. */
export interface Desk {
  /** Writes a file and gives its path. */
  put(name: string, content: string): Promise<string>
  /** Whether xmlsec1 verifies the assertion by the certificate. */
  xmlsec1(xml: string, certificatePem: string, version: Version): Promise<boolean>
  /** Whether OpenSAML does. */
  samlsign(xml: string, certificatePem: string): Promise<boolean>
  /** What xmllint finds wrong by the schema of OASIS; the empty string when nothing is. */
  schemaProblems(documents: readonly string[], schema: Schema): Promise<string>
  /** What xmlsec1 decrypts. */
  decrypt(xml: string, privateKeyPem: string): Promise<string>
  clear(): Promise<void>
}

/** Makes such a folder. */
export async function makeDesk(): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'cambist-saml-'))
  let count = 0
  const put = async (name: string, content: string) => {
    const path = join(folder, `${count++}-${name}`)
    await writeFile(path, content)
    return path
  }
  return {
    put,
    async xmlsec1(xml, certificatePem, version) {
      const { idAttribute, namespace } = versions[version]
      const certificate = await put('certificate.pem', certificatePem)
      const trust = ['--enabled-reference-uris', 'empty,same-doc', '--enabled-key-data', 'raw-x509-cert', '--pubkey-cert-pem', certificate]
      const ids = [`--id-attr:${idAttribute}`, `${namespace}:Assertion`]
      return (await run('xmlsec1', ['--verify', ...trust, ...ids, await put('assertion.xml', xml)])).code === 0
    },
    async samlsign(xml, certificatePem) {
      const certificate = await put('certificate.pem', certificatePem)
      return (await run('samlsign', ['-c', certificate, '-f', await put('assertion.xml', xml)])).code === 0
    },
    async schemaProblems(documents, schema) {
      const files = await Promise.all(documents.map(document => put('document.xml', document)))
      const { code, complaints } = await run('xmllint', ['--nonet', '--noout', '--schema', await schemaFile(schema, put), ...files])
      return code === 0 ? '' : complaints
    },
    async decrypt(xml, privateKeyPem) {
      const key = await put('key.pem', privateKeyPem)
      const { code, out, complaints } = await run('xmlsec1', ['--decrypt', '--privkey-pem', key, await put('encrypted.xml', xml)])
      if (code !== 0) throw new Error(complaints)
      return out
    },
    clear: () => rm(folder, { recursive: true }),
  }
}

async function schemaFile(schema: Schema, put: Desk['put']): Promise<string> {
  if (schema === 'metadata') return `${schemas}/saml-schema-metadata-2.0.xsd`
  if (schema === '1.1') return `${schemas}/${versions['1.1'].schema}`
  return extendedSchema(put)
}

// OpenSAML brings the schemas of the delegation restriction and of XML Encryption 1.1, but they name others where there are none.
async function extendedSchema(put: Desk['put']): Promise<string> {
  const imports = await Promise.all(
    Object.entries(extensions).map(async ([namespace, path]) => {
      const content = await readFile(path, 'utf8')
      const local = content.replace(/schemaLocation=(["'])([^"']+)\1/g, `schemaLocation="file://${schemas}/$2"`)
      return `<import namespace="${namespace}" schemaLocation="${await put('extension.xsd', local)}"/>`
    }),
  )
  const saml = `<import namespace="${versions['2.0'].namespace}" schemaLocation="file://${schemas}/${versions['2.0'].schema}"/>`
  return put('all.xsd', `<schema xmlns="http://www.w3.org/2001/XMLSchema">${saml}${imports.join('')}</schema>`)
}

const extensions = {
  'urn:oasis:names:tc:SAML:2.0:conditions:delegation': '/usr/share/xml/opensaml/sstc-saml-delegation.xsd',
  'http://www.w3.org/2009/xmlenc11#': '/usr/share/xml/xmltooling/xenc11-schema.xsd',
}

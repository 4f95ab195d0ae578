import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import type { Context } from 'mocha'
import { tokenTypes } from '../../src/oauth/token-types.ts'
import { soapNamespaces, trustNamespaces } from '../../src/sts/names.ts'
import { makeSigner } from '../saml/forge.ts'
import { type Asked, answered, ask, assertionFor, europe, saml11Type, timestamp, trustServerFor } from '../sts/asking.ts'
import { requireProgram, run } from './tools.ts'

/** A library of Maven Central that has the schemas of OASIS in it. */
const library = 'org.keycloak:keycloak-saml-core:24.0.5'
const required = 'CAMBIST_REQUIRE_WS_TRUST_SCHEMA'
const envelopeSchema = '/usr/share/xml/xmltooling/soap-envelope.xsd'
const delegationSchema = '/usr/share/xml/opensaml/sstc-saml-delegation.xsd'

const idp = makeSigner()

describe('answers of WS-Trust 1.3, by the schema of OASIS', function () {
  this.timeout(60_000)
  const at = trustServerFor(idp)
  let folder: string
  let schema: string

  before(async function () {
    this.timeout(600_000)
    requireProgram(this, 'xmllint', ['--version'], required)
    requireProgram(this, 'cat', [envelopeSchema, delegationSchema], required)
    folder = await mkdtemp(join(tmpdir(), 'cambist-trust-schema-'))
    schema = await schemaIn(this, folder)
  })
  after(async () => {
    if (folder) await rm(folder, { recursive: true })
  })

  /** What xmllint finds wrong with a message; the empty string when nothing is. */
  async function problems(message: string): Promise<string> {
    // There is a schema of the envelope for SOAP 1.1 only; what is in it is the same.
    const envelope = message.replaceAll(soapNamespaces['1.2'], soapNamespaces['1.1'])
    const { code, complaints } = await run('xmllint', ['--nonet', '--noout', '--schema', schema, '-'], envelope)
    return code === 0 ? '' : complaints
  }

  const inEurope = `/sts/partner/${Buffer.from(europe).toString('base64url')}`
  const kinds: Array<[what: string, asked: () => Asked]> = [
    ['a SAML 2.0 assertion', () => ({ subject: assertionFor(idp) })],
    ['one with a timestamp', () => ({ subject: assertionFor(idp), security: timestamp(-5) })],
    ['one with AppliesTo', () => ({ subject: assertionFor(idp), appliesTo: 'urn:api', tokenType: tokenTypes.jwt })],
    ['a SAML 1.1 assertion', () => ({ path: inEurope, subject: assertionFor(idp, europe), tokenType: saml11Type })],
    ['a token for somebody who acts', () => ({ subject: assertionFor(idp), holder: 'ActAs', appliesTo: 'urn:delegating' })],
    ['a status', () => ({ operation: 'Validate', subject: assertionFor(idp) })],
    ['the status of a token that is not valid', () => ({ operation: 'Validate', subject: assertionFor(idp).replace('alice', 'alicE') })],
    ['a status with a token', () => ({ operation: 'Validate', subject: assertionFor(idp), tokenType: tokenTypes.saml2 })],
  ]
  for (const [what, asked] of kinds) {
    for (const soap of ['1.1', '1.2'] as const) {
      it(`are valid: ${what} by SOAP ${soap}`, async () => {
        const answer = await answered(at, { ...asked(), soap })
        expect(answer).to.include(trustNamespaces['1.3'])
        expect(await problems(answer)).to.equal('')
      })
    }
  }

  it('are valid where they are faults', async () => {
    for (const asked of [{ subject: assertionFor(idp), appliesTo: 'urn:unknown' }, { subject: '<x/>' }, { message: '<x/>' }])
      expect(await problems((await ask(at, asked)).text)).to.equal('')
  })

  it('are looked at closely', async () => {
    const answer = await answered(at, { subject: assertionFor(idp), security: timestamp(-5) })
    for (const [found, written] of [
      ['wst:RequestSecurityTokenResponse>', 'wst:RequestSecurityToken>'],
      ['wsu:Created>', 'wsu:Made>'],
    ] as const) {
      expect(answer).to.include(found)
      expect(await problems(answer.replaceAll(found, written))).to.not.equal('')
    }
  })
})

/** Has Maven unpack the library; gives a schema of all that a message may have. Left out, aloud, where it cannot be had. */
async function schemaIn(context: Context, folder: string): Promise<string> {
  const goal = ['-q', '-B', 'dependency:copy', `-Dartifact=${library}`, `-DoutputDirectory=${folder}`, '-Dmdep.stripVersion=true']
  requireProgram(context, 'mvn', goal, required)
  const unpacked = join(folder, 'library')
  requireProgram(context, 'unzip', ['-q', '-o', join(folder, 'keycloak-saml-core.jar'), 'schema/*', '-d', unpacked], required)
  for (const part of ['wstrust/v1_3', 'saml/v2', 'w3c/xmldsig', 'w3c/xmlenc', 'w3c/xmlschema']) {
    for (const name of (await readdir(join(unpacked, 'schema', part))).filter(each => each.endsWith('.xsd'))) {
      const text = await readFile(join(unpacked, 'schema', part, name), 'utf8')
      await writeFile(join(folder, name), nearby(text))
    }
  }
  await writeFile(join(folder, basename(delegationSchema)), nearby(await readFile(delegationSchema, 'utf8')))
  const imports = [
    [soapNamespaces['1.1'], envelopeSchema],
    [trustNamespaces['1.3'], 'ws-trust-1.3.xsd'],
    ['urn:oasis:names:tc:SAML:2.0:conditions:delegation', basename(delegationSchema)],
  ].map(([namespace, place]) => `<xs:import namespace="${namespace}" schemaLocation="${place}"/>`)
  const all = join(folder, 'all.xsd')
  await writeFile(all, `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${imports.join('')}</xs:schema>`)
  return all
}

// They name each other by addresses in the net, and the document type of the one of XML Signature is not needed.
function nearby(schema: string): string {
  return schema
    .replace(/schemaLocation=(["'])([^"']*)\1/g, (_all, quote, place) => `schemaLocation=${quote}${basename(place)}${quote}`)
    .replace(/<!DOCTYPE[^[>]*(?:\[[^\]]*\])?\s*>/, '')
}

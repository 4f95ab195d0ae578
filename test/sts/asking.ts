import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { digestSecret, hashSecret } from '../../src/clients/secrets.ts'
import { tokenTypes } from '../../src/oauth/token-types.ts'
import { samlTokens, security, soapNamespaces, trust14, trustNamespaces } from '../../src/sts/names.ts'
import {
  assertion20,
  at,
  audience,
  conditions,
  makeSigner,
  partner,
  restriction,
  type Signer,
  signed,
  type Unsigned,
} from '../saml/forge.ts'
import { type Files, patched, secretOf } from '../support/configuration.ts'
import type { Answer, WorldOutside } from '../support/running-server.ts'
import { samlServerFor } from '../support/saml.ts'
import type { World } from '../support/world.ts'

export const europe = 'https://sts-eu.example.com'
export const ledger = 'https://ledger.example.com/ws'
export const wsa = 'http://www.w3.org/2005/08/addressing'
const text = { type: 'string' }

/** The password of a user. */
export const passwordOf = (name: string) => `password-of-${name}`
const slowHash = (await hashSecret(passwordOf('slow'), randomBytes)).text
const contract = { TOKEN_SUBJECT: text }
const learned = { TOKEN_SUBJECT: 'assertion.nameId.value' }
const saml = { SAML_SUBJECT: 'policy.TOKEN_SUBJECT', email: "'alice@partner.example'", groups: '[]' }

/** The SAML files with WS-Trust: a partner with two virtual servers and three mappings, and clients that may call. */
export function trustFiles(files: Files): Files {
  const connection = {
    entityId: partner,
    virtualServerIds: [audience, europe],
    tokenProcessor: 'partner',
    actorTokenProcessor: 'agents',
    processing: 'validate-and-issue',
    contract: { TOKEN_SUBJECT: text, department: { type: ['string', 'null'] } },
    attributes: { ...learned, department: 'has(assertion.attributes.email) ? assertion.attributes.email : null' },
    criteria: [{ require: "assertion.nameId.value != 'mallory'", otherwise: 'mallory is known to us' }],
    generators: [
      { tokenGenerator: 'ledger-saml', default: true, appliesTo: [ledger], attributes: saml },
      {
        tokenGenerator: 'ledger-saml11',
        virtualServerIds: [europe],
        attributes: saml,
        criteria: [{ require: `context.virtualServerId == '${europe}'`, otherwise: 'Europe only' }],
      },
      {
        tokenGenerator: 'ledger-jwt',
        appliesTo: [ledger, 'urn:api'],
        attributes: { sub: 'policy.TOKEN_SUBJECT', email: "'alice@partner.example'" },
      },
      { tokenGenerator: 'delegating', appliesTo: ['urn:delegating'], attributes: saml },
    ],
  }
  const { issuer: _issuer, ...another } = { ...connection, issuer: '' }
  return patched(files, {
    'policies/token-generators/delegating.json': {
      ...(files['policies/token-generators/ledger-saml.json'] as object),
      audience: 'urn:delegating',
      delegation: 'condition',
    },
    'policies/idp-connections/partner.json': connection,
    'policies/idp-connections/partner11.json': {
      ...another,
      entityId: 'https://old.partner.example',
      tokenProcessor: 'old-partner',
      processing: 'validate',
      contract,
      attributes: learned,
      criteria: [],
      generators: [],
    },
    'policies/token-processors/old-partner.json': {
      type: 'saml2',
      once: true,
      issuers: ['https://old.partner.example', partner].map(entityId => ({ entityId, certificates: [{ file: 'secrets/partner.crt' }] })),
    },
    'policies/idp-connections/people.json': {
      entityId: 'https://people.example',
      tokenProcessor: 'people',
      processing: 'validate-and-issue',
      contract,
      attributes: { TOKEN_SUBJECT: 'assertion.sub' },
      generators: [{ tokenGenerator: 'ledger-saml', default: true, attributes: saml }],
    },
    'policies/idp-connections/own.json': {
      entityId: 'https://sts.example.com',
      tokenProcessor: 'own',
      processing: 'validate-and-issue',
      contract,
      attributes: { TOKEN_SUBJECT: 'assertion.sub' },
      generators: [{ tokenGenerator: 'ledger-saml', default: true, attributes: saml }],
    },
    'policies/token-processors/users.json': {
      type: 'username',
      issuer: 'urn:users',
      users: {
        alice: { passwords: [{ hash: digestSecret(passwordOf('alice')).text }], attributes: { email: 'alice@partner.example' } },
        slow: { passwords: [{ hash: slowHash }] },
      },
    },
    'policies/idp-connections/users.json': {
      entityId: 'urn:users',
      tokenProcessor: 'users',
      processing: 'validate-and-issue',
      contract: { ...contract, email: { type: ['string', 'null'] } },
      attributes: { TOKEN_SUBJECT: 'assertion.username', email: 'has(assertion.attributes.email) ? assertion.attributes.email : null' },
      generators: [{ tokenGenerator: 'ledger-saml', default: true, attributes: saml }],
    },
    'clients/gateway.json': { wsTrust: { enabled: true, connections: ['users', 'partner', 'partner11', 'people', 'own'] } },
    'clients/api.json': { wsTrust: { enabled: true, connections: ['people'] } },
  })
}

/** A world whose clock stands where the forged assertions are valid. */
export function trustServerFor(
  signer: Signer = makeSigner(),
  change: (files: Files) => Files = files => files,
  outside: WorldOutside = {},
): World {
  return samlServerFor(signer, files => change(trustFiles(files)), outside)
}

/** An assertion of the partner, for a virtual server. */
export function assertionFor(signer: Signer, virtualServer = audience, document?: Unsigned): string {
  return signed(document ?? assertion20({ conditions: conditions(restriction(virtualServer)) }), signer)
}

/** How a message departs from the usual one: SOAP 1.1, WS-Trust 1.3, `Issue` for an assertion in `OnBehalfOf`. */
export interface Asked {
  readonly soap?: '1.1' | '1.2'
  readonly trust?: '1.3' | '2005/02'
  readonly operation?: 'Issue' | 'Validate' | 'Renew' | 'Cancel' | 'Bake'
  readonly path?: string
  readonly subject?: string
  /** What is around the subject; undefined: what usually is for the operation. */
  readonly holder?: 'OnBehalfOf' | 'ActAs' | 'ValidateTarget' | 'none'
  /** Further members of the request. */
  readonly members?: string
  readonly appliesTo?: string | undefined
  readonly tokenType?: string | undefined
  readonly attributes?: string
  /** Headers beside the security header. */
  readonly headers?: string
  /** What is in the security header; undefined: no such header. */
  readonly security?: string
  /** The client by HTTP Basic; undefined: nobody. */
  readonly client?: string | undefined
  readonly http?: Record<string, string>
  /** The whole message instead. */
  readonly message?: string
}

/** One member of a request, in its namespace. */
export const member = (name: string, inside: string, attributes = '') => `<wst:${name}${attributes}>${inside}</wst:${name}>`

/** The message. */
export function messageOf(asked: Asked): string {
  const { soap = '1.1', trust = '1.3', operation = 'Issue', subject = '', holder, members = '', attributes = '' } = asked
  const namespace = trustNamespaces[trust]
  const around = holder ?? (operation === 'Validate' ? 'ValidateTarget' : 'OnBehalfOf')
  const held =
    subject === '' || around === 'none'
      ? ''
      : around === 'ActAs'
        ? `<a:ActAs xmlns:a="${trust14}">${subject}</a:ActAs>`
        : member(around, subject)
  const applies =
    asked.appliesTo === undefined
      ? ''
      : `<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><wsa:EndpointReference xmlns:wsa="${wsa}"><wsa:Address>${asked.appliesTo}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>`
  const type = asked.tokenType === undefined ? '' : member('TokenType', asked.tokenType)
  const request = `<wst:RequestSecurityToken xmlns:wst="${namespace}"${attributes}>${member('RequestType', `${namespace}/${operation}`)}${applies}${type}${held}${members}</wst:RequestSecurityToken>`
  const secured =
    asked.security === undefined
      ? ''
      : `<wsse:Security xmlns:wsse="${security.wsse}" xmlns:wsu="${security.wsu}" s:mustUnderstand="1">${asked.security}</wsse:Security>`
  return `<s:Envelope xmlns:s="${soapNamespaces[soap]}"><s:Header>${asked.headers ?? ''}${secured}</s:Header><s:Body>${request}</s:Body></s:Envelope>`
}

/** A UsernameToken of a client. */
export const userName = (name: string, password = secretOf(name), more = '', type: string = security.passwordText) =>
  `<wsse:UsernameToken><wsse:Username>${name}</wsse:Username><wsse:Password Type="${type}">${password}</wsse:Password>${more}</wsse:UsernameToken>`

/** A timestamp of so many seconds from the time of the tests. */
export const timestamp = (created: number, expires = created + 300) =>
  `<wsu:Timestamp wsu:Id="TS-1"><wsu:Created>${at(created)}</wsu:Created><wsu:Expires>${at(expires)}</wsu:Expires></wsu:Timestamp>`

/** A token that is text, in a BinarySecurityToken. */
export const binary = (token: string, valueType: string = tokenTypes.jwt) =>
  `<wsse:BinarySecurityToken xmlns:wsse="${security.wsse}" ValueType="${valueType}" EncodingType="${security.base64}">${Buffer.from(token).toString('base64')}</wsse:BinarySecurityToken>`

/** Sends it. */
export async function ask(world: World, asked: Asked): Promise<Answer> {
  const { soap = '1.1', path = '/sts/partner' } = asked
  const client = 'client' in asked ? asked.client : 'gateway'
  const headers = {
    'content-type': soap === '1.1' ? 'text/xml; charset=utf-8' : 'application/soap+xml; charset=utf-8',
    ...(client !== undefined && { authorization: `Basic ${Buffer.from(`${client}:${secretOf(client)}`).toString('base64')}` }),
    ...asked.http,
  }
  return world.server.request('POST', path, asked.message ?? messageOf(asked), headers)
}

/** The answer, which has to be a token or a status. */
export async function answered(world: World, asked: Asked): Promise<string> {
  const answer = await ask(world, asked)
  expect(answer.status, answer.text).to.equal(200)
  expect(answer.text).to.include(`<soap:Envelope xmlns:soap="${soapNamespaces[asked.soap ?? '1.1']}"`)
  expect(answer.headers.get('cache-control')).to.equal('no-store')
  return answer.text
}

/** The fault, by its qualified name, which has to be in the version that was asked in. */
export async function faulted(world: World, asked: Asked, name: string): Promise<Answer> {
  const answer = await ask(world, asked)
  const { soap = '1.1' } = asked
  expect(answer.text).to.include(`<soap:Envelope xmlns:soap="${soapNamespaces[soap]}"`)
  expect(answer.headers.get('content-type')).to.equal(soap === '1.1' ? 'text/xml; charset=utf-8' : 'application/soap+xml; charset=utf-8')
  const found =
    soap === '1.1'
      ? /<faultcode(?: [^>]*)?>([^<]*)<\/faultcode>/.exec(answer.text)?.[1]
      : (/<soap:Subcode><soap:Value(?: [^>]*)?>([^<]*)</.exec(answer.text) ?? /<soap:Code><soap:Value>([^<]*)</.exec(answer.text))?.[1]
  expect(found, answer.text).to.equal(name)
  expect(answer.status, answer.text).to.equal(soap === '1.1' ? 500 : 400)
  expect(answer.headers.get('x-request-id')).to.be.a('string')
  return answer
}

/** The one assertion in an answer, as it stands there. */
export function assertionIn(answer: string): string {
  const [found, second] = [...answer.matchAll(/<wst:RequestedSecurityToken>(.*?)<\/wst:RequestedSecurityToken>/g)]
  expect(second).to.equal(undefined)
  expect(found?.[1], answer).to.match(/^<saml:Assertion .*<\/saml:Assertion>$/)
  return found?.[1] ?? ''
}

export const saml2Type = samlTokens.saml2.type
export const saml11Type = samlTokens.saml11.type

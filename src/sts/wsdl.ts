import { element, join, type Xml } from '../saml/write.ts'
import { policyNamespaces, security, trustNamespaces } from './names.ts'

const trust = trustNamespaces['1.3']
const wsdl = 'http://schemas.xmlsoap.org/wsdl/'
const securityPolicy = 'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702'
const addressing = { wsam: 'http://www.w3.org/2007/05/addressing/metadata', wsaw: 'http://www.w3.org/2006/05/addressing/wsdl' }
/** The namespace and the names that the clients' own configurations have by default. */
const service = `${trust}/`

const operations = {
  Issue: { output: 'RequestSecurityTokenResponseCollection', answer: 'RSTRC/IssueFinal' },
  Validate: { output: 'RequestSecurityTokenResponse', answer: 'RSTR/ValidateFinal' },
} as const
type OperationName = keyof typeof operations
const operationNames = Object.keys(operations) as OperationName[]

const soapNamespaces = { soap: `${wsdl}soap/`, soap12: `${wsdl}soap12/` } as const

/** How callers authenticate, and the part of the names that says so. */
const policies = {
  username: { id: 'STS_UsernamePolicy', name: '' },
  basic: { id: 'STS_BasicPolicy', name: 'Basic' },
} as const

interface Port {
  readonly prefix: keyof typeof soapNamespaces
  readonly by: keyof typeof policies
}

// One policy each: of several alternatives a client takes the one that it likes best, whatever credentials it was given.
const usernamePorts: readonly Port[] = [
  { prefix: 'soap', by: 'username' },
  { prefix: 'soap12', by: 'username' },
]
const basicPorts: readonly Port[] = [
  { prefix: 'soap', by: 'basic' },
  { prefix: 'soap12', by: 'basic' },
]

/** The WSDL 1.1 description of the service at an address, with the policies (WS-SecurityPolicy 1.2) that its callers keep to. */
export function wsdlOf(address: string): string {
  const isSecure = address.startsWith('https:')
  const ports = isSecure ? [...usernamePorts, ...basicPorts] : usernamePorts
  const declarations = {
    name: 'SecurityTokenService',
    targetNamespace: service,
    'xmlns:soap': soapNamespaces.soap,
    'xmlns:soap12': soapNamespaces.soap12,
    'xmlns:sp': securityPolicy,
    'xmlns:tns': service,
    'xmlns:wsam': addressing.wsam,
    'xmlns:wsaw': addressing.wsaw,
    'xmlns:wsdl': wsdl,
    'xmlns:wsp': policyNamespaces[0],
    'xmlns:wst': trust,
    'xmlns:wsu': security.wsu,
    'xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
  }
  const content = join(
    usernamePolicy(isSecure),
    ...(isSecure ? [basicPolicy()] : []),
    element('wsdl:types', {}, schema()),
    ...['RequestSecurityToken', ...operationNames.map(name => operations[name].output)].map(message),
    element('wsdl:portType', { name: 'STS' }, ...operationNames.map(portOperation)),
    ...ports.map(binding),
    element('wsdl:service', { name: 'SecurityTokenService' }, ...ports.map(each => portAt(each, address))),
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('wsdl:definitions', declarations, content)}`
}

// The elements of the OASIS schema, as loosely typed as there: members stand in any order.
function schema(): Xml {
  const texts = ['TokenType', 'RequestType', 'KeyType'].map(name => element('xs:element', { name, type: 'xs:anyURI' }))
  const holders = [
    'OnBehalfOf',
    'ValidateTarget',
    'RequestedSecurityToken',
    'RequestedAttachedReference',
    'RequestedUnattachedReference',
  ].map(name => element('xs:element', { name, type: 'wst:AnyOneType' }))
  const status = sequence(
    element('xs:element', { name: 'Code', type: 'xs:anyURI' }),
    element('xs:element', { name: 'Reason', type: 'xs:string', minOccurs: '0' }),
  )
  return element(
    'xs:schema',
    { elementFormDefault: 'qualified', targetNamespace: trust },
    element('xs:complexType', { name: 'AnyOneType' }, sequence(wildcard('1'))),
    element(
      'xs:complexType',
      { name: 'MembersType' },
      sequence(wildcard('unbounded')),
      element('xs:attribute', { name: 'Context', type: 'xs:anyURI' }),
    ),
    element('xs:complexType', { name: 'StatusType' }, status),
    element(
      'xs:complexType',
      { name: 'CollectionType' },
      sequence(element('xs:element', { ref: 'wst:RequestSecurityTokenResponse', maxOccurs: 'unbounded' })),
    ),
    ...texts,
    ...holders,
    element('xs:element', { name: 'Status', type: 'wst:StatusType' }),
    element('xs:element', { name: 'RequestSecurityToken', type: 'wst:MembersType' }),
    element('xs:element', { name: 'RequestSecurityTokenResponse', type: 'wst:MembersType' }),
    element('xs:element', { name: 'RequestSecurityTokenResponseCollection', type: 'wst:CollectionType' }),
  )
}

function sequence(...content: readonly Xml[]): Xml {
  return element('xs:sequence', {}, ...content)
}

function wildcard(maxOccurs: string): Xml {
  return element('xs:any', { namespace: '##any', processContents: 'lax', minOccurs: '0', maxOccurs })
}

function message(name: string): Xml {
  return element('wsdl:message', { name: `${name}Msg` }, element('wsdl:part', { name: 'parameters', element: `wst:${name}` }))
}

function portOperation(name: OperationName): Xml {
  const { output, answer } = operations[name]
  const action = (value: string) => ({ 'wsam:Action': `${trust}/${value}` })
  return element(
    'wsdl:operation',
    { name },
    element('wsdl:input', { message: 'tns:RequestSecurityTokenMsg', ...action(`RST/${name}`) }),
    element('wsdl:output', { message: `tns:${output}Msg`, ...action(answer) }),
  )
}

function nameOf(what: 'Binding' | 'Port', { prefix, by }: Port): string {
  return `STS_${policies[by].name}${what}${prefix === 'soap12' ? '12' : ''}`
}

function binding(port: Port): Xml {
  const { prefix, by } = port
  const body = element(`${prefix}:body`, { use: 'literal' })
  return element(
    'wsdl:binding',
    { name: nameOf('Binding', port), type: 'tns:STS' },
    element('wsp:PolicyReference', { URI: `#${policies[by].id}` }),
    element(`${prefix}:binding`, { style: 'document', transport: 'http://schemas.xmlsoap.org/soap/http' }),
    ...operationNames.map(name =>
      element(
        'wsdl:operation',
        { name },
        element(`${prefix}:operation`, { soapAction: `${trust}/RST/${name}`, style: 'document' }),
        element('wsdl:input', {}, body),
        element('wsdl:output', {}, body),
      ),
    ),
  )
}

function portAt(port: Port, address: string): Xml {
  const attributes = { name: nameOf('Port', port), binding: `tns:${nameOf('Binding', port)}` }
  return element('wsdl:port', attributes, element(`${port.prefix}:address`, { location: address }))
}

/** A UsernameToken; over TLS, where the service is there. */
function usernamePolicy(isSecure: boolean): Xml {
  const inclusion = { 'sp:IncludeToken': `${securityPolicy}/IncludeToken/AlwaysToRecipient` }
  const token = element('sp:UsernameToken', inclusion, nested(element('sp:WssUsernameToken10', {})))
  const userName = element('sp:SignedSupportingTokens', {}, nested(token))
  return policy('username', isSecure ? join(transport(join()), userName) : userName)
}

/** HTTP Basic, which is for TLS only. */
function basicPolicy(): Xml {
  return policy('basic', transport(element('sp:HttpBasicAuthentication', {})))
}

function policy(by: keyof typeof policies, content: Xml): Xml {
  const addressed = element('wsaw:UsingAddressing', { 'wsp:Optional': 'true' })
  const all = element('wsp:All', {}, join(addressed, content))
  return element('wsp:Policy', { 'wsu:Id': policies[by].id }, element('wsp:ExactlyOne', {}, all))
}

function transport(authentication: Xml): Xml {
  const token = element('sp:TransportToken', {}, nested(element('sp:HttpsToken', {}, nested(authentication))))
  const suite = element('sp:AlgorithmSuite', {}, nested(element('sp:Basic256', {})))
  const layout = element('sp:Layout', {}, nested(element('sp:Lax', {})))
  return element('sp:TransportBinding', {}, nested(join(token, suite, layout, element('sp:IncludeTimestamp', {}))))
}

function nested(content: Xml): Xml {
  return element('wsp:Policy', {}, content)
}

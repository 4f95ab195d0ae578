import { element, join, type Xml } from '../saml/write.ts'
import { policyNamespaces, security, trustNamespaces } from './names.ts'

const trust = trustNamespaces['1.3']
const wsdl = 'http://schemas.xmlsoap.org/wsdl/'
const securityPolicy = 'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702'
const addressing = { wsam: 'http://www.w3.org/2007/05/addressing/metadata', wsaw: 'http://www.w3.org/2006/05/addressing/wsdl' }
/** The namespace and the names that the clients' own configurations have by default. */
const service = `${trust}/`
const policyId = 'STS_Policy'

const operations = {
  Issue: { output: 'RequestSecurityTokenResponseCollection', answer: 'RSTRC/IssueFinal' },
  Validate: { output: 'RequestSecurityTokenResponse', answer: 'RSTR/ValidateFinal' },
} as const
type OperationName = keyof typeof operations
const operationNames = Object.keys(operations) as OperationName[]

const soapBindings = [
  { version: '', namespace: `${wsdl}soap/`, prefix: 'soap' },
  { version: '12', namespace: `${wsdl}soap12/`, prefix: 'soap12' },
] as const

/** The WSDL 1.1 description of the service at an address, with the policy (WS-SecurityPolicy 1.2) that its callers keep to. */
export function wsdlOf(address: string): string {
  const declarations = {
    name: 'SecurityTokenService',
    targetNamespace: service,
    'xmlns:soap': soapBindings[0].namespace,
    'xmlns:soap12': soapBindings[1].namespace,
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
    policy(address.startsWith('https:')),
    element('wsdl:types', {}, schema()),
    ...['RequestSecurityToken', ...operationNames.map(name => operations[name].output)].map(message),
    element('wsdl:portType', { name: 'STS' }, ...operationNames.map(portOperation)),
    ...soapBindings.map(binding),
    element('wsdl:service', { name: 'SecurityTokenService' }, ...soapBindings.map(each => port(each, address))),
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

type SoapBinding = (typeof soapBindings)[number]

function binding({ version, prefix }: SoapBinding): Xml {
  const body = element(`${prefix}:body`, { use: 'literal' })
  return element(
    'wsdl:binding',
    { name: `STS_Binding${version}`, type: 'tns:STS' },
    element('wsp:PolicyReference', { URI: `#${policyId}` }),
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

function port({ version, prefix }: SoapBinding, address: string): Xml {
  const attributes = { name: `STS_Port${version}`, binding: `tns:STS_Binding${version}` }
  return element('wsdl:port', attributes, element(`${prefix}:address`, { location: address }))
}

/** How callers authenticate: by a UsernameToken, or by HTTP Basic; over TLS, where the service is there. */
function policy(isSecure: boolean): Xml {
  const userName = element(
    'sp:SignedSupportingTokens',
    {},
    nested(
      element(
        'sp:UsernameToken',
        { 'sp:IncludeToken': `${securityPolicy}/IncludeToken/AlwaysToRecipient` },
        nested(element('sp:WssUsernameToken10', {})),
      ),
    ),
  )
  const addressed = element('wsaw:UsingAddressing', { 'wsp:Optional': 'true' })
  const alternatives = isSecure
    ? [join(addressed, transport(join()), userName), join(addressed, transport(element('sp:HttpBasicAuthentication', {})))]
    : [join(addressed, userName)]
  return element(
    'wsp:Policy',
    { 'wsu:Id': policyId },
    element('wsp:ExactlyOne', {}, ...alternatives.map(each => element('wsp:All', {}, each))),
  )
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

import type { Failure } from '../http/failure.ts'
import type { Instant } from '../outside.ts'
import { element, join, text, type Xml } from '../saml/write.ts'
import { type Fault, faultOf, isSendersFault } from './faults.ts'
import type { Manner } from './manner.ts'
import { addressingNamespaces, security, trustNamespaces } from './names.ts'
import { writeEnvelope } from './write-envelope.ts'

/** Writes a fault in the version of SOAP and WS-Trust that was asked in (WT-30). `reference` finds its record. */
export function writeFault(manner: Manner, failure: Failure, reference: string, now: Instant): string {
  const fault = faultOf(failure)
  const isSenders = isSendersFault(failure)
  const reason = `${fault.text}: ${failure.body.error_description} (reference ${reference})`
  const body = manner.soap === '1.1' ? fault11(fault, isSenders, reason, manner) : fault12(fault, isSenders, reason, manner)
  return writeEnvelope(manner, actionOf(fault, manner), body, now)
}

function actionOf({ of }: Fault, { addressing }: Manner): string {
  const namespace = addressing?.namespace ?? addressingNamespaces[0]
  return of === 'wsa' ? `${namespace}/fault` : `${namespace}/soap/fault`
}

/** SOAP 1.1 §4.4: one code, and children without a namespace. */
function fault11(fault: Fault, isSenders: boolean, reason: string, manner: Manner): Xml {
  const general = isSenders ? 'soap:Client' : 'soap:Server'
  const code = fault.of !== 'soap' ? nameOf(fault) : fault.name === 'Sender' ? general : `soap:${fault.name}`
  return element(
    'soap:Fault',
    {},
    element('faultcode', declarationFor(fault, manner), text(isSenders ? code : general)),
    element('faultstring', {}, text(reason)),
  )
}

/** SOAP 1.2 Part 1 §5.4: who is to blame, and a subcode that says more. */
function fault12(fault: Fault, isSenders: boolean, reason: string, manner: Manner): Xml {
  const own = fault.of === 'soap'
  const general = own && fault.name !== 'Sender' ? `soap:${fault.name}` : isSenders ? 'soap:Sender' : 'soap:Receiver'
  const subcode = element('soap:Subcode', {}, element('soap:Value', declarationFor(fault, manner), text(nameOf(fault))))
  return element(
    'soap:Fault',
    {},
    element('soap:Code', {}, element('soap:Value', {}, text(general)), own ? join() : subcode),
    element('soap:Reason', {}, element('soap:Text', { 'xml:lang': 'en' }, text(reason))),
  )
}

function nameOf({ of, name }: Fault): string {
  return `${of}:${name}`
}

// The prefix stands in a text, where only its declaration gives it a meaning.
function declarationFor({ of }: Fault, { addressing, trust }: Manner): Record<string, string> {
  switch (of) {
    case 'soap':
      return {}
    case 'wsa':
      return { 'xmlns:wsa': addressing?.namespace ?? addressingNamespaces[0] }
    case 'wst':
      return { 'xmlns:wst': trustNamespaces[trust] }
    default:
      return { [`xmlns:${of}`]: security[of] }
  }
}

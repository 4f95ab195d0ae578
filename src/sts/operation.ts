import { OAuthError } from '../oauth/errors.ts'
import type { XmlElement } from '../saml/xml-element.ts'
import { malformed, onlyChild, plainText } from './envelope.ts'
import { type TrustVersion, trustNamespaces } from './names.ts'

/** What is asked for. */
export type Operation = 'issue' | 'validate'

const operations: Readonly<Record<string, Operation | undefined>> = {
  Issue: 'issue',
  Validate: 'validate',
  Renew: undefined,
  Cancel: undefined,
}

/** The version of WS-Trust that an element belongs to. */
export function trustVersionOf({ namespace }: XmlElement): TrustVersion | undefined {
  return (Object.keys(trustNamespaces) as TrustVersion[]).find(version => trustNamespaces[version] === namespace)
}

/**
 * What is asked for: `RequestType`, with which whatever else names the operation has to agree (WT-2, WT-3). `actions` are those of
 * WS-Addressing and of HTTP, empty where there is none.
 */
export function operationOf(request: XmlElement, actions: ReadonlyArray<string | undefined>): Operation {
  const { namespace } = request
  const element = onlyChild(request, [namespace], 'RequestType')
  if (element === undefined) throw malformed('RequestType is missing')
  const type = plainText(element)
  const name = type.startsWith(`${namespace}/`) ? type.slice(namespace.length + 1) : ''
  if (!Object.hasOwn(operations, name)) throw new OAuthError('request-not-understood', 'the RequestType is unknown here')
  if (actions.some(action => action !== undefined && action !== '' && action !== `${namespace}/RST/${name}`))
    throw malformed('the action of the message is not that of its RequestType')
  const operation = operations[name]
  if (operation === undefined)
    throw new OAuthError('operation-not-available', 'tokens can be issued and validated here, not renewed or cancelled')
  return operation
}

import { isIP } from 'node:net'
import { plainAddress } from './client-address.ts'

/** The headers in which a proxy says who has called it. */
export type AddressHeader = 'X-Forwarded-For' | 'Forwarded'

/**
 * The address that the nearest believed proxy has seen: every proxy adds its caller behind what it was sent, so that only what stands
 * behind the last stranger is known to be true, and what stands before it may be anything. Undefined where a proxy says no address.
 */
export function forwardedAddress(header: AddressHeader, value: string, isProxy: (address: string) => boolean): string | undefined {
  let farthest: string | undefined
  for (const hop of hopsOf(header, value).toReversed()) {
    farthest = addressOf(hop)
    if (farthest === undefined || !isProxy(farthest)) return farthest
  }
  return farthest
}

// RFC 7239 §4: elements with pairs, of which only "for" is read. What stands in quotes separates nothing, and names nothing.
function hopsOf(header: AddressHeader, value: string): string[] {
  if (header === 'X-Forwarded-For') return value.split(',').map(hop => hop.trim())
  // A client could open a quote that the proxy behind it closes: what the proxy says would be text within what the client says.
  if (!/^(?:"(?:[^"\\]|\\.)*"|[^"])*$/.test(value)) return ['']
  const elements = value.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []
  return elements.map(element => {
    const pairs = element.match(/(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? []
    const named = pairs.map(pair => /^\s*for\s*=\s*(.*?)\s*$/i.exec(pair)).filter(found => found !== null)
    // Two of them would leave open which one is meant.
    return named.length === 1 ? (named[0]?.[1] ?? '').replace(/^"(.*)"$/, '$1') : ''
  })
}

/** An address, also with a port behind it or in brackets (RFC 7239 §6); undefined for "unknown" and made-up names. */
function addressOf(hop: string): string | undefined {
  const address = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?$/.exec(hop)?.[1] ?? hop
  return isIP(address) === 0 || address.includes('%') ? undefined : plainAddress(address)
}

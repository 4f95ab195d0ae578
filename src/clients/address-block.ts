import { isIPv6 } from 'node:net'

/** What counts as one address: an IPv4 address, or the /64 of an IPv6 address, of which every subscriber has 2^64 addresses (RFC 6177). */
export function addressBlock(address: string): string {
  if (!isIPv6(address)) return address
  const groups = groupsOf(address.replace(/%.*$/, ''))
  const [high = 0, low = 0] = groups.slice(6)
  // RFC 4291 §2.5.5.2: an IPv4 address as a dual-stack socket shows it. All of IPv4 would be one block.
  if (groups.slice(0, 6).join() === '0,0,0,0,0,65535') return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  return `${groups
    .slice(0, 4)
    .map(group => group.toString(16))
    .join(':')}::/64`
}

function groupsOf(address: string): number[] {
  // A URL's host name has hexadecimal groups only.
  const [left = '', right = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const [before, after] = [left, right].map(part => (part === '' ? [] : part.split(':').map(group => Number.parseInt(group, 16))))
  const zeros = 8 - (before?.length ?? 0) - (after?.length ?? 0)
  return [...(before ?? []), ...new Array<number>(zeros).fill(0), ...(after ?? [])]
}

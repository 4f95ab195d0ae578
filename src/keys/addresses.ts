import { BlockList, isIP, isIPv4 } from 'node:net'

/** What an address of the network is to us: `public`, `private` (may be allowed by the configuration) or `never` connected to. */
export type AddressKind = 'public' | 'private' | 'never'

// IANA special-purpose registries (RFC 6890). 169.254.169.254, fd00:ec2::254 and 168.63.129.16 hand out cloud credentials.
const privateIPv4 = ['10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']
const neverIPv4 = [
  ...['0.0.0.0/8', '168.63.129.16/32', '169.254.0.0/16', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
const privateIPv6 = ['::1/128', 'fc00::/7']
const neverIPv6 = ['fd00:ec2::254/128']
// Within the global unicast range: Teredo and other assignments that embed or hide an address, documentation, 6to4.
const publicIPv6 = ['2000::/3']
const publicIPv6Except = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [network = '', bits] = range.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  return list
}

const lists = {
  privateIPv4: listOf(privateIPv4, 'ipv4'),
  neverIPv4: listOf(neverIPv4, 'ipv4'),
  privateIPv6: listOf(privateIPv6, 'ipv6'),
  neverIPv6: listOf(neverIPv6, 'ipv6'),
  publicIPv6: listOf(publicIPv6, 'ipv6'),
  publicIPv6Except: listOf(publicIPv6Except, 'ipv6'),
}

/** Sorts an IP address, so that a URL from outside cannot make this server talk to its own network (RFC 8725 §3.10). */
export function kindOfAddress(address: string): AddressKind {
  if (isIPv4(address)) {
    if (lists.neverIPv4.check(address)) return 'never'
    return lists.privateIPv4.check(address) ? 'private' : 'public'
  }
  return isIP(address) === 6 ? kindOfIPv6(address) : 'never'
}

function kindOfIPv6(address: string): AddressKind {
  const mapped = mappedIPv4(address)
  if (mapped !== undefined) return kindOfAddress(mapped)
  if (lists.neverIPv6.check(address, 'ipv6')) return 'never'
  if (lists.privateIPv6.check(address, 'ipv6')) return 'private'
  return lists.publicIPv6.check(address, 'ipv6') && !lists.publicIPv6Except.check(address, 'ipv6') ? 'public' : 'never'
}

// The system connects `::ffff:10.0.0.1`, also written `::ffff:a00:1`, to 10.0.0.1.
function mappedIPv4(address: string): string | undefined {
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(canonical)
  if (match === null) return undefined
  const bits = Number.parseInt(match[1] ?? '', 16) * 65_536 + Number.parseInt(match[2] ?? '', 16)
  return [24, 16, 8, 0].map(shift => (bits >>> shift) & 255).join('.')
}

/**
 * What speaks against fetching from a URL, as far as its text tells: it must be https, and plain http only on a loopback host of
 * a private network that the configuration allows. Names are judged again when they are resolved.
 */
export function addressProblem(url: string, allowPrivateNetwork: boolean): string | undefined {
  if (!URL.canParse(url)) return 'is not a URL'
  const { protocol, hostname, username, password } = new URL(url)
  if (username !== '' || password !== '') return 'has user information'
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopbackHost(host) && allowPrivateNetwork)) return httpsHint
  const kind = isIP(host) === 0 ? (isLoopbackHost(host) ? 'private' : 'public') : kindOfAddress(host)
  if (kind === 'never') return 'is an address that is never connected to'
  return kind === 'private' && !allowPrivateNetwork
    ? 'is in a private network; "allowPrivateNetwork": true beside it allows that'
    : undefined
}

const httpsHint = 'must be https; plain http is taken only on a loopback host with "allowPrivateNetwork": true'

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

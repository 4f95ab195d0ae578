import { expect } from 'chai'
import { addressBlock } from '../../src/clients/address-block.ts'

const blocks: Record<string, string> = {
  '192.0.2.7': '192.0.2.7',
  '::ffff:192.0.2.7': '192.0.2.7',
  '::FFFF:c000:207': '192.0.2.7',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
  '2001:DB8:1:2::9': '2001:db8:1:2::/64',
  '2001:0db8:0001:0002:0000::1': '2001:db8:1:2::/64',
  '2001:db8::1': '2001:db8:0:0::/64',
  '64:ff9b::192.0.2.7': '64:ff9b:0:0::/64',
  'fe80::1%eth0': 'fe80:0:0:0::/64',
  '::1': '0:0:0:0::/64',
  '::': '0:0:0:0::/64',
  '1::': '1:0:0:0::/64',
  '': '',
  unknown: 'unknown',
}

describe('clients/address-block', () => {
  for (const [address, block] of Object.entries(blocks)) {
    it(`counts ${address || 'no address'} as ${block || 'no address'}`, () => {
      expect(addressBlock(address)).to.equal(block)
    })
  }
})

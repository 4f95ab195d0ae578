import { expect } from 'chai'
import { partitionNames, partitionOfRegion, partitions, regionNames, signInAddresses, stsHost, stsHosts } from '../../src/aws/partitions.ts'

describe('the partitions of AWS', () => {
  it('have no region in common', () => {
    expect(new Set(regionNames).size).to.equal(regionNames.length)
    expect(partitionNames).to.deep.equal(['aws', 'aws-us-gov', 'aws-cn'])
  })

  it('have one STS host per region', () => {
    expect(stsHost('eu-central-1')).to.equal('sts.eu-central-1.amazonaws.com')
    expect(stsHost('us-gov-west-1')).to.equal('sts.us-gov-west-1.amazonaws.com')
    expect(stsHost('cn-north-1')).to.equal('sts.cn-north-1.amazonaws.com.cn')
  })

  it('know nothing of a region that is not in the table', () => {
    for (const region of ['', 'eu-central-9', 'EU-CENTRAL-1', 'eu-central-1.evil.example#', '__proto__', 'aws-global']) {
      expect(partitionOfRegion(region), region).to.equal(undefined)
      expect(stsHost(region), region).to.equal(undefined)
      expect(stsHosts(region), region).to.deep.equal([])
    }
  })

  it('name every host of a region, and no host of two regions', () => {
    expect(stsHosts('us-east-1')).to.deep.equal([
      'sts.us-east-1.amazonaws.com',
      'sts.us-east-1.api.aws',
      'sts-fips.us-east-1.amazonaws.com',
      'sts.amazonaws.com',
    ])
    const hosts = regionNames.flatMap(stsHosts)
    expect(new Set(hosts).size).to.equal(hosts.length)
  })

  it('have sign-in addresses of their own', () => {
    expect(signInAddresses(partitions['aws-cn'])).to.deep.equal([
      'https://signin.amazonaws.cn/saml',
      'https://cn-north-1.signin.amazonaws.cn/saml',
      'https://cn-northwest-1.signin.amazonaws.cn/saml',
    ])
    expect(signInAddresses(partitions['aws-us-gov'])[0]).to.equal('https://signin.amazonaws-us-gov.com/saml')
    expect(signInAddresses(partitions.aws)).to.include('https://eu-central-1.signin.aws.amazon.com/saml')
  })
})

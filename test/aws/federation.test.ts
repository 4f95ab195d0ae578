import { expect } from 'chai'
import { isSessionName, isSourceIdentity, isTagKey, isTagValue, readRoleChoice } from '../../src/aws/federation.ts'

const role = 'arn:aws:iam::123456789012:role/team/Dep,loy'
const provider = 'arn:aws:iam::123456789012:saml-provider/Corp'

describe('what AWS takes of an assertion (AW-12)', () => {
  it('a role and its provider in either order', () => {
    expect(readRoleChoice(`${role},${provider}`)).to.deep.equal({ role, provider })
    expect(readRoleChoice(`${provider},${role}`)).to.deep.equal({ role, provider })
  })
  for (const value of [
    role,
    provider,
    `${role},${role}`,
    `${provider},${provider}`,
    `${role}, ${provider}`,
    `${role},${provider},${provider}`,
    `${role};${provider}`,
    `${role},arn:aws:iam::999999999999:saml-provider/Corp`,
    `${role},arn:aws-cn:iam::123456789012:saml-provider/Corp`,
    'arn:aws:sts::123456789012:assumed-role/Deploy/alice,arn:aws:iam::123456789012:saml-provider/Corp',
  ]) {
    it(`no role in ${value}`, () => {
      expect(readRoleChoice(value)).to.equal(undefined)
    })
  }
  it('names of sessions, of two to 64 characters', () => {
    expect(['al', 'alice@example.com', 'a+=,.-_', 'a'.repeat(64)].filter(isSessionName)).to.have.length(4)
    expect(['a', 'a'.repeat(65), 'al ice', 'ali/ce', 'älice', 'alice\n'].filter(isSessionName)).to.deep.equal([])
  })
  it('no source identity that starts as those of AWS', () => {
    expect(isSourceIdentity('alice')).to.equal(true)
    expect(isSourceIdentity('aws:alice')).to.equal(false)
  })
  it('keys and values of tags in any script', () => {
    expect(['Team', 'Кость центр', 'a'.repeat(128), 'a:b/c=d+e-f@g'].filter(isTagKey)).to.have.length(4)
    expect(['', 'a'.repeat(129), 'a*', 'a\n'].filter(isTagKey)).to.deep.equal([])
    expect(['', 'a'.repeat(256)].filter(isTagValue)).to.have.length(2)
    expect(['a'.repeat(257), 'a;b'].filter(isTagValue)).to.deep.equal([])
  })
})

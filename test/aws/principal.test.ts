import { expect } from 'chai'
import { readPrincipal } from '../../src/aws/principal.ts'

const account = '123456789012'

describe('the ARN of a principal', () => {
  it('of a session of a role is that of the role, without its path', () => {
    expect(readPrincipal(`arn:aws:sts::${account}:assumed-role/Deploy/alice@example.com`)).to.deep.equal({
      partition: 'aws',
      account,
      arn: `arn:aws:iam::${account}:role/Deploy`,
      role: 'Deploy',
      session: 'alice@example.com',
    })
  })
  it('of a role keeps its path', () => {
    const arn = `arn:aws-us-gov:iam::${account}:role/teams/pay/Deploy`
    expect(readPrincipal(arn)).to.deep.equal({ partition: 'aws-us-gov', account, arn, role: 'Deploy' })
  })
  for (const resource of ['iam::123456789012:user/team/alice', 'iam::123456789012:root', 'sts::123456789012:federated-user/alice']) {
    it(`of ${resource} names no role`, () => {
      const arn = `arn:aws-cn:${resource}`
      expect(readPrincipal(arn)).to.deep.equal({ partition: 'aws-cn', account, arn })
    })
  }

  const others = [
    '',
    'alice',
    `arn:aws:sts::${account}:assumed-role/Deploy`,
    `arn:aws:sts::${account}:assumed-role/team/Deploy/alice`,
    `arn:aws:sts::${account}:role/Deploy`,
    `arn:aws:iam::${account}:assumed-role/Deploy/alice`,
    `arn:aws:iam::${account}:role/`,
    `arn:aws:iam::${account}:group/admins`,
    `arn:aws:iam::12345678901:root`,
    `arn:aws:iam::1234567890123:root`,
    `arn:aws-iso:iam::${account}:root`,
    `arn:__proto__:iam::${account}:root`,
    `arn:aws:s3::${account}:root`,
    `arn:aws:iam:eu-west-1:${account}:root`,
    `arn:aws:iam::${account}:root\n`,
    ` arn:aws:iam::${account}:root`,
    `arn:aws:iam::${account}:role/Depl\u043ey`,
  ]
  for (const text of others) {
    it(`is not ${JSON.stringify(text)}`, () => {
      expect(readPrincipal(text)).to.equal(undefined)
    })
  }
})

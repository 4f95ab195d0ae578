import { expect } from 'chai'
import { arns, awsFiles } from '../support/aws.ts'
import { type Files, makeIssuers, patched, usualFiles } from '../support/configuration.ts'
import { problemsOf } from './configuration.ts'

const generator = (name: string) => `policies/token-generators/${name}.json`
const policy = 'policies/processor-policies/people.json'

describe('mistakes about AWS', () => {
  let files: Files
  before(async () => {
    files = awsFiles(await usualFiles(await makeIssuers()))
  })

  async function problems(patch: object): Promise<string[]> {
    const texts = Object.entries(patched(files, patch as Files)).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ])
    return (await problemsOf(Object.fromEntries(texts))).map(line => line.replace(/:\d+:\d+ /, ' '))
  }
  /** The policy with another expression for one attribute of the generator `aws-saml-session`. */
  const mapping = (attribute: string, expression: string) => {
    const { issues } = files[policy] as { issues: Array<{ tokenGenerator?: string; attributes: object }> }
    const changed = issues.map(issue =>
      issue.tokenGenerator === 'aws-saml-session' ? { ...issue, attributes: { ...issue.attributes, [attribute]: expression } } : issue,
    )
    return { [policy]: { issues: changed } }
  }

  it('are none where there are none', async () => expect(await problems({})).to.deep.equal([]))

  it('credentials by credentials, also in a circle', async () => {
    const session = (tokenGenerator: string) => ({ [generator('aws-saml-session')]: { tokenGenerator } })
    for (const other of ['aws-saml-session', 'aws-jwt-session']) {
      const [problem] = await problems(session(other))
      expect(problem).to.equal(
        `${generator('aws-saml-session')} tokenGenerator: "${other}" makes no token of its own that could be used here`,
      )
    }
  })

  it('a role that is no ARN', async () => {
    const [problem] = await problems({ [generator('aws-saml')]: { role: 'Reader' } })
    expect(problem).to.include('role: ').and.to.include('expected the ARN of a role')
    expect(problem).to.include(arns.reader.slice(0, 12))
  })

  it('a value that AWS takes from nobody, where it is the same for everybody', async () => {
    expect(await problems(mapping('RoleSessionName', "'alice smith'"))).to.deep.equal([
      `${policy} issues[4].attributes.RoleSessionName: never meets the contract: RoleSessionName must match pattern "^[A-Za-z0-9_+=,.@-]{2,64}$"`,
    ])
    expect(await problems(mapping('RoleSessionName', "'a' + 'b'"))).to.deep.equal([])
  })

  it('a type that AWS does not take', async () => {
    const [problem] = await problems(mapping('PrincipalTag:Team', 'policy.groups'))
    expect(problem)
      .to.match(/attributes\["?PrincipalTag:Team"?\]|attributes\.PrincipalTag:Team/)
      .and.to.match(/list<string>|string/)
  })
})

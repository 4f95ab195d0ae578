import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { awsCallerIdentity } from '../../src/processors/aws-caller-identity.ts'
import { ownIssuer, processorOf } from '../processors/building.ts'
import { type Caller, type StsRig, startSts } from '../support/aws-sts/caller-identity.ts'
import { requireProgram } from './tools.ts'

const account = '123456789012'
const deployer: Caller = {
  ...{ accessKeyId: 'ASIADEPLOYEREXAMPLE0', secretAccessKey: 'deployer/secret+key', sessionToken: 'FwoG+/token==' },
  ...{ account, arn: `arn:aws:sts::${account}:assumed-role/Deploy/alice`, userId: 'AROAEXAMPLEID:alice' },
}
const now = () => Date.now() / 1000

describe('the AWS CLI', function () {
  this.timeout(60_000)
  let sts: StsRig
  let folder: string
  before(async function () {
    requireProgram(this, 'aws', ['--version'], 'CAMBIST_REQUIRE_AWS')
    sts = await startSts([deployer], now)
    folder = mkdtempSync(join(tmpdir(), 'aws-cli-'))
    // Version 1 would fetch a value that looks like an address.
    writeFileSync(join(folder, 'config'), '[default]\ncli_follow_urlparam = false\n')
  })
  after(async () => {
    await sts?.close()
    if (folder !== undefined) rmSync(folder, { recursive: true })
  })

  function eksToken(cluster: string): string {
    const { accessKeyId, secretAccessKey, sessionToken = '' } = deployer
    const credentials = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken }
    const env = { ...process.env, ...credentials, AWS_CONFIG_FILE: join(folder, 'config') }
    const args = ['eks', 'get-token', '--region', 'eu-central-1', '--cluster-name', cluster, '--query', 'status.token', '--output', 'text']
    const { status, stdout, stderr } = spawnSync('aws', args, { env, encoding: 'utf8' })
    expect(status, stderr).to.equal(0)
    return stdout.trim()
  }

  it('proves a role with eks get-token, whose cluster is this server', async () => {
    const processor = await processorOf(awsCallerIdentity, { accounts: [account] }, { fetch: sts.fetch, now })
    const proof = await processor.process(eksToken(ownIssuer), { now: now() })
    expect(proof.attributes).to.include({ arn: `arn:aws:iam::${account}:role/Deploy`, session: 'alice' })
    const other = await processor.process(eksToken('production'), { now: now() }).catch(error => error)
    expect(other.message).to.match(/AWS does not take the signed request: SignatureDoesNotMatch/)
  })
})

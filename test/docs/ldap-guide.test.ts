import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { cambist, patience } from '../commands/run.ts'
import { type RealLdap, requireLdap, startLdap } from '../real/ldap.ts'
import { reader } from '../real/ldap-people.ts'
import { repository, sampleFolder } from '../support/sample.ts'
import { blocksOf } from './blocks.ts'

const store = 'policies/data-stores/directory.json'
const policy = 'policies/processor-policies/directory-staff.json'

describe('docs/guides/lookups.md, with a real directory', function () {
  this.timeout(patience)
  let server: RealLdap
  let configuration: Awaited<ReturnType<typeof sampleFolder>>
  before(async function () {
    requireLdap(this)
    server = await startLdap()
    const blocks = blocksOf(await readFile(join(repository, 'docs/guides/lookups.md'), 'utf8'))
    const shown = (file: string) => JSON.parse(blocks.findLast(({ marker }) => marker?.value === file)?.text ?? '')
    configuration = await sampleFolder({
      [store]: { ...shown(store), servers: [server.url], bindDn: reader.dn },
      'keys/directory.password': `${reader.password}\n`,
      [policy]: shown(policy),
    })
  })
  after(async () => {
    await configuration?.remove()
    await server?.stop()
  })

  it('its directory is asked by "cambist check --online"', async () => {
    const { code, output, complaints } = await cambist(['check', '--online', '--config', configuration.folder])
    expect(output + complaints)
      .to.include('1 of 1 other server answered as they should')
      .and.not.to.include('warning')
    expect(code).to.equal(0)
  })

  it('its lookups find somebody, the groups and the manager, and the command ends', async () => {
    const { code, output, complaints } = await cambist([
      ...['lookup', 'directory-staff', '--config', configuration.folder],
      ...['--subject', '{ "email": "alice@example.com" }'],
    ])
    const said = output + complaints
    expect(said).to.include('(&(objectClass=person)(mail=alice@example.com)), sub of dc=example,dc=com')
    expect(said).to.include('employeeNumber: E-1').and.to.include('groups: ["a","b","c"]')
    expect(said).to.include('(objectClass=person), base of uid=admin,ou=people,dc=example,dc=com')
    expect(said).to.include('mail: ["admin@example.com"]')
    expect(code).to.equal(0)
  })
})

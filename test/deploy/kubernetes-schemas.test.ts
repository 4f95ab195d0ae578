import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { requireProgram, run } from '../interop/tools.ts'
import { repository } from '../support/server-process.ts'

const folder = join(repository, 'deploy/kubernetes')
/** A package of PyPI that has the schemas of Kubernetes in it, so that no cluster is asked. */
const validator = 'kubernetes-validate==1.37.0'
const required = 'CAMBIST_REQUIRE_KUBERNETES_SCHEMAS'

describe('the manifests of Kubernetes, by its own schemas', function () {
  this.timeout(60_000)
  let place: string
  let command: string
  before(async function () {
    this.timeout(300_000)
    place = await mkdtemp(join(tmpdir(), 'cambist-manifests-'))
    const environment = join(place, 'python')
    requireProgram(this, 'python3', ['-m', 'venv', environment], required)
    requireProgram(this, join(environment, 'bin/pip'), ['-q', 'install', validator], required)
    command = join(environment, 'bin/kubernetes-validate')
  })
  after(async () => {
    if (place) await rm(place, { recursive: true })
  })

  for (const name of ['deployment', 'service', 'disruption-budget', 'network-policy']) {
    it(`${name}.yaml is valid, and nothing in it is unknown`, async () => {
      const { code, out, complaints } = await run(command, ['--strict', join(folder, `${name}.yaml`)])
      expect(code, out + complaints).to.equal(0)
      expect(out + complaints).to.include('passed for resource')
    })
  }

  it('a member that is misspelt would be found', async () => {
    const wrong = join(place, 'wrong.yaml')
    await writeFile(wrong, (await readFile(join(folder, 'deployment.yaml'), 'utf8')).replace('readinessProbe:', 'readynessProbe:'))
    expect((await run(command, ['--strict', wrong])).code).to.not.equal(0)
  })
})

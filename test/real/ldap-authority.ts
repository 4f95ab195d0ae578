import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A key with a certificate of the authority, in PEM and as files. */
export interface Certified {
  readonly certificate: string
  readonly privateKey: string
  readonly certificateFile: string
  readonly keyFile: string
}

/** Signs certificates for the servers and the clients of a test. Its folder is removed with it. */
export class Authority {
  readonly certificate: string
  readonly certificateFile: string
  readonly #folder: string

  private constructor(folder: string, certificate: string) {
    this.#folder = folder
    this.certificate = certificate
    this.certificateFile = join(folder, 'ca.pem')
  }

  static async make(name: string): Promise<Authority> {
    const folder = await mkdtemp(join(tmpdir(), 'cambist-authority-'))
    await openssl(folder, ['req', '-x509', ...newKey('ca'), '-out', 'ca.pem', '-days', '30', '-subj', `/CN=${name}`])
    return new Authority(folder, await readFile(join(folder, 'ca.pem'), 'utf8'))
  }

  /** `alternatives` as OpenSSL writes them: `DNS:localhost,IP:127.0.0.1`. */
  async certify(name: string, alternatives: string): Promise<Certified> {
    const file = (ending: string) => join(this.#folder, `${name}.${ending}`)
    await openssl(this.#folder, ['req', ...newKey(name), '-out', file('csr'), '-subj', `/CN=${name}`])
    await writeFile(file('ext'), `subjectAltName=${alternatives}\n`)
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30', '-extfile', file('ext')]
    await openssl(this.#folder, ['x509', '-req', '-in', file('csr'), '-out', file('pem'), ...signed])
    const [certificate, privateKey] = await Promise.all([readFile(file('pem'), 'utf8'), readFile(file('key'), 'utf8')])
    return { certificate, privateKey, certificateFile: file('pem'), keyFile: file('key') }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`]
}

async function openssl(cwd: string, args: readonly string[]): Promise<void> {
  await run('openssl', [...args], { cwd })
}

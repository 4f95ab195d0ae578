import { spawn } from 'node:child_process'
import { authority, type Certified, certify } from '../support/certificate-authority.ts'
import type { Files } from '../support/configuration.ts'
import { issuer } from '../support/configuration.ts'

/** Who certifies this server in the tests of TLS. */
export const serverAuthority = certify({ subject: '/O=Acme/CN=Servers', extensions: authority })

/** A certificate for the issuer of the usual configuration. */
export function serverCertificate(host = new URL(issuer).hostname, days = 365): Certified {
  const extensions = ['basicConstraints=critical,CA:FALSE', `subjectAltName=DNS:${host},IP:127.0.0.1,DNS:localhost`]
  return certify({ subject: `/CN=${host}`, extensions, by: serverAuthority, days })
}

/** The files, with TLS; `tls` are further members of `listen.tls`. */
export function withTls(files: Files, certified: Certified, tls: object = {}): Files {
  const server = files['server.json'] as { listen: object }
  const named = { certificate: { file: 'secrets/tls.crt.pem' }, privateKey: { file: 'secrets/tls.pem' }, ...tls }
  return {
    ...files,
    'server.json': { ...server, listen: { ...server.listen, tls: named } },
    'secrets/tls.crt.pem': certified.certificate + serverAuthority.certificate,
    'secrets/tls.pem': certified.privateKey,
  }
}

/** What `openssl s_client` says of a connection to the server, after it was told to end. */
export function sClient(url: string, args: readonly string[], input = ''): Promise<string> {
  const { host } = new URL(url)
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', ['s_client', '-connect', host, '-servername', 'sts.example.com', ...args])
    let said = ''
    const hear = (text: Buffer) => {
      said += text.toString()
      // It waits for somebody to type once it is connected; TLS 1.3 sends its tickets a moment later.
      if (input === '' && /^---\nread R BLOCK|Post-Handshake New Session Ticket|^Verify return code/m.test(said)) child.stdin.end('Q\n')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', reject)
    child.once('close', () => resolve(said))
    child.stdin.on('error', () => undefined)
    if (input !== '') child.stdin.end(input)
  })
}

import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its private key, as PEM. */
export interface Certified {
  readonly certificate: string
  readonly privateKey: string
}

/** What a certificate is to say. */
export interface Wanted {
  /** As OpenSSL takes it: `/C=CH/O=Acme/CN=orders`. */
  readonly subject: string
  /** As OpenSSL takes them: `extendedKeyUsage=clientAuth`. */
  readonly extensions?: readonly string[]
  /** Who issues it; absent: it is self-signed. */
  readonly by?: Certified
  readonly days?: number
  readonly digest?: string
  readonly key?: 'ec' | 'rsa' | 'weak'
}

/** Extensions of an authority. */
export const authority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign']
/** Extensions of a client. */
export const forClients = ['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=clientAuth']

/** Has OpenSSL make a certificate. */
export function certify({ subject, extensions = forClients, by, days = 30, digest = 'sha256', key = 'ec' }: Wanted): Certified {
  const folder = mkdtempSync(join(tmpdir(), 'cambist-certify-'))
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const privateKey = privateKeyPem(key)
    const issuer = by === undefined ? [] : ['-CA', write('ca.pem', by.certificate), '-CAkey', write('ca.key', by.privateKey)]
    const config = write('config', '[req]\ndistinguished_name=dn\nstring_mask=utf8only\n[dn]\n')
    const { status, stdout, stderr } = spawnSync('openssl', [
      ...['req', '-x509', '-new', '-utf8', `-${digest}`, '-config', config, '-key', write('key', privateKey), '-subj', subject],
      ...['-days', String(days), ...issuer, ...extensions.flatMap(extension => ['-addext', extension])],
    ])
    if (status !== 0) throw new Error(`openssl: ${stderr}`)
    return { certificate: stdout.toString(), privateKey }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function privateKeyPem(kind: 'ec' | 'rsa' | 'weak'): string {
  const { privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: kind === 'weak' ? 1024 : 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

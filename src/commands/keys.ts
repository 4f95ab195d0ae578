import { createPrivateKey } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { didYouMean } from '../config/suggest.ts'
import { keyManagementAlgorithms } from '../keys/decryption-key.ts'
import { generateKey } from '../keys/generate-key.ts'
import { selfSignedCertificate } from '../keys/self-signed-certificate.ts'
import { signatureAlgorithms } from '../keys/signing-key.ts'
import { type Command, configOption, readOptions, UsageError } from './command.ts'
import { terminal } from './terminal.ts'

const algorithms = [...signatureAlgorithms, ...keyManagementAlgorithms]

/** `cambist keys generate`: a new key with its description. */
export const keys: Command = {
  name: 'keys',
  usage: 'keys generate ID [--algorithm ES256] [--status active] [--replaces ID] [--bits 2048] [--certificate] [--config DIR]',
  summary: 'generate a key: keys/ID.json and the private keys/ID.pem',
  help: [
    'Writes keys/ID.pem (the private key, readable by you only; Git ignores it) and keys/ID.json (its description).',
    'With --certificate, also keys/ID.crt.pem: a self-signed certificate (--days 1095), as partners of SAML want it.',
    'Nothing is overwritten. To rotate a key, generate the next one with --status next --replaces OLD, publish it for a',
    'while, then set it to "active" and the old one to "retired"; files that name the old key follow by themselves.',
    `Algorithms: ${algorithms.join(', ')}.`,
  ].join('\n'),
  async run(args) {
    const { values, positionals } = readOptions(
      args,
      {
        ...configOption,
        algorithm: { type: 'string', short: 'a', default: 'ES256' },
        status: { type: 'string', default: 'active' },
        replaces: { type: 'string' },
        bits: { type: 'string' },
        certificate: { type: 'boolean', default: false },
        days: { type: 'string', default: '1095' },
      },
      2,
    )
    const [action, id] = positionals
    const { algorithm, status, replaces, bits, certificate, days } = values
    if (action !== 'generate' || id === undefined) throw new UsageError('say what to do: keys generate ID')
    if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(id))
      throw new UsageError('an id has letters, digits and . _ - only, and no dot first, because it is the file name')
    if (!isAlgorithm(algorithm))
      throw new UsageError(
        `there is no algorithm "${algorithm}"${didYouMean(algorithm, algorithms) || `; there are ${algorithms.join(', ')}`}`,
      )
    if (!['next', 'active', 'retired'].includes(status)) throw new UsageError('--status is next, active or retired')
    if (bits !== undefined && !/^(2048|3072|4096)$/.test(bits)) throw new UsageError('--bits is 2048, 3072 or 4096')
    if (bits !== undefined && !/^(RS|PS)/.test(algorithm))
      throw new UsageError(`--bits is for RSA keys; those for ${algorithm} have one size`)
    if (!/^[1-9][0-9]{0,4}$/.test(days)) throw new UsageError('--days is a number of days')
    if (certificate && !certifiable.test(algorithm)) throw new UsageError(`a certificate is made for RSA and ES keys, not for ${algorithm}`)
    const wanted = { id, algorithm, status, replaces, bits: Number(bits ?? 2048), certificateDays: certificate ? Number(days) : undefined }
    return writePair(resolve(values.config), wanted)
  },
}

const certifiable = /^(RS|PS|ES)|^RSA/

type Algorithm = (typeof algorithms)[number]

function isAlgorithm(name: string): name is Algorithm {
  return (algorithms as readonly string[]).includes(name)
}

interface Wanted {
  readonly id: string
  readonly algorithm: Algorithm
  readonly status: string
  readonly replaces: string | undefined
  readonly bits: number
  readonly certificateDays: number | undefined
}

async function writePair(folder: string, wanted: Wanted): Promise<number> {
  const { id, algorithm, status, replaces } = wanted
  const generated = await generateKey(algorithm, wanted.bits)
  const files = filesOf(wanted, generated.privateKeyPem)
  const taken = files.find(({ name }) => existsSync(join(folder, name)))
  // Before anything is written: half of a key would be in the way of the next attempt.
  if (taken !== undefined) return fail(`${taken.name} is there already; nothing is overwritten`)
  if (replaces !== undefined && !existsSync(join(folder, `keys/${replaces}.json`)))
    return fail(`there is no keys/${replaces}.json to replace`)
  try {
    await mkdir(join(folder, 'keys'), { recursive: true })
    for (const { name, content, mode } of files) await writeFile(join(folder, name), content, { flag: 'wx', mode })
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException
    return fail(`${path} cannot be written (${code})`)
  }
  terminal.print(`keys/${id}.json and keys/${id}.pem: ${algorithm}, ${status}, kid ${generated.kid}`)
  return 0
}

function filesOf({ id, algorithm, status, replaces, certificateDays: days }: Wanted, privateKeyPem: string) {
  const description = {
    $schema: '../schemas/key.schema.json',
    algorithm,
    status,
    ...(replaces !== undefined && { replaces }),
    privateKey: { file: `keys/${id}.pem` },
    ...(days !== undefined && { certificate: { file: `keys/${id}.crt.pem` } }),
  }
  const certificate = (forDays: number) =>
    selfSignedCertificate(createPrivateKey(privateKeyPem), { commonName: id, notBefore: new Date(), days: forDays })
  return [
    { name: `keys/${id}.pem`, content: privateKeyPem, mode: 0o600 },
    ...(days === undefined ? [] : [{ name: `keys/${id}.crt.pem`, content: certificate(days), mode: 0o644 }]),
    { name: `keys/${id}.json`, content: `${JSON.stringify(description, null, 2)}\n`, mode: 0o644 },
  ]
}

function fail(why: string): number {
  terminal.complain(why)
  return 1
}

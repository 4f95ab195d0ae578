import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { didYouMean } from '../config/suggest.ts'
import { type Algorithm, keyAlgorithms, makeKeyPair, type WantedKey } from '../keys/key-pair.ts'
import { apply } from '../rotation/change.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { configOption, readOptions } from './command.ts'

/** `cambist keys generate`: a new key with its description. */
export async function generate(args: readonly string[]): Promise<number> {
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
    1,
  )
  const [id] = positionals
  const { algorithm, status, replaces, bits, certificate, days } = values
  if (id === undefined) throw new UsageError('say which: keys generate ID')
  checkId(id)
  if (!isAlgorithm(algorithm))
    throw new UsageError(
      `there is no algorithm "${algorithm}"${didYouMean(algorithm, keyAlgorithms) || `; there are ${keyAlgorithms.join(', ')}`}`,
    )
  if (!['next', 'active', 'retired'].includes(status)) throw new UsageError('--status is next, active or retired')
  if (bits !== undefined && !/^(2048|3072|4096)$/.test(bits)) throw new UsageError('--bits is 2048, 3072 or 4096')
  if (bits !== undefined && !/^(RS|PS)/.test(algorithm))
    throw new UsageError(`--bits is for RSA keys; those for ${algorithm} have one size`)
  if (!/^[1-9][0-9]{0,4}$/.test(days)) throw new UsageError('--days is a number of days')
  if (certificate && !certifiable.test(algorithm)) throw new UsageError(`a certificate is made for RSA and ES keys, not for ${algorithm}`)
  const wanted = { id, algorithm, status, replaces, bits: Number(bits ?? 2048), certificateDays: certificate ? Number(days) : undefined }
  return writePair(resolve(values.config), wanted)
}

/** Refuses what would be no file name. */
export function checkId(id: string): void {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(id))
    throw new UsageError('an id has letters, digits and . _ - only, and no dot first, because it is the file name')
}

const certifiable = /^(RS|PS|ES)|^RSA/

function isAlgorithm(name: string): name is Algorithm {
  return (keyAlgorithms as readonly string[]).includes(name)
}

async function writePair(folder: string, wanted: WantedKey): Promise<number> {
  const { id, algorithm, status, replaces } = wanted
  const { kid, files } = await makeKeyPair(wanted)
  const taken = files.find(({ file }) => existsSync(join(folder, file)))
  // Before anything is written: half of a key would be in the way of the next attempt.
  if (taken !== undefined) return fail(`${taken.file} is there already; nothing is overwritten`)
  if (replaces !== undefined && !existsSync(join(folder, `keys/${replaces}.json`)))
    return fail(`there is no keys/${replaces}.json to replace`)
  try {
    await apply({ created: files, written: [], deleted: [] }, folder)
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException
    return fail(`${path} cannot be written (${code})`)
  }
  terminal.print(`keys/${id}.json and keys/${id}.pem: ${algorithm}, ${status}, kid ${kid}`)
  return 0
}

function fail(why: string): number {
  terminal.complain(why)
  return 1
}

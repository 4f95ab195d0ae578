import { createPrivateKey, createPublicKey, randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { generateSecret } from '../clients/secrets.ts'
import { findInstances } from '../config/link.ts'
import type { ParsedFile } from '../config/parse.ts'
import { ExternalText } from '../config/values.ts'
import { generateKey } from '../keys/generate-key.ts'
import { selfSignedCertificate } from '../keys/self-signed-certificate.ts'

/** Makes every file of the sample configuration that holds a key or a secret and is not there. Returns the names of what was made. */
export async function makeMissingFiles(folder: string, files: readonly ParsedFile[]): Promise<string[]> {
  const made: string[] = []
  const missing = files.flatMap(file => missingFiles(file, folder).map(name => ({ file, name })))
  // Public halves come last: they are derived from private keys, which may have to be made first.
  for (const { file, name } of missing.sort((left, right) => Number(isPublic(left.name)) - Number(isPublic(right.name)))) {
    const content = await contentOf(name, file, folder)
    if (content !== undefined && (await writeUnlessThere(resolve(folder, name), content))) made.push(name)
  }
  return made
}

function missingFiles({ blueprint }: ParsedFile, folder: string): string[] {
  return findInstances(blueprint.settings, ExternalText)
    .filter(([, { from, name }]) => from === 'file' && !existsSync(resolve(folder, name)))
    .map(([, { name }]) => name)
}

async function contentOf(name: string, { source, blueprint }: ParsedFile, folder: string): Promise<string | undefined> {
  if (name.endsWith('.crt.pem')) return certificateOf(resolve(folder, name.replace(/\.crt\.pem$/, '.pem')))
  if (source.kind === 'keys') {
    const { algorithm } = blueprint.settings as { algorithm: Parameters<typeof generateKey>[0] }
    return (await generateKey(algorithm)).privateKeyPem
  }
  if (name.endsWith('.secret')) return `${generateSecret(randomBytes)}\n`
  return name.endsWith('.jwks') ? publicKeySet(resolve(folder, name.replace(/\.jwks$/, '.pem'))) : undefined
}

function isPublic(name: string): boolean {
  return name.endsWith('.jwks') || name.endsWith('.crt.pem')
}

async function certificateOf(privateKeyFile: string): Promise<string | undefined> {
  if (!existsSync(privateKeyFile)) return undefined
  const privateKey = createPrivateKey(await readFile(privateKeyFile, 'utf8'))
  return selfSignedCertificate(privateKey, { commonName: 'Cambist sample', notBefore: new Date(), days: 3650 })
}

async function publicKeySet(privateKeyFile: string): Promise<string | undefined> {
  if (!existsSync(privateKeyFile)) return undefined
  const jwk = createPublicKey(await readFile(privateKeyFile, 'utf8')).export({ format: 'jwk' }) as JWK
  return `${JSON.stringify({ keys: [{ ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig' }] }, null, 2)}\n`
}

// Several servers may start for the first time at once on one folder: the file appears complete or not at all, and the first one wins.
async function writeUnlessThere(path: string, content: string): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true })
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, content, { mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await unlink(draft)
  }
}

import { z } from 'zod'
import type { Path } from '../config/problems.ts'
import { didYouMean } from '../config/suggest.ts'
import { ExternalText } from '../config/values.ts'
import type { Parts } from '../plugin.ts'
import type { ClientSecret } from './client.ts'
import { digestSecret, hashSecret, parseSecretHash, type SecretHash } from './secrets.ts'

const hint =
  'a secret never stands in the configuration itself: write { "hash": "..." } (printed by "cambist hash-secret"), { "env": "NAME" } or { "file": "path" }'

function text(from: ExternalText['from']) {
  return z
    .string()
    .min(1)
    .transform(name => new ExternalText(from, name))
}

const members = {
  hash: z
    .string()
    .superRefine((text, context) => {
      const problem = problemOfHash(text)
      if (problem !== undefined) context.addIssue(problem)
    })
    .optional()
    .meta({ description: 'What "cambist hash-secret" prints' }),
  env: text('env').optional().meta({ description: 'The environment variable that holds the secret' }),
  file: text('file').optional().meta({ description: 'The file that holds the secret, relative to the configuration folder' }),
  until: z.iso
    .datetime({ offset: true, error: 'expected an instant such as "2026-12-31T00:00:00Z"' })
    .optional()
    .meta({ description: 'When the secret stops being good: for its replacement by another one' }),
}

/** One secret of a client in its file: a hash, or where the secret stands; and until when it is good. */
export const secretSettings = z
  .strictObject(members, {
    error: issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => `unknown member "${key}"${didYouMean(key, Object.keys(members)) || `; ${hint}`}`).join('\n')
        : hint,
  })
  .refine(({ hash, env, file }) => [hash, env, file].filter(source => source !== undefined).length === 1, {
    error: 'expected exactly one of "hash", "env" and "file"',
    when: ({ issues }) => issues.length === 0,
  })
type SecretSettings = z.output<typeof secretSettings>

/** Makes of a setting what presented secrets are held against. */
export async function buildSecret(settings: SecretSettings, parts: Parts, path: Path): Promise<ClientSecret> {
  const { hash, env, file, until } = settings
  const external = env ?? file
  return {
    hash: external === undefined ? parseSecretHash(hash ?? '') : await hashOfText(parts.text(external), parts, path),
    until: until === undefined ? undefined : Date.parse(until) / 1000,
  }
}

const shortestUnguessable = 32

// A short secret may be one that a person made up, so it is treated as such: its guesses are slowed.
async function hashOfText(text: string, parts: Parts, path: Path): Promise<SecretHash> {
  const secret = text.replace(/\r?\n$/, '')
  if (secret.length >= shortestUnguessable) return digestSecret(secret)
  parts.warn(
    'short-client-secret',
    path,
    `the secret has fewer than ${shortestUnguessable} characters; "cambist hash-secret" makes a good one`,
  )
  return hashSecret(secret, parts.outside.random)
}

function problemOfHash(text: string): string | undefined {
  try {
    parseSecretHash(text)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

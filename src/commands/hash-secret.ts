import { randomBytes } from 'node:crypto'
import { digestSecret, generateSecret, hashSecret } from '../clients/secrets.ts'
import { terminal } from '../terminal.ts'
import { type Command, readOptions } from './command.ts'

/** `cambist hash-secret`: what a client's file may hold instead of its secret. */
export const hashSecretCommand: Command = {
  name: 'hash-secret',
  usage: 'hash-secret [--generate]',
  summary: 'read a client secret from standard input, or make one, and print its hash',
  help: [
    'Reads a secret from standard input and prints the hash for "secrets": [ { "hash": "…" } ] in a client file (scrypt,',
    'with its cost). When standard input is a terminal or empty, or with --generate, makes a secret of 256 bits and prints',
    'it with its SHA-256 hash, which is checked much faster. Give the secret to the client; keep the hash.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, { generate: { type: 'boolean', default: false } })
    const brought = values.generate || process.stdin.isTTY ? '' : await standardInput()
    if (brought !== '') {
      terminal.print((await hashSecret(brought, randomBytes)).text)
      return 0
    }
    const secret = generateSecret(randomBytes)
    terminal.print(`secret  ${secret}\nhash    ${digestSecret(secret).text}`)
    return 0
  },
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

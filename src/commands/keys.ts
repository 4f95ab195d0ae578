import { keyAlgorithms } from '../keys/key-pair.ts'
import { UsageError } from '../usage-error.ts'
import type { Command } from './command.ts'
import { generate } from './keys-generate.ts'
import { rotate } from './keys-rotate.ts'

/** `cambist keys generate`, `cambist keys rotate`: keys come and go. */
export const keys: Command = {
  name: 'keys',
  usage: 'keys generate ID | keys rotate ID [STEP]',
  summary: 'make a key, or replace one step by step',
  help: [
    'keys generate ID [--algorithm ES256] [--status active] [--replaces ID] [--bits 2048] [--certificate] [--config DIR]',
    '  Writes keys/ID.pem (the private key, readable by you only; Git ignores it) and keys/ID.json (its description).',
    '  With --certificate, also keys/ID.crt.pem: a self-signed certificate (--days 1095), as partners of SAML want it.',
    `  Nothing is overwritten. Algorithms: ${keyAlgorithms.join(', ')}.`,
    '',
    'keys rotate ID [next | activate | remove] [--as NEWID] [--now] [--yes] [--config DIR]',
    '  Takes the next step, or the one that is named, of replacing a key; ID is any key of the line:',
    '    next      makes a successor like it (--as its id), which is published and signs nothing yet',
    '    activate  the successor signs, the old key is retired and only verifies',
    '    remove    the retired key is deleted, and files that name it name its successor; only with --yes',
    '  A step that comes too early for tokens and for those who keep keys is refused, unless --now says otherwise.',
    '  Running servers follow within seconds, without a restart.',
  ].join('\n'),
  async run([action, ...args]) {
    if (action === 'generate') return generate(args)
    if (action === 'rotate') return rotate(args)
    throw new UsageError('say what to do: keys generate ID, or keys rotate ID')
  },
}

import { resolve } from 'node:path'
import { readSources } from '../config/read.ts'
import { isJsonObject } from '../json.ts'
import { mintSampleToken } from '../sample/sample-token.ts'
import { type Command, configOption, readOptions, UsageError } from './command.ts'
import { terminal } from './terminal.ts'

/** `cambist token`: a token to try the sample configuration with. */
export const token: Command = {
  name: 'token',
  usage: 'token [--subject NAME] [--agent] [--seconds N] [--audience URL] [--config DIR]',
  summary: 'mint a sample subject token (or, with --agent, an actor token)',
  help: [
    'Mints a JWT that only the sample configuration trusts, with the key that its first start made, and prints it.',
    'A person (default: alice) is meant as the subject token; --agent mints a token of an agent, for the actor token.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, {
      ...configOption,
      subject: { type: 'string', short: 's' },
      agent: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '3600' },
      audience: { type: 'string' },
    })
    const folder = resolve(values.config)
    const seconds = Number(values.seconds)
    if (!Number.isInteger(seconds)) throw new UsageError('--seconds takes a whole number (a negative one mints an expired token)')
    const audience = values.audience ?? (await issuerOf(folder))
    if (audience === undefined) {
      terminal.complain(`there is no configuration in ${folder}; name one with --config, or an audience with --audience`)
      return 1
    }
    const of = values.agent ? 'agent' : 'person'
    try {
      terminal.print(
        await mintSampleToken(folder, { of, subject: values.subject ?? (values.agent ? 'agent-7' : 'alice'), audience, seconds }),
      )
      return 0
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      terminal.complain('keys/sample-issuer.pem is not there: the first "npm start" on the sample configuration makes it')
      return 1
    }
  },
}

async function issuerOf(folder: string): Promise<string | undefined> {
  const { files } = await readSources(folder)
  const server = files.find(file => file.kind === 'server')?.text.value
  return isJsonObject(server) && typeof server.issuer === 'string' ? server.issuer : undefined
}

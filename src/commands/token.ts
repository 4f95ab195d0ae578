import { resolve } from 'node:path'
import { partitions } from '../aws/partitions.ts'
import { readSources } from '../config/read.ts'
import { endpoint } from '../http/documents.ts'
import { isJsonObject } from '../json.ts'
import { mintSampleAssertion, mintSampleResponseForAws } from '../sample/sample-assertion.ts'
import { mintSampleToken } from '../sample/sample-token.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { type Command, configOption, readOptions } from './command.ts'

/** `cambist token`: a token to try the sample configuration with. */
export const token: Command = {
  name: 'token',
  usage: 'token [--type jwt|saml2|saml1|aws-saml] [--subject NAME] [--agent] [--seconds N] [--audience URL] [--config DIR]',
  summary: 'mint a sample subject token (or, with --agent, an actor token)',
  help: [
    'Mints a token that only the sample configuration trusts, with a key that its first start made, and prints it: a JWT, or',
    'with --type a SAML assertion in base64url; aws-saml is one for AWS, as AssumeRoleWithSAML would take it. A person (default:',
    'alice) is meant as the subject token; --agent mints a JWT of an agent, for the actor token.',
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, {
      ...configOption,
      type: { type: 'string', short: 't', default: 'jwt' },
      subject: { type: 'string', short: 's' },
      agent: { type: 'boolean', default: false },
      seconds: { type: 'string', default: '3600' },
      audience: { type: 'string' },
    })
    const { type, agent } = values
    const folder = resolve(values.config)
    const seconds = Number(values.seconds)
    if (!Number.isInteger(seconds)) throw new UsageError('--seconds takes a whole number; --seconds=-60 mints a token that has expired')
    if (!isType(type)) throw new UsageError('--type is jwt, saml2, saml1 or aws-saml')
    if (agent && type !== 'jwt') throw new UsageError('--agent goes with --type jwt only')
    const issuer = await issuerOf(folder)
    const audience = values.audience ?? (type === 'aws-saml' ? partitions.aws.samlAudience : issuer)
    if (audience === undefined) {
      terminal.complain(`there is no configuration in ${folder}; name one with --config, or an audience with --audience`)
      return 1
    }
    const subject = values.subject ?? (agent ? 'agent-7' : 'alice')
    return printOrExplain(() => {
      if (type === 'jwt') return mintSampleToken(folder, { of: agent ? 'agent' : 'person', subject, audience, seconds })
      if (type === 'aws-saml') return mintSampleResponseForAws(folder, { subject, audience, seconds })
      const recipient = endpoint(issuer ?? audience, 'token')
      return mintSampleAssertion(folder, { version: type === 'saml2' ? '2.0' : '1.1', subject, audience, recipient, seconds })
    })
  },
}

const types = ['jwt', 'saml2', 'saml1', 'aws-saml'] as const

function isType(text: string): text is (typeof types)[number] {
  return (types as readonly string[]).includes(text)
}

async function printOrExplain(mint: () => Promise<string>): Promise<number> {
  try {
    terminal.print(await mint())
    return 0
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw error
    terminal.complain(`${path} is not there: the first "npm start" on the sample configuration makes it`)
    return 1
  }
}

async function issuerOf(folder: string): Promise<string | undefined> {
  const { files } = await readSources(folder)
  const server = files.find(file => file.kind === 'server')?.text.value
  return isJsonObject(server) && typeof server.issuer === 'string' ? server.issuer : undefined
}

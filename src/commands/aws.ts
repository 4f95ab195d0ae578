import { consoles, federationEndpoint, signInLink } from '../aws/console.ts'
import { partitionOfRegion, partitions } from '../aws/partitions.ts'
import { type JsonObject, parseOutsidersObject } from '../json.ts'
import { guardedFetch } from '../keys/guarded-fetch.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { exchangeHelp, exchangeOptions, exchangeRequested, exchangeUsage } from '../workstation/exchange-request.ts'
import { obtain } from '../workstation/obtain.ts'
import { cacheFolder, TokenCache } from '../workstation/token-cache.ts'
import { systemTime } from '../world.ts'
import { type Command, readOptions } from './command.ts'

const loginOptions = {
  region: { type: 'string' },
  destination: { type: 'string' },
  issuer: { type: 'string' },
  'federation-endpoint': { type: 'string' },
} as const

/** `cambist aws`: credentials of AWS for the tools of this workstation. */
export const aws: Command = {
  name: 'aws',
  usage: `aws credentials|login-url ${exchangeUsage}`,
  summary: 'temporary credentials of AWS, or a link that signs in to its console',
  help: [
    'aws credentials prints temporary credentials as the AWS tools read them: name this command as credential_process in',
    '~/.aws/config. aws login-url prints a link that signs in to the console.',
    '',
    exchangeHelp,
    '',
    'of login-url:',
    '--region REGION                  the region, which also says the partition',
    '--destination URL, --issuer URL  the page that it opens; where the reader is sent when the session has ended',
  ].join('\n'),
  async run([what, ...args]) {
    if (what === 'credentials') return await reporting(() => printCredentials(args))
    if (what === 'login-url') return await reporting(() => printLoginUrl(args))
    throw new UsageError('say what of AWS: credentials or login-url')
  },
}

// Standard output is read by a program: whatever goes wrong stands on standard error.
async function reporting(work: () => Promise<void>): Promise<number> {
  try {
    await work()
    return 0
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof Error)) throw error
    terminal.complain(`cambist: ${error.message}`)
    return 1
  }
}

async function printCredentials(args: readonly string[]): Promise<void> {
  const { values } = readOptions(args, exchangeOptions)
  terminal.print(JSON.stringify(await credentialsFor(values)))
}

async function printLoginUrl(args: readonly string[]): Promise<void> {
  const { values } = readOptions(args, { ...exchangeOptions, ...loginOptions })
  const { region, issuer } = values
  const partition = region === undefined ? partitions.aws : partitionOfRegion(region)
  if (partition === undefined) throw new UsageError(`AWS has no region ${region}`)
  const endpoint = values['federation-endpoint'] ?? federationEndpoint(partition, region)
  const destination = values.destination ?? consoles[partition.name]
  terminal.print(await signInLink({ endpoint, destination, issuer }, await credentialsFor(values), guardedFetch()))
}

const members = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration']

type Values = Parameters<typeof exchangeRequested>[0]

async function credentialsFor(values: Values): Promise<JsonObject> {
  const cache = values['no-cache'] === true ? undefined : new TokenCache(cacheFolder(process.env))
  const request = exchangeRequested(values, tokenTypes.awsCredentials)
  const { token } = await obtain(request, { fetch: guardedFetch(), now: systemTime, cache })
  const credentials = parseOutsidersObject(token)
  if (credentials?.Version !== 1 || !members.every(name => typeof credentials[name] === 'string'))
    throw new Error('what the server issued are no credentials of AWS')
  return credentials
}

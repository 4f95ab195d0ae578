import { tokenTypeNamed } from '../explain/request.ts'
import { parseOutsidersObject } from '../json.ts'
import { guardedFetch } from '../keys/guarded-fetch.ts'
import { terminal } from '../terminal.ts'
import { UsageError } from '../usage-error.ts'
import { exchangeHelp, exchangeOptions, exchangeRequested, exchangeUsage } from '../workstation/exchange-request.ts'
import { obtain } from '../workstation/obtain.ts'
import { cacheFolder, TokenCache } from '../workstation/token-cache.ts'
import { systemTime } from '../world.ts'
import { type Command, readOptions } from './command.ts'

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'] as const

/** `cambist kubectl`: a credential plug-in of kubectl, which exchanges the person's token for one that the cluster takes. */
export const kubectl: Command = {
  name: 'kubectl',
  usage: `kubectl ${exchangeUsage}`,
  summary: 'a token for a Kubernetes cluster, as a credential plug-in of kubectl',
  help: [
    'Prints an ExecCredential: name this command as exec plug-in of a user in the kubeconfig file. The token is what the server',
    'makes for --audience or --resource; the API server has to trust its issuer.',
    '',
    exchangeHelp,
    "--requested-token-type TYPE      what is asked for; absent: the target's default",
  ].join('\n'),
  async run(args) {
    const { values } = readOptions(args, { ...exchangeOptions, 'requested-token-type': { type: 'string' } })
    try {
      terminal.print(await execCredential(values))
      return 0
    } catch (error) {
      if (error instanceof UsageError || !(error instanceof Error)) throw error
      terminal.complain(`cambist: ${error.message}`)
      return 1
    }
  },
}

type Values = Parameters<typeof exchangeRequested>[0]

async function execCredential(values: Values): Promise<string> {
  const apiVersion = versionOf(process.env.KUBERNETES_EXEC_INFO)
  const type = values['requested-token-type']
  const cache = values['no-cache'] === true ? undefined : new TokenCache(cacheFolder(process.env))
  const request = exchangeRequested(values, typeof type === 'string' ? tokenTypeNamed(type) : undefined)
  const { token, expiresAt } = await obtain(request, { fetch: guardedFetch(), now: systemTime, cache })
  const expirationTimestamp = `${new Date(Math.floor(expiresAt) * 1000).toISOString().slice(0, 19)}Z`
  return JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { expirationTimestamp, token } })
}

// kubectl says in which version it wants the answer; called by hand, the present one.
function versionOf(info: string | undefined): (typeof versions)[number] {
  const asked = info === undefined ? versions[0] : parseOutsidersObject(info)?.apiVersion
  const version = versions.find(each => each === asked)
  if (version === undefined) throw new Error(`KUBERNETES_EXEC_INFO asks for another version than ${versions.join(' or ')}`)
  return version
}

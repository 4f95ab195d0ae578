import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { type FakeAws, startAws } from '../support/aws-sts/sts.ts'
import { certifiedKey } from '../support/certificates.ts'

/** What a page needs of the world outside, where that cannot be had in a test: an account of AWS, and a cluster. */
export interface StandIns {
  /** What the shell of the page has to be told. */
  readonly preamble: string
  /** A file of the page as it has to be written, so that it finds them. */
  adapt(text: string): string
  close(): Promise<void>
}

/** Starts them for a server at this address. `program` is the command line of cambist. */
export async function startStandIns(folder: string, address: string, program: string): Promise<StandIns> {
  const aws = await startAws({ iam: { samlProviders: [], oidcProviders: [], roles: [] } })
  const cluster = await startCluster(address)
  const bin = join(folder, '.commands')
  await mkdir(bin)
  // The AWS tools run it themselves, and do not know the functions of this shell.
  const federation = `[ "$1 $2" = "aws login-url" ] && set -- "$@" --federation-endpoint ${aws.url}/federation`
  await writeFile(join(bin, 'cambist'), `#!/bin/bash\n${federation}\nexec ${program} "$@"\n`, { mode: 0o755 })
  await writeFile(join(bin, 'credentials'), '[default]\naws_access_key_id = administrator\naws_secret_access_key = administrator\n')
  return {
    preamble: [
      `export PATH='${bin}':"$PATH" XDG_CACHE_HOME='${join(bin, 'cache')}' AWS_SHARED_CREDENTIALS_FILE='${join(bin, 'credentials')}' AWS_DEFAULT_REGION=eu-central-1`,
      'unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN',
      `aws() { command aws --endpoint-url '${aws.url}' "$@"; }`,
    ].join('\n'),
    adapt: text => adapted(text, aws).replace('"https://kubernetes.example.com"', `"${cluster.url}", insecure-skip-tls-verify: true`),
    async close() {
      await aws.close()
      await cluster.close()
    },
  }
}

function adapted(text: string, aws: FakeAws): string {
  if (!text.includes('"type": "aws-credentials"')) return text
  return JSON.stringify({ ...JSON.parse(text), endpoint: aws.url, allowPrivateNetwork: true })
}

/** A cluster with one pod, for whoever brings a token of the server at this address. */
async function startCluster(address: string) {
  const keys = createRemoteJWKSet(new URL(`${address}/jwks`), { timeoutDuration: 30_000 })
  // kubectl shows no credentials where the connection is not encrypted.
  const { privateKeyPem: key, certificatePem: cert } = certifiedKey('ES256')
  const server = createServer({ key, cert }, async (request, response) => {
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
    const isKnown = await jwtVerify(token, keys, { issuer: address }).then(
      () => true,
      () => false,
    )
    const found = answers[(request.url ?? '').split('?')[0] ?? '']
    const answer = !isKnown ? failure(401) : (found ?? failure(404))
    response.writeHead(answer.code ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function failure(code: number) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code }
}

const pods = { name: 'pods', singularName: 'pod', namespaced: true, kind: 'Pod', verbs: ['get', 'list'], shortNames: ['po'] }
const answers: Record<string, { readonly code?: number; readonly kind: string }> = {
  '/api': { kind: 'APIVersions', ...{ versions: ['v1'] } },
  '/apis': { kind: 'APIGroupList', ...{ apiVersion: 'v1', groups: [] } },
  '/api/v1': { kind: 'APIResourceList', ...{ groupVersion: 'v1', resources: [pods] } },
  '/api/v1/namespaces/default/pods': {
    kind: 'PodList',
    ...{ apiVersion: 'v1', metadata: {}, items: [{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'orders-1', namespace: 'default' } }] },
  },
}

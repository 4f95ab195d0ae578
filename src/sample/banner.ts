import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { tokenExchangeGrant, tokenTypes } from '../oauth/token-types.ts'
import { mintSampleToken } from './sample-token.ts'

/** What `npm start` shows a newcomer: where the server listens, and one exchange to paste into another terminal. */
export async function sampleBanner(
  folder: string,
  { address, tokenEndpoint, issuer }: { address: string; tokenEndpoint: string; issuer: string },
): Promise<string> {
  const secret = (await readFile(resolve(folder, 'keys/sample-client.secret'), 'utf8')).trim()
  const token = await mintSampleToken(folder, { of: 'person', subject: 'alice', audience: issuer, seconds: 3600 })
  return [
    '',
    `Cambist listens on ${address} (the sample configuration: for trying things out only).`,
    'Paste this into another terminal to exchange a token of the sample issuer for an access token:',
    '',
    `curl -s -u sample:${secret} ${tokenEndpoint} \\`,
    `  -d grant_type=${tokenExchangeGrant} \\`,
    `  -d subject_token_type=${tokenTypes.jwt} \\`,
    '  -d resource=http://localhost:3001/orders/ \\',
    `  -d subject_token=${token}`,
    '',
    'npx cambist token mints another one; README.md shows what comes back.',
    '',
  ].join('\n')
}

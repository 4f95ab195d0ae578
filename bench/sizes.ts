import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { TokenRejected } from '../src/oauth/errors.ts'
import { readAssertion } from '../src/saml/assertion.ts'
import { openAssertion } from '../src/saml/open.ts'
import { readXml, tokenLimits } from '../src/saml/read.ts'
import { verificationKey } from '../src/saml/verification-key.ts'
import { saml2Version } from '../src/saml/versions.ts'
import { assertionChecker } from './assertion-checker.ts'
import { assertionSigner, inboundAssertion } from './assertions.ts'
import { certificateFile, names } from './material.ts'

// How the cost of an assertion grows with its size: read, verified and read again, without a server around it.

/** What is asked for: an assertion with so many attributes beside the usual ones, or the dearest document of 64 KB. */
export interface SizeOrder {
  readonly by: 'cambist' | 'xml-crypto'
  readonly content: number | 'nested'
  readonly milliseconds: number
}

const [folder = ''] = process.argv.slice(2)
const rules = { clockSkew: 30, recipients: new Set([`${names.server}/token`]), acceptInResponseTo: false, claims: undefined }

process.on('message', async (order: SizeOrder) => {
  const bytes = order.content === 'nested' ? nested() : await signed(order.content)
  const read = order.by === 'cambist' ? readByCambist() : readByXmlCrypto()
  process.send?.(await timeOf(() => read(bytes), order))
})
process.on('disconnect', () => process.exit())
process.send?.('listening')

async function timeOf(read: () => unknown, { milliseconds }: SizeOrder): Promise<{ microseconds: number; count: number }> {
  const end = performance.now() + milliseconds
  const before = process.cpuUsage()
  let count = 0
  for (; count === 0 || performance.now() < end; count++) await read()
  const { user, system } = process.cpuUsage(before)
  return { microseconds: (user + system) / count, count }
}

async function signed(attributes: number): Promise<Buffer> {
  return Buffer.from(await assertionSigner(folder, 'foreign', 'RS256')(inboundAssertion(0, attributes)))
}

/** As deep as documents may be, and as many of its elements as fit into the limits; then it is refused, for it is not signed. */
function nested(): Buffer {
  const tower = `${'<b>'.repeat(62)}${'</b>'.repeat(62)}`
  const fits = Math.floor(Math.min((65_536 - 100) / tower.length, tokenLimits.maxElements / 62 - 1))
  const xml = `<a xmlns="urn:a">${tower.repeat(fits)}</a>`
  return Buffer.from(xml.replace('</a>', `${' '.repeat(65_536 - xml.length)}</a>`))
}

function readByCambist(): (bytes: Buffer) => Promise<unknown> {
  const key = verificationKey(certificate().publicKey)
  if (typeof key === 'string') throw new Error(key)
  const trust = { keys: [key], algorithms: new Set(['RS256'] as const), limits: tokenLimits }
  const opening = { ...rules, acceptResponse: false, decryptionKeys: [], trustIn: async () => trust }
  return async bytes => {
    try {
      return readAssertion(await openAssertion(readXml(bytes), saml2Version, opening), { ...rules, now: Date.now() / 1000 })
    } catch (error) {
      if (!(error instanceof TokenRejected)) throw error
    }
  }
}

function readByXmlCrypto(): (bytes: Buffer) => unknown {
  const check = assertionChecker(certificate().publicKey)
  return bytes => check(bytes.toString('utf8'))
}

function certificate(): X509Certificate {
  return new X509Certificate(readFileSync(certificateFile(folder, 'foreign', 'RS256')))
}

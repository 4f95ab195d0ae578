import { type KeyLike, sign, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { SignedXml } from 'xml-crypto'
import { digestAlgorithms, transforms, xmlSignatureAlgorithms } from '../src/saml/names.ts'
import { assertionChecker } from './assertion-checker.ts'
import { outboundAssertion } from './assertions.ts'
import { readBody } from './bare/http-body.ts'
import { answerWith, checker, pathOf, signer, subjectTokenIn } from './bare/operations.ts'
import { type Algorithm, algorithmOf, certificateFile, type Exchange, exchanges, isSaml, privateKey } from './material.ts'

// (c) What one gets by xml-crypto as its README shows it, in an empty node:http server: parsing, loadSignature, checkSignature and reading the
// signed bytes; or computeSignature. The JWT beside it is verified or signed bare; nobody is authenticated, nothing decided.

const [folder = '', port = '0'] = process.argv.slice(2)

/** ECDSA, which xml-crypto lacks: raw r and s, as XML Signature wants them. */
class EcdsaSha256 {
  getAlgorithmName = () => xmlSignatureAlgorithms.ES256
  getSignature = (signedInfo: unknown, key: KeyLike) =>
    sign('sha256', Buffer.from(String(signedInfo)), { key: key as string, dsaEncoding: 'ieee-p1363' }).toString('base64')
  verifySignature = () => false
}

const operations = new Map(exchanges.map(exchange => [pathOf(exchange), operationOf(exchange)]))
const server = createServer((request, response) => {
  const exchange = operations.get(request.url ?? '')
  if (exchange === undefined) return response.writeHead(404).end()
  readBody(request, body => {
    const text = answerWith(exchange(subjectTokenIn(body)))
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Content-Length': text.length }).end(text)
  })
})
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))
process.on('disconnect', () => process.exit())

function operationOf({ inbound, outbound }: Exchange): (subjectToken: string) => string {
  if (isSaml(inbound) && !isSaml(outbound) && outbound !== 'reference') {
    const { publicKey } = new X509Certificate(readFileSync(certificateFile(folder, 'foreign', algorithmOf(inbound))))
    const check = assertionChecker(publicKey)
    const make = signer(folder, outbound)
    return subjectToken => {
      if (check(Buffer.from(subjectToken, 'base64url').toString('utf8')).size === 0) throw new Error('nothing is read')
      return make()
    }
  }
  if (isSaml(inbound) || !isSaml(outbound)) return () => ''
  const check = checker(folder, inbound)
  const make = assertionMaker(algorithmOf(outbound))
  return subjectToken => {
    check(subjectToken)
    return make()
  }
}

function assertionMaker(algorithm: Algorithm): () => string {
  const key = privateKey(folder, 'own', algorithm)
  const certificate = readFileSync(certificateFile(folder, 'own', algorithm), 'utf8')
  const { before, after } = outboundAssertion()
  const canonicalizationAlgorithm = transforms.exclusive
  const options = { privateKey: key, publicCert: certificate, signatureAlgorithm: xmlSignatureAlgorithms[algorithm] }
  return () => {
    const signed = new SignedXml({ ...options, canonicalizationAlgorithm })
    if (algorithm === 'ES256') signed.SignatureAlgorithms[xmlSignatureAlgorithms.ES256] = EcdsaSha256
    const chain = [transforms.enveloped, transforms.exclusive]
    signed.addReference({ xpath: '/*', transforms: chain, digestAlgorithm: digestAlgorithms.sha256 })
    signed.computeSignature(before + after, { prefix: 'ds', location: { reference: '/*/*[1]', action: 'after' } })
    return Buffer.from(signed.getSignedXml()).toString('base64url')
  }
}

import { expect } from 'chai'
import { TokenRejected } from '../../src/oauth/errors.ts'
import type { Proof, TokenProcessor } from '../../src/processors/processor.ts'
import { saml2 } from '../../src/processors/saml2.ts'
import { saml11 } from '../../src/processors/saml11.ts'
import { processorOf, type Surroundings } from '../processors/building.ts'
import { now, partner, type Signer, token } from './forge.ts'

/** The settings of a processor that trusts one certificate, which `around` brings. */
export const trusting = (more: object = {}) => ({ issuers: [{ entityId: partner, certificates: [{ file: 'partner.pem' }] }], ...more })

/** A SAML 2.0 processor that trusts the signer as the partner. */
export function saml2Processor(signer: Signer, more: object = {}, around: Surroundings = {}): Promise<TokenProcessor> {
  return processorOf(saml2, trusting(more), { now: () => now, ...around, texts: { 'partner.pem': signer.certificate, ...around.texts } })
}

/** A SAML 1.1 processor that trusts the signer as the partner. */
export function saml11Processor(signer: Signer, more: object = {}, around: Surroundings = {}): Promise<TokenProcessor> {
  return processorOf(saml11, trusting(more), { now: () => now, ...around, texts: { 'partner.pem': signer.certificate, ...around.texts } })
}

/** What the processor proves of the document. */
export function prove(processor: TokenProcessor, xml: string): Promise<Proof> {
  return processor.process(token(xml), { now })
}

/** The message with which the processor refuses the token, which may go out as `error_description` (RFC 6749 §5.2). */
export async function refusalOfToken(processor: TokenProcessor, text: string): Promise<string> {
  try {
    await processor.process(text, { now })
  } catch (error) {
    if (!(error instanceof TokenRejected)) throw error
    expect(error.message).to.match(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    return error.message
  }
  return expect.fail('the token was accepted')
}

/** The message with which the processor refuses the document. */
export function refusal(processor: TokenProcessor, xml: string): Promise<string> {
  return refusalOfToken(processor, token(xml))
}

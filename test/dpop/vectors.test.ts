import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { DpopProofs } from '../../src/dpop/dpop-proofs.ts'
import { dpopSettings } from '../../src/dpop/dpop-settings.ts'
import { comparableUri } from '../../src/dpop/target-uri.ts'
import { thumbprintOf } from '../../src/keys/thumbprint.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Holder, tokenEndpoint } from './holder.ts'

describe('DPoP by the examples of the standards', () => {
  it('RFC 9449 section 4.1 and 5: the proof of figure 2 is taken at its address and time, once, and its key is that of section 6.1', async () => {
    const proof = [
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19',
      'eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ',
      '2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg',
    ].join('.')
    const now = 1_562_262_618
    const outside = { store: memoryStore(() => now), random: randomBytes }
    const at = (address: string) => new DpopProofs(dpopSettings.parse({}), [address], outside)
    const here = at('https://server.example.com/token')
    const outcome = (check: Promise<string>) =>
      check.then(
        jkt => jkt,
        error => error.message,
      )
    expect(await outcome(at('https://resource.example.org/protectedresource').check([proof], now))).to.match(/another address/)
    expect(await outcome(here.check([proof], now + 1_000))).to.match(/too old/)
    expect(await here.check([proof], now)).to.equal('0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I')
    expect(await outcome(here.check([proof], now))).to.match(/used before/)
  })

  it('RFC 9449 section 11.1: a proof is used up for as long as a machine with a clock behind ours would take it', async () => {
    let time = 1_562_262_616
    const store = memoryStore(() => time)
    const machine = () => new DpopProofs(dpopSettings.parse({}), [tokenEndpoint], { store, random: randomBytes })
    const proof = await (await Holder.make()).proof(time)
    time += 140
    await machine().check([proof], time)
    time += 20
    const outcome = await machine()
      .check([proof], time - 20)
      .catch(error => error.message)
    expect(outcome).to.match(/used before/)
  })

  it('RFC 7638 section 3.1 and RFC 8037 appendix A.3: thumbprints', () => {
    const rsa = {
      kty: 'RSA',
      n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
      e: 'AQAB',
      alg: 'RS256',
      kid: '2011-04-29',
    }
    expect(thumbprintOf(rsa)).to.equal('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs')
    const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    expect(thumbprintOf(ed25519)).to.equal('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  it('RFC 3986 section 6.2.2: addresses that are the same', () => {
    expect(comparableUri('HTTP://Example.com:80/a/./b/../b/%63/%7bfoo%7d?q#f')).to.equal('http://example.com/a/b/c/%7Bfoo%7D')
    expect(comparableUri('https://example.com')).to.equal('https://example.com/')
    for (const text of ['ftp://example.com/', 'mailto:a@b', '//example.com/', 'https://a b/', 'https://exämple.com/ä']) {
      expect(comparableUri(text), text).to.equal(undefined)
    }
  })
})

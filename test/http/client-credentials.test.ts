import { expect } from 'chai'
import fc from 'fast-check'
import { claimedClientId, presentedCredentials } from '../../src/http/client-credentials.ts'
import { parseForm } from '../../src/http/form.ts'
import { OAuthError, refusals } from '../../src/oauth/errors.ts'
import { jwtBearerAssertion } from '../../src/oauth/token-types.ts'

const basic = (pair: string, encoding: BufferEncoding = 'utf8') => `Basic ${Buffer.from(pair, encoding).toString('base64')}`
const present = (authorization: string | undefined, parameters: Record<string, string> = {}) =>
  presentedCredentials(authorization, parseForm(new URLSearchParams(parameters).toString()))

function candidates(authorization: string, parameters: Record<string, string> = {}): string[] {
  const presented = present(authorization, parameters)
  if (presented.method !== 'client_secret_basic') throw new Error(`${presented.method} instead of client_secret_basic`)
  return presented.candidates.map(({ clientId, secret }) => `${clientId} ${secret}`)
}

function refusal(authorization: string | undefined, parameters: Record<string, string> = {}): OAuthError {
  try {
    present(authorization, parameters)
  } catch (error) {
    if (error instanceof OAuthError) return error
  }
  throw new Error('was not refused')
}

describe('http/client-credentials', () => {
  describe('HTTP Basic', () => {
    it('reads a pair whose two readings agree once', () => {
      expect(candidates(basic('orders:s3cret'))).to.deep.equal(['orders s3cret'])
    })

    it('reads an encoded pair decoded, then raw (RFC 6749 section 2.3.1; curl and google-auth send it raw)', () => {
      expect(candidates(basic('my%2Dclient:a%2Bb+c'))).to.deep.equal(['my-client a+b c', 'my%2Dclient a%2Bb+c'])
      expect(candidates(basic('c:s+e:c'))).to.deep.equal(['c s e:c', 'c s+e:c'])
    })

    it('reads what openid-client sends', () => {
      expect(candidates(basic('cl%3Ai+ent%2B%2F1:se%3Acret'))[0]).to.equal('cl:i ent+/1 se:cret')
    })

    it('splits at the first colon', () => {
      expect(candidates(basic('a:b:c'))).to.deep.equal(['a b:c'])
    })

    it('takes malformed percent-encoding raw', () => {
      for (const pair of ['a:50%', 'a:%zz', 'a:%FF', 'a%:b', 'a:%C0%80']) expect(candidates(basic(pair))).to.have.length(1)
    })

    it('reads bytes that are not UTF-8 as latin-1 (Authlib)', () => {
      expect(candidates(basic('client:pässwörd', 'latin1'))).to.deep.equal(['client pässwörd'])
      expect(candidates(basic('client:pässwörd'))).to.deep.equal(['client pässwörd'])
    })

    it('takes the scheme in any case, and more than one space', () => {
      const credentials = basic('a:b').slice(6)
      for (const scheme of ['basic ', 'BASIC ', 'bAsIc   ']) expect(candidates(scheme + credentials)).to.deep.equal(['a b'])
    })

    it('takes base64 without its padding', () => {
      expect(candidates(basic('a:bc').replaceAll('=', ''))).to.deep.equal(['a bc'])
    })

    for (const header of [
      'Basic',
      'Basic ',
      'Basic !!!',
      'Basic YTpi YTpi',
      'Basic YTpi,',
      `Basic ${Buffer.from('nocolon').toString('base64')}`,
    ]) {
      it(`finds nothing in a malformed header: ${header}`, () => {
        expect(present(header).method).to.equal('none')
      })
    }

    it('finds nothing in a pair without an id', () => {
      expect(present(basic(':secret')).method).to.equal('none')
    })

    for (const header of ['Bearer abc', 'DPoP abc', 'Digest username="a"', 'Basically YTpi', 'Negotiate']) {
      it(`knows no client by: ${header}`, () => {
        expect(present(header)).to.have.property('method', 'none')
      })
    }

    it('never fails on a header that somebody made up', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
          present(text)
          present(`Basic ${text}`)
          present(`Basic ${Buffer.from(bytes).toString('base64')}`)
        }),
      )
    })

    it('finds every pair that is sent encoded or raw', () => {
      const visible = fc.string({ unit: 'binary', minLength: 1 })
      fc.assert(
        fc.property(
          visible.filter(id => !id.includes(':')),
          visible,
          (id, secret) => {
            const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
            expect(candidates(basic(`${encode(id)}:${encode(secret)}`))[0]).to.equal(`${id} ${secret}`)
            expect(candidates(basic(`${id}:${secret}`)).at(-1)).to.equal(`${id} ${secret}`)
          },
        ),
      )
    })
  })

  describe('client_id beside Basic', () => {
    it('may repeat the id', () => {
      expect(candidates(basic('a:b'), { client_id: 'a' })).to.deep.equal(['a b'])
    })

    it('says which reading is meant', () => {
      expect(candidates(basic('a%2Db:s'), { client_id: 'a-b' })).to.deep.equal(['a-b s'])
      expect(candidates(basic('a%2Db:s'), { client_id: 'a%2Db' })).to.deep.equal(['a%2Db s'])
    })

    it('may not name another client', () => {
      expect(refusal(basic('a:b'), { client_id: 'c' }).reason).to.equal('several-client-authentications')
    })
  })

  describe('the body', () => {
    it('takes client_id and client_secret', () => {
      expect(present(undefined, { client_id: 'a', client_secret: 'b:%41' })).to.deep.equal({
        method: 'client_secret_post',
        candidates: [{ clientId: 'a', secret: 'b:%41' }],
      })
    })

    it('takes an assertion, with or without client_id', () => {
      const parameters = { client_assertion_type: jwtBearerAssertion, client_assertion: 'a.b.c' }
      expect(present(undefined, parameters)).to.deep.equal({ method: 'private_key_jwt', clientId: undefined, assertion: 'a.b.c' })
      expect(present(undefined, { ...parameters, client_id: 'a' })).to.have.property('clientId', 'a')
    })

    const nothing: Record<string, Record<string, string>> = {
      'nothing at all': {},
      'only client_id: there are no public clients': { client_id: 'a' },
      'an empty secret': { client_id: 'a', client_secret: '' },
      'a secret without client_id': { client_secret: 's' },
      'a SAML assertion (Appendix A row 22)': {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
        client_assertion: 'a',
      },
      'an assertion without its type': { client_assertion: 'a.b.c' },
      'a type without an assertion': { client_assertion_type: jwtBearerAssertion },
    }
    for (const [what, parameters] of Object.entries(nothing)) {
      it(`finds nothing to check in ${what}`, () => {
        expect(present(undefined, parameters)).to.have.property('method', 'none')
      })
    }
  })

  describe('more than one method', () => {
    const assertion = { client_assertion_type: jwtBearerAssertion, client_assertion: 'a.b.c' }
    const several: Array<[string, string | undefined, Record<string, string>]> = [
      ['Basic and a secret in the body (Appendix A row 6)', basic('a:b'), { client_secret: 'b' }],
      ['Basic and the same pair in the body', basic('a:b'), { client_id: 'a', client_secret: 'b' }],
      ['malformed Basic and a secret', 'Basic', { client_id: 'a', client_secret: 'b' }],
      ['Basic and an assertion', basic('a:b'), assertion],
      ['Basic and half an assertion', basic('a:b'), { client_assertion_type: jwtBearerAssertion }],
      ['a secret and an assertion', undefined, { client_id: 'a', client_secret: 'b', ...assertion }],
      ['Bearer and a secret', 'Bearer x', { client_id: 'a', client_secret: 'b' }],
      ['all three', basic('a:b'), { client_secret: 'b', ...assertion }],
    ]
    for (const [what, authorization, parameters] of several) {
      it(`refuses ${what}`, () => {
        const { reason } = refusal(authorization, parameters)
        expect(reason).to.equal('several-client-authentications')
        expect(refusals[reason]).to.deep.equal({ error: 'invalid_request', status: 400 })
      })
    }

    it('does not count parameters without a value', () => {
      expect(candidates(basic('a:b'), { client_secret: '', client_assertion: '', client_id: '' })).to.deep.equal(['a b'])
    })
  })

  it('names the client that is claimed, for the record', () => {
    expect(claimedClientId(present(basic('a%2Db:s')))).to.equal('a-b')
    expect(claimedClientId(present(undefined, { client_id: 'a', client_secret: 'b' }))).to.equal('a')
    expect(claimedClientId(present(undefined))).to.equal(undefined)
  })
})

import { expect } from 'chai'
import { decodeJwt } from 'jose'
import { tokenTypes } from '../../src/oauth/token-types.ts'
import { foreignAccessToken, security, trustNamespaces } from '../../src/sts/names.ts'
import {
  assertion11,
  assertion20,
  conditions,
  confirmation,
  confirmationData,
  makeSigner,
  now,
  restriction,
  signed,
  subject,
} from '../saml/forge.ts'
import { patched } from '../support/configuration.ts'
import {
  answered,
  ask,
  assertionFor,
  assertionIn,
  binary,
  europe,
  faulted,
  ledger,
  member,
  messageOf,
  saml2Type,
  saml11Type,
  timestamp,
  trustServerFor,
  userName,
  wsa,
} from './asking.ts'

const idp = makeSigner()
const encoded = (virtualServer: string) => Buffer.from(virtualServer).toString('base64url')
const inEurope = `/sts/partner/${encoded(europe)}`

describe('Issue', () => {
  const at = trustServerFor(idp)
  const token = (document?: Parameters<typeof assertionFor>[2]) => assertionFor(idp, undefined, document)

  describe('answers', () => {
    it('with a token of ours for that of a partner, and a record that names both and shows neither', async () => {
      const answer = await answered(at, { subject: token(), appliesTo: ledger })
      expect(assertionIn(answer)).to.include('<saml:NameID>alice</saml:NameID>')
      expect(at.lastRecord()).to.deep.include({
        outcome: 'issued',
        client: 'gateway',
        connection: 'partner',
        virtualServer: 'https://sts.example.com',
        mapping: 'generators[0]',
        target: 'ledger-saml',
        generator: 'ledger-saml',
        subject: { iss: 'https://idp.partner.example', sub: 'alice' },
      })
      expect(at.lastRecord().subjectToken).to.include({ type: tokenTypes.saml2 })
    })

    it('WT-21: in a collection of one in 1.3, bare in 2005/02, each in its own words', async () => {
      const collection = await answered(at, { subject: token() })
      expect(collection).to.match(
        /<wst:RequestSecurityTokenResponseCollection><wst:RequestSecurityTokenResponse>.*<\/wst:RequestSecurityTokenResponse><\/wst:RequestSecurityTokenResponseCollection>/,
      )
      const bare = await answered(at, { subject: token(), trust: '2005/02' })
      expect(bare).to.not.include('Collection')
      expect(bare).to.include(`xmlns:wst="${trustNamespaces['2005/02']}"`).and.include('identity/NoProofKey</wst:KeyType>')
      expect(bare).to.not.include(trustNamespaces['1.3'])
    })

    it('WT-1: in the version of SOAP that was asked in', async () => {
      for (const soap of ['1.1', '1.2'] as const) await answered(at, { soap, subject: token() })
    })

    it('WT-22: with references, AppliesTo and a lifetime', async () => {
      const answer = await answered(at, { subject: token(), appliesTo: ledger })
      const [, id] = / ID="(_[0-9a-f]+)"/.exec(assertionIn(answer)) ?? []
      for (const name of ['RequestedAttachedReference', 'RequestedUnattachedReference'])
        expect(answer).to.match(
          new RegExp(
            `<wst:${name}><wsse:SecurityTokenReference [^>]*TokenType="${saml2Type}"><wsse:KeyIdentifier ValueType="[^"]*#SAMLID">${id}</`,
          ),
        )
      expect(answer).to.include(`<wsa:Address>${ledger}</wsa:Address>`)
      expect(answer).to.include('<wsu:Created>2027-01-15T08:00:00Z</wsu:Created><wsu:Expires>2027-01-15T08:05:00Z</wsu:Expires>')
    })

    it('WT-13: with the Context of the request', async () => {
      const answer = await answered(at, { subject: token(), attributes: ' Context="a &quot;b&quot;"' })
      expect(answer).to.include('<wst:RequestSecurityTokenResponse Context="a &quot;b&quot;">')
    })

    it('WT-26: with addressing headers only where the request has some', async () => {
      const headers = `<a:Action xmlns:a="${wsa}" s:mustUnderstand="1">${trustNamespaces['1.3']}/RST/Issue</a:Action><a:MessageID xmlns:a="${wsa}">urn:uuid:1</a:MessageID>`
      const answer = await answered(at, { subject: token(), headers })
      expect(answer).to.include(`${trustNamespaces['1.3']}/RSTRC/IssueFinal</wsa:Action>`).and.include('>urn:uuid:1</wsa:RelatesTo>')
      expect(await answered(at, { subject: token() })).to.not.include('wsa:Action')
    })

    it('WT-27: with a timestamp where the request has one', async () => {
      expect(await answered(at, { subject: token(), security: timestamp(-5) })).to.include('<wsu:Timestamp ')
      expect(await answered(at, { subject: token() })).to.not.include('Timestamp')
    })

    it('WT-4: in whatever order the members of the request stand', async () => {
      const namespace = trustNamespaces['1.3']
      const message = `<E:Envelope xmlns:E="http://schemas.xmlsoap.org/soap/envelope/"><E:Body><RequestSecurityToken xmlns="${namespace}"><OnBehalfOf>${token()}</OnBehalfOf><TokenType>${saml2Type}</TokenType><Renewing/><RequestType>${namespace}/Issue</RequestType></RequestSecurityToken></E:Body></E:Envelope>`
      expect(assertionIn(await answered(at, { message }))).to.include('alice')
    })

    it('with an element that it ignores, which the record names', async () => {
      await answered(at, { subject: token(), members: member('Entropy', '') })
      expect(at.lastRecord().ignoredParameters).to.deep.equal(['Entropy'])
    })
  })

  describe('takes the token', () => {
    it('WT-10: from OnBehalfOf, ActAs, the security header, or by reference into it', async () => {
      const held = token()
      const [, id] = / ID="([^"]+)"/.exec(held) ?? []
      const reference = (inside: string) =>
        `<wsse:SecurityTokenReference xmlns:wsse="${security.wsse}">${inside}</wsse:SecurityTokenReference>`
      expect(assertionIn(await answered(at, { subject: held }))).to.include('alice')
      expect(assertionIn(await answered(at, { subject: held, holder: 'none', security: held }))).to.include('alice')
      const direct = reference(`<wsse:Reference URI="#${id}"/>`)
      expect(assertionIn(await answered(at, { subject: direct, security: held }))).to.include('alice')
      const byKey = reference(`<wsse:KeyIdentifier>${id}</wsse:KeyIdentifier>`)
      expect(assertionIn(await answered(at, { subject: byKey, security: held }))).to.include('alice')
      for (const uri of ['#other', 'https://elsewhere.example/', ''])
        await faulted(at, { subject: reference(`<wsse:Reference URI="${uri}"/>`), security: held }, 'wst:InvalidRequest')
    })

    it('WT-19: out of an envelope that declares its namespaces, as what was signed', async () => {
      const held = token().replace(' xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"', '')
      const message = messageOf({ subject: held }).replace(
        '<s:Envelope ',
        '<s:Envelope xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ',
      )
      expect(assertionIn(await answered(at, { message }))).to.include('alice')
    })

    it('of SAML 1.1 only where its processor does', async () => {
      await faulted(at, { subject: signed(assertion11(), idp) }, 'wst:FailedAuthentication')
    })

    it('as a JWT in a BinarySecurityToken, for which its issuer finds the connection', async () => {
      const jwt = await at.person()
      for (const path of ['/sts/people', '/sts']) {
        expect(assertionIn(await answered(at, { path, subject: binary(jwt) }))).to.include('<saml:NameID>alice')
      }
      expect(at.lastRecord()).to.deep.include({ connection: 'people' })
      await faulted(at, { path: '/sts/people', subject: binary(jwt, 'urn:other') }, 'wsse:UnsupportedSecurityToken')
      await faulted(at, { path: '/sts/partner', subject: binary(jwt) }, 'wsse:UnsupportedSecurityToken')
    })

    it('of this server, from the client that it was issued to', async () => {
      const own = await at.own()
      for (const type of [tokenTypes.accessToken, foreignAccessToken])
        expect(assertionIn(await answered(at, { path: '/sts/own', subject: binary(own, type) }))).to.include('<saml:NameID>alice')
      const others = await at.own({}, 'stranger')
      await faulted(at, { path: '/sts/own', subject: binary(others, tokenTypes.accessToken) }, 'wst:FailedAuthentication')
    })

    it('by its issuer, where the path names no connection', async () => {
      expect(assertionIn(await answered(at, { path: '/sts', subject: token() }))).to.include('alice')
      await faulted(
        at,
        { path: '/sts', subject: token(assertion20({ issuer: '<saml:Issuer>https://evil.example</saml:Issuer>' })) },
        'wst:RequestFailed',
      )
    })

    it('of nobody but the partner of the connection, also where its processor takes others', async () => {
      const jwt = await at.person()
      await faulted(at, { path: '/sts/partner11', subject: token(), operation: 'Issue' }, 'wst:RequestFailed')
      await faulted(at, { path: '/sts/own', subject: binary(jwt) }, 'wst:FailedAuthentication')
    })
  })

  describe('by virtual server', () => {
    const forEurope = () => assertionFor(idp, europe)

    it('takes tokens that name the one which was addressed, and no others', async () => {
      await answered(at, { subject: token() })
      await answered(at, { path: inEurope, subject: forEurope() })
      await faulted(at, { path: inEurope, subject: token() }, 'wst:FailedAuthentication')
      await faulted(at, { subject: forEurope() }, 'wst:FailedAuthentication')
    })

    it('takes tokens that were delivered to it', async () => {
      const delivered = confirmation(confirmationData().replace('https://sts.example.com/token', europe))
      const document = assertion20({ subject: subject('alice', delivered), conditions: conditions(restriction(europe)) })
      await answered(at, { path: inEurope, subject: signed(document, idp) })
      await faulted(at, { subject: signed(assertion20({ subject: subject('alice', delivered) }), idp) }, 'wst:FailedAuthentication')
    })

    it('knows only those of the connection', async () => {
      for (const name of [encoded('https://other.example'), 'x', '%21%21'])
        await faulted(at, { path: `/sts/partner/${name}`, subject: token() }, 'wst:RequestFailed')
    })

    // What each of them makes of AppliesTo and TokenType: the id of the generator, or the fault.
    const table: ReadonlyArray<readonly [virtualServer: string, appliesTo: string | undefined, tokenType: string | undefined, string]> = [
      ['https://sts.example.com', undefined, undefined, 'ledger-saml'],
      ['https://sts.example.com', ledger, undefined, 'ledger-saml'],
      ['https://sts.example.com', ledger, saml2Type, 'ledger-saml'],
      ['https://sts.example.com', ledger, 'urn:oasis:names:tc:SAML:2.0:assertion', 'ledger-saml'],
      ['https://sts.example.com', ledger, tokenTypes.jwt, 'ledger-jwt'],
      ['https://sts.example.com', 'urn:api', undefined, 'ledger-jwt'],
      ['https://sts.example.com', 'urn:api', saml2Type, 'wst:BadRequest'],
      ['https://sts.example.com', `${ledger}/`, undefined, 'wst:InvalidScope'],
      ['https://sts.example.com', 'https://ledger.example.com', undefined, 'wst:InvalidScope'],
      ['https://sts.example.com', undefined, saml2Type, 'ledger-saml'],
      ['https://sts.example.com', undefined, saml11Type, 'wst:BadRequest'],
      ['https://sts.example.com', undefined, tokenTypes.jwt, 'wst:InvalidScope'],
      ['https://sts.example.com', undefined, 'urn:unknown', 'wst:BadRequest'],
      [europe, undefined, undefined, 'ledger-saml'],
      [europe, undefined, saml11Type, 'ledger-saml11'],
      [europe, undefined, 'urn:oasis:names:tc:SAML:1.0:assertion', 'ledger-saml11'],
      [europe, ledger, saml11Type, 'wst:BadRequest'],
      [europe, 'urn:api', tokenTypes.jwt, 'ledger-jwt'],
    ]
    for (const [virtualServer, appliesTo, tokenType, expected] of table) {
      it(`${virtualServer}, AppliesTo ${appliesTo}, TokenType ${tokenType}: ${expected}`, async () => {
        const asked = { path: `/sts/partner/${encoded(virtualServer)}`, subject: assertionFor(idp, virtualServer), appliesTo, tokenType }
        if (expected.includes(':')) return void (await faulted(at, asked, expected))
        const answer = await answered(at, asked)
        expect(at.lastRecord().generator).to.equal(expected)
        if (tokenType !== undefined) expect(answer).to.include(`<wst:TokenType>${tokenType}</wst:TokenType>`)
      })
    }

    it('makes a JWT into a BinarySecurityToken', async () => {
      const answer = await answered(at, { subject: token(), appliesTo: 'urn:api' })
      const [, base64 = ''] = /<wsse:BinarySecurityToken [^>]*>([^<]*)</.exec(answer) ?? []
      expect(decodeJwt(Buffer.from(base64, 'base64').toString())).to.deep.include({ sub: 'alice' })
      expect(answer).to.include(`<wst:TokenType>${tokenTypes.jwt}</wst:TokenType>`)
    })
  })

  describe('delegates', () => {
    it('WT-10: ActAs names the client as the one who acts', async () => {
      const answer = await answered(at, { subject: token(), holder: 'ActAs', appliesTo: 'urn:delegating' })
      expect(assertionIn(answer)).to.include(
        '<del:Delegate><saml:NameID NameQualifier="https://sts.example.com">gateway</saml:NameID></del:Delegate>',
      )
      expect(at.lastRecord().act).to.deep.equal({ iss: 'https://sts.example.com', sub: 'gateway' })
    })

    it('or the subject of a token in the security header', async () => {
      const security = binary(await at.agent())
      const answer = await answered(at, { subject: token(), holder: 'ActAs', security, appliesTo: 'urn:delegating' })
      expect(assertionIn(answer)).to.include('<saml:NameID NameQualifier="https://agents.example">robot</saml:NameID>')
    })

    it('never silently: a token that cannot say who acts is not made', async () => {
      await faulted(at, { subject: token(), holder: 'ActAs' }, 'wst:RequestFailed')
      expect((at.lastRecord().refusal as { reason: string }).reason).to.equal('delegation-refused')
    })

    it('OnBehalfOf is an impersonation: nobody acts', async () => {
      const answer = await answered(at, { subject: token(), appliesTo: 'urn:delegating' })
      expect(assertionIn(answer)).to.not.include('del:Delegate')
      const security = binary(await at.agent())
      await faulted(at, { subject: token(), security, appliesTo: 'urn:delegating' }, 'wsse:UnsupportedSecurityToken')
    })

    it('may_act of the token is enforced, also against the client', async () => {
      const path = '/sts/people'
      await faulted(at, { path, subject: binary(await at.person({ may_act: { sub: 'robot' } })) }, 'wst:RequestFailed')
      await answered(at, { path, subject: binary(await at.person({ may_act: { iss: 'https://sts.example.com', sub: 'gateway' } })) })
    })
  })

  describe('refuses', () => {
    it('by the criteria of the connection, of the mapping, and says which', async () => {
      const { text } = await faulted(at, { subject: token(assertion20({ subject: subject('mallory') })) }, 'wst:RequestFailed')
      expect(text).to.include('mallory is known to us')
      expect((at.lastRecord().refusal as { setting: string }).setting).to.match(/idp-connections\/partner\.json criteria\[0\]/)
    })

    it('Appendix A 27: SymmetricKey and PublicKey, never weakening them to Bearer (WT-6)', async () => {
      for (const keyType of ['SymmetricKey', 'PublicKey'])
        await faulted(at, { subject: token(), members: member('KeyType', `${trustNamespaces['1.3']}/${keyType}`) }, 'wst:RequestFailed')
      const secondary = member('SecondaryParameters', member('KeyType', `${trustNamespaces['1.3']}/SymmetricKey`))
      await faulted(at, { subject: token(), members: secondary }, 'wst:RequestFailed')
      await answered(at, { subject: token(), members: member('KeyType', `${trustNamespaces['1.3']}/Bearer`) })
    })

    it('WT-5: TokenType in SecondaryParameters counts where there is no other', async () => {
      const members = member('SecondaryParameters', member('TokenType', tokenTypes.jwt))
      await answered(at, { subject: token(), appliesTo: ledger, members })
      expect(at.lastRecord().generator).to.equal('ledger-jwt')
    })

    it('WT-9: a lifetime that is impossible; shortens to the one that is wanted, and never lengthens', async () => {
      const lifetime = (created: number, expires: number) => {
        const instant = (seconds: number) => new Date((now + seconds) * 1000).toISOString()
        return member(
          'Lifetime',
          `<u:Created xmlns:u="${security.wsu}">${instant(created)}</u:Created><u:Expires xmlns:u="${security.wsu}">${instant(expires)}</u:Expires>`,
        )
      }
      for (const [created, expires] of [
        [0, -10],
        [600, 900],
        [-600, -300],
      ] as const)
        await faulted(at, { subject: token(), members: lifetime(created, expires) }, 'wst:InvalidTimeRange')
      expect(await answered(at, { subject: token(), members: lifetime(0, 60) })).to.include('<wsu:Expires>2027-01-15T08:01:00Z')
      expect(await answered(at, { subject: token(), members: lifetime(0, 86400) })).to.include('<wsu:Expires>2027-01-15T08:05:00Z')
    })

    it('WT-11: Renew and Cancel; WT-3: what it does not know', async () => {
      for (const operation of ['Renew', 'Cancel'] as const) await faulted(at, { operation, subject: token() }, 'wst:RequestFailed')
      await faulted(at, { operation: 'Bake', subject: token() }, 'wst:BadRequest')
    })

    it('WT-2: an action that is not that of the RequestType', async () => {
      const validate = `${trustNamespaces['1.3']}/RST/Validate`
      await faulted(at, { subject: token(), http: { soapaction: `"${validate}"` } }, 'wst:InvalidRequest')
      await faulted(at, { subject: token(), headers: `<a:Action xmlns:a="${wsa}">${validate}</a:Action>` }, 'wst:InvalidRequest')
      const issue = `${trustNamespaces['1.3']}/RST/Issue`
      await answered(at, { subject: token(), http: { soapaction: `"${issue}"` } })
      await answered(at, { subject: token(), http: { soapaction: '""' } })
      const typed = `application/soap+xml; charset=utf-8; action="${validate}"`
      await faulted(at, { soap: '1.2', subject: token(), http: { 'content-type': typed } }, 'wst:InvalidRequest')
    })

    it('two tokens, none, and one that nothing uses', async () => {
      await faulted(at, { subject: token() + token() }, 'wst:InvalidRequest')
      await faulted(at, {}, 'wst:InvalidRequest')
      await faulted(at, { subject: token(), security: token() }, 'wsse:UnsupportedSecurityToken')
      await faulted(
        at,
        { subject: token(), members: `<a:ActAs xmlns:a="http://docs.oasis-open.org/ws-sx/ws-trust/200802">${token()}</a:ActAs>` },
        'wst:InvalidRequest',
      )
      await faulted(at, { holder: 'ValidateTarget', subject: token() }, 'wst:InvalidRequest')
    })
  })

  describe('knows its callers', () => {
    it('WT-35: by HTTP Basic, or by a UsernameToken', async () => {
      await answered(at, { subject: token() })
      await answered(at, { client: undefined, subject: token(), security: userName('gateway') })
      expect(at.lastRecord().client).to.equal('gateway')
    })

    it('Appendix A 27: refuses a wrong password, an unknown name and nobody at all alike', async () => {
      const texts = new Set<string>()
      for (const security of [userName('gateway', 'wrong'), userName('nobody', 'wrong'), undefined]) {
        const { text } = await faulted(
          at,
          { client: undefined, subject: token(), ...(security && { security }) },
          'wsse:FailedAuthentication',
        )
        texts.add(text.replace(/reference [^)]*/, ''))
      }
      expect(texts).to.have.property('size', 1)
      const basic = await ask(at, { subject: token(), http: { authorization: 'Basic eDp5' } })
      expect(basic.status).to.equal(401)
      expect(basic.headers.get('www-authenticate')).to.match(/^Basic /)
      expect(basic.text).to.include('>wsse:FailedAuthentication<')
    })

    it('WT-16: refuses a digest; takes a nonce once', async () => {
      const digest = userName('gateway', 'x', '', security.passwordDigest)
      await faulted(at, { client: undefined, subject: token(), security: digest }, 'wsse:UnsupportedSecurityToken')
      const created = (seconds: number) =>
        `<wsse:Nonce>bm9uY2U=</wsse:Nonce><wsu:Created>${new Date((now + seconds) * 1000).toISOString()}</wsu:Created>`
      const once = { client: undefined, security: userName('gateway', undefined, created(-10)) }
      await answered(at, { ...once, subject: token() })
      await faulted(at, { ...once, subject: token() }, 'wsse:FailedAuthentication')
      const old = { client: undefined, security: userName('gateway', undefined, created(-1000)) }
      await faulted(at, { ...old, subject: token() }, 'wsu:MessageExpired')
      const without = { client: undefined, security: userName('gateway', undefined, '<wsse:Nonce>bm9uY2U=</wsse:Nonce>') }
      await faulted(at, { ...without, subject: token() }, 'wst:InvalidRequest')
    })

    it('lets each use its connections only, and tells nobody which there are', async () => {
      for (const [client, path] of [
        ['api', '/sts/partner'],
        ['gateway', '/sts/nothing'],
      ] as const) {
        const { text } = await faulted(at, { client, path, subject: token() }, 'wst:RequestFailed')
        expect(text).to.include('there is no such connection for this client')
      }
      await faulted(at, { client: 'stranger', subject: token() }, 'wst:RequestFailed')
      await faulted(at, { client: 'disabled', subject: token() }, 'wst:RequestFailed')
      expect((at.lastRecord().refusal as { reason: string }).reason).to.equal('client-disabled')
    })

    it('a UsernameToken is no way in for a client without WS-Trust', async () => {
      await faulted(at, { client: undefined, subject: token(), security: userName('stranger') }, 'wsse:FailedAuthentication')
    })

    it('refuses a UsernameToken beside HTTP Basic, where it is no token that is asked about', async () => {
      await faulted(at, { subject: token(), security: userName('gateway') }, 'wsse:UnsupportedSecurityToken')
    })

    it('slows guesses down, as at the token endpoint', async () => {
      const guess = { client: undefined, subject: token(), security: userName('people', 'a guess') }
      for (let count = 0; count < 10; count++) await ask(at, guess)
      const answer = await faulted(at, guess, 'wsse:FailedAuthentication')
      expect(answer.headers.get('retry-after')).to.match(/^\d+$/)
    })
  })
})

describe('Issue, where a token may be used once', () => {
  const at = trustServerFor(idp, files => patched(files, { 'policies/token-processors/partner.json': { once: true } }))

  it('makes one token from it', async () => {
    const subject = assertionFor(idp)
    await answered(at, { subject })
    await faulted(at, { subject }, 'wst:FailedAuthentication')
  })
})

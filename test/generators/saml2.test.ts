import { expect } from 'chai'
import { saml2 } from '../../src/generators/saml2.ts'
import type { JsonObject } from '../../src/json.ts'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { type CertifiedKey, certifiedKey, configuredKey } from '../support/certificates.ts'
import { build, generatorOf, make, now } from './making.ts'

const text = { type: 'string' }

describe('the saml2 token generator', () => {
  let certified: CertifiedKey
  let key: SigningKey
  before(async () => {
    certified = certifiedKey('ES256')
    key = await configuredKey('saml', certified)
  })

  const file = (more: object = {}) => ({
    issuer: 'https://sts.example.com/saml',
    audience: 'https://ledger.example.com',
    signingKey: 'saml',
    lifetime: '5m',
    subject: { recipient: 'https://ledger.example.com/acs' },
    contract: { SAML_SUBJECT: text },
    ...more,
  })
  const around = () => ({ keys: { saml: key }, texts: { 'certificate.pem': certified.certificatePem } })
  const built = (more: object = {}) => build(saml2, file(more), around())
  const made = async (more: object = {}, attributes: JsonObject = {}, grant: object = {}) =>
    make(await generatorOf(saml2, file(more), around()), { SAML_SUBJECT: 'alice', ...attributes }, grant)
  const time = (instant: number) => `${new Date(instant * 1000).toISOString().slice(0, 19)}Z`

  /** The reason and the words of a refusal. */
  async function refusal(making: Promise<unknown>): Promise<string> {
    try {
      await making
    } catch (error) {
      if (error instanceof OAuthError) return `${error.reason}: ${error.message}`
      throw error
    }
    return 'not refused'
  }

  describe('the answer', () => {
    it('is unpadded base64url of the assertion, with its id, its end and N_A', async () => {
      const issued = await made()
      expect(issued.token).to.match(/^[A-Za-z0-9_-]+$/)
      expect(issued).to.include({ tokenType: 'N_A', expiresAt: now + 7200 })
      expect(issued.id).to.match(/^_[0-9a-f]{40}$/)
      expect(issued.xml).to.match(/^<saml:Assertion /)
      expect(issued.xml).to.include(` ID="${issued.id}" `).and.to.include(`URI="#${issued.id}"`)
    })

    it('has what the file says', async () => {
      const generator = await generatorOf(saml2, file({ lifetime: '90s', outlivesSubject: true }), around())
      expect(generator).to.include({ id: 'partner', type: 'saml2', lifetime: 90, outlivesSubject: true, expressesActor: false })
      expect(generator.tokenType).to.equal('urn:ietf:params:oauth:token-type:saml2')
    })
  })

  describe('conditions', () => {
    it('begin earlier by the slack, end when the grant does, and name the audience', async () => {
      const { xml } = await made({ notBefore: '2m' }, {}, { expiresBy: now + 77 })
      expect(xml).to.include(`<saml:Conditions NotBefore="${time(now - 120)}" NotOnOrAfter="${time(now + 77)}"><saml:AudienceRestriction>`)
      expect(xml).to.include('<saml:Audience>https://ledger.example.com</saml:Audience></saml:AudienceRestriction></saml:Conditions>')
      expect(xml).to.include(`IssueInstant="${time(now)}"`)
    })

    it('name several audiences in one restriction', async () => {
      const { xml } = await made({ audience: ['urn:a', 'urn:b'] })
      expect(xml).to.include('<saml:Audience>urn:a</saml:Audience><saml:Audience>urn:b</saml:Audience></saml:AudienceRestriction>')
    })

    it('OneTimeUse is a setting', async () => {
      expect((await made({ oneTimeUse: true })).xml).to.include('<saml:OneTimeUse></saml:OneTimeUse>')
      expect((await made()).xml).not.to.include('OneTimeUse')
    })

    it('a ProxyRestriction loses one generation and keeps its audiences', async () => {
      const proxyRestriction = { count: 2, audiences: ['https://ledger.example.com'] }
      const { xml } = await made({}, {}, { proxyRestriction })
      expect(xml).to.include(
        '<saml:ProxyRestriction Count="1"><saml:Audience>https://ledger.example.com</saml:Audience></saml:ProxyRestriction>',
      )
      expect((await made({}, {}, { proxyRestriction: { count: 1, audiences: [] } })).xml).to.include('Count="0"')
    })

    it('a ProxyRestriction of no further generation, or for others, is not permitted', async () => {
      const generator = await generatorOf(saml2, file({ audience: ['urn:a', 'urn:b'] }), around())
      const permits = (count: number | undefined, ...audiences: string[]) =>
        generator.permits?.({ audiences, ...(count !== undefined && { count }) })
      expect([permits(0), permits(0, 'urn:a', 'urn:b'), permits(undefined, 'urn:a'), permits(3, 'urn:c')]).to.deep.equal(
        Array(4).fill(false),
      )
      expect([permits(1), permits(undefined), permits(undefined, 'urn:b', 'urn:a', 'urn:c')]).to.deep.equal(Array(3).fill(true))
    })
  })

  describe('the subject', () => {
    it('has its format and qualifiers', async () => {
      const subject = { format: 'urn:f', nameQualifier: 'idp', spNameQualifier: 'sp', recipient: 'https://r' }
      expect((await made({ subject })).xml).to.include(
        '<saml:NameID Format="urn:f" NameQualifier="idp" SPNameQualifier="sp">alice</saml:NameID>',
      )
    })

    it('has the format that SAML_NAME_FORMAT maps, which is no attribute', async () => {
      const contract = { SAML_SUBJECT: text, SAML_NAME_FORMAT: { type: ['string', 'null'] } }
      const subject = { format: 'urn:usual' }
      const { xml } = await made({ contract, subject }, { SAML_NAME_FORMAT: 'urn:mapped' })
      expect(xml).to.include('<saml:NameID Format="urn:mapped">').and.not.to.include('AttributeStatement')
      expect((await made({ contract, subject }, { SAML_NAME_FORMAT: null })).xml).to.include('<saml:NameID Format="urn:usual">')
    })

    for (const [what, name] of Object.entries({ empty: '', 'with a blank in front': ' alice', 'with a line end behind': 'alice\n' })) {
      it(`is refused when it is ${what}`, async () => {
        expect(await refusal(made({}, { SAML_SUBJECT: name }))).to.match(/^contract-not-met: "SAML_SUBJECT" is empty or has white space/)
      })
    }

    it('is refused when a persistent name is longer than 256 characters', async () => {
      const subject = { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent' }
      expect(await refusal(made({ subject }, { SAML_SUBJECT: 'a'.repeat(257) }))).to.match(/^contract-not-met: a persistent name/)
      expect(await refusal(made({ subject }, { SAML_SUBJECT: 'a'.repeat(256) }))).to.equal('not refused')
    })

    it('bearer: says where and until when', async () => {
      expect((await made()).xml).to.include(
        `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${time(now + 7200)}" Recipient="https://ledger.example.com/acs">`,
      )
      const sooner = await made({ subject: { recipient: 'https://r', lifetime: '1m' } })
      expect(sooner.xml).to.include(`<saml:SubjectConfirmationData NotOnOrAfter="${time(now + 60)}" Recipient="https://r">`)
      const notLater = await made({ subject: { recipient: 'https://r', lifetime: '3h' } })
      expect(notLater.xml).to.include(`<saml:SubjectConfirmationData NotOnOrAfter="${time(now + 7200)}"`)
    })

    it('sender-vouches: needs no data', async () => {
      const { xml } = await made({ subject: { confirmation: 'sender-vouches' } })
      expect(xml).to.include('<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"></saml:SubjectConfirmation>')
    })

    it('holder-of-key: shows the certificate of the holder', async () => {
      const { xml } = await made({ keyInfo: 'none', subject: { confirmation: 'holder-of-key', holder: { file: 'certificate.pem' } } })
      expect(xml).to.include('xsi:type="saml:KeyInfoConfirmationDataType"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">')
      expect(xml).to.include(`<ds:X509Certificate>${certified.certificate.raw.toString('base64')}</ds:X509Certificate>`)
    })
  })

  describe('attributes', () => {
    const contract = {
      SAML_SUBJECT: text,
      groups: { type: 'array', items: text, saml: { nameFormat: 'urn:uri', friendlyName: 'Groups', name: 'urn:oid:1.2.3' } },
      level: { type: ['number', 'null'] },
      verified: { type: 'boolean' },
    }

    it('are named as the contract says; lists have several values, numbers and booleans become text', async () => {
      const { xml } = await made({ contract }, { groups: ['a', 'b'], level: 1.5, verified: true })
      expect(xml).to.include(
        '<saml:AttributeStatement><saml:Attribute FriendlyName="Groups" Name="urn:oid:1.2.3" NameFormat="urn:uri"><saml:AttributeValue>a</saml:AttributeValue><saml:AttributeValue>b</saml:AttributeValue></saml:Attribute><saml:Attribute Name="level"><saml:AttributeValue>1.5</saml:AttributeValue></saml:Attribute><saml:Attribute Name="verified"><saml:AttributeValue>true</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>',
      )
      expect(xml).not.to.include('xsi:type')
    })

    it('are left out when they are null or empty, and the statement with the last one', async () => {
      const { xml } = await made({ contract: { ...contract, verified: { type: ['boolean', 'null'] } } }, { groups: [], level: null })
      expect(xml).not.to.include('AttributeStatement')
    })

    it('have the usual NameFormat of the file where they have none', async () => {
      const { xml } = await made({ contract, attributeNameFormat: 'urn:usual' }, { groups: ['a'], verified: false })
      expect(xml).to.include('Name="urn:oid:1.2.3" NameFormat="urn:uri"').and.to.include('Name="verified" NameFormat="urn:usual"')
    })

    it('stay text when they look like XML, and are refused when XML cannot hold them', async () => {
      const injected = '</saml:AttributeValue><saml:Attribute Name="admin">'
      const { xml } = await made({ contract }, { groups: [injected], verified: true })
      expect(xml.match(/<saml:Attribute /g)).to.have.length(2)
      expect(await refusal(made({ contract }, { groups: ['a\0'], verified: true }))).to.equal(
        'contract-not-met: urn:oid:1.2.3 has a character that XML cannot hold',
      )
    })
  })

  describe('the authentication', () => {
    const authentication = { instant: now - 60, contextClass: 'urn:acr', sessionIndex: '_s' }

    it('is stated when the inbound token tells when it was', async () => {
      expect((await made({}, {}, { authentication })).xml).to.include(
        `<saml:AuthnStatement AuthnInstant="${time(now - 60)}" SessionIndex="_s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:acr</saml:AuthnContextClassRef>`,
      )
      expect((await made({}, {}, { authentication: { contextClass: 'urn:acr' } })).xml).not.to.include('AuthnStatement')
      expect((await made()).xml).not.to.include('AuthnStatement')
    })

    it('falls back to now, or is never stated, as the file says', async () => {
      const always = (await made({ authnStatement: 'always' })).xml
      expect(always)
        .to.include(`AuthnInstant="${time(now)}"`)
        .and.to.include('ac:classes:unspecified')
      expect((await made({ authnStatement: 'always' }, {}, { authentication })).xml).to.include(`AuthnInstant="${time(now - 60)}"`)
      expect((await made({ authnStatement: 'never' }, {}, { authentication })).xml).not.to.include('AuthnStatement')
    })

    for (const [what, told, by] of [
      ['amr', { methods: ['pwd', 'otp'] }, 'urn:oasis:names:tc:SAML:2.0:ac:classes:Password'],
      ['a SAML 1.1 method', { contextClass: 'urn:oasis:names:tc:SAML:1.0:am:X509-PKI' }, 'urn:oasis:names:tc:SAML:2.0:ac:classes:X509'],
      ['an acr that is no URI', { contextClass: '2' }, 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified'],
    ] as const) {
      it(`is called by ${what}`, async () => {
        const { xml } = await made({}, {}, { authentication: { instant: now, ...told } })
        expect(xml).to.include(`<saml:AuthnContextClassRef>${by}<`)
      })
    }
  })

  describe('delegation', () => {
    const delegation = { act: { iss: 'https://i', sub: 'now', act: { iss: 'https://i', sub: 'before' } } }

    it('is written as a condition, the first actor first, when the file says so', async () => {
      const generator = await generatorOf(saml2, file({ delegation: 'condition' }), around())
      expect(generator.expressesActor).to.equal(true)
      const { xml } = await make(generator, { SAML_SUBJECT: 'alice' }, { delegation })
      expect(xml).to.include(
        'xsi:type="del:DelegationRestrictionType"><del:Delegate><saml:NameID NameQualifier="https://i">before</saml:NameID></del:Delegate><del:Delegate><saml:NameID NameQualifier="https://i">now</saml:NameID></del:Delegate></saml:Condition>',
      )
      expect(xml).to.include('<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="del">')
    })

    it('is not written otherwise, and no condition without an actor', async () => {
      expect((await made({}, {}, { delegation })).xml).not.to.include('del:')
      expect((await made({ delegation: 'condition' })).xml)
        .not.to.include('del:')
        .and.not.to.include('InclusiveNamespaces')
    })
  })

  it('publishes its issuer with the active and the next key', async () => {
    const next = await configuredKey('next', certifiedKey('ES256'))
    const line = { active: key, published: [next, key], upcoming: [next] }
    const { publication } = await generatorOf(saml2, file(), { keys: { saml: line } })
    expect(publication).to.deep.include({ as: 'saml-entity' })
    if (publication?.as !== 'saml-entity') return
    expect(publication.entity.keys.map(({ id }) => id)).to.deep.equal(['saml', 'next'])
    expect(publication.entity).to.deep.include({ entityId: 'https://sts.example.com/saml', versions: ['2.0'], nameFormats: [] })
  })

  describe('mistakes in the file', () => {
    const mistakes: Array<[string, object, string]> = [
      ['no audience', { audience: [] }, 'audience'],
      ['an unknown algorithm', { signatureAlgorithm: 'PS256' }, 'signatureAlgorithm'],
      ['an algorithm of another kind of key', { signatureAlgorithm: 'RS256' }, 'signatureAlgorithm: the key "saml" is one of ES256'],
      ['no lifetime', { lifetime: '0s' }, 'lifetime'],
      ['an unknown confirmation', { subject: { confirmation: 'artifact' } }, 'subject.confirmation'],
      [
        'holder-of-key without a holder',
        { subject: { confirmation: 'holder-of-key' } },
        'subject.holder: "holder-of-key" needs the certificate',
      ],
      [
        'a holder without holder-of-key',
        { subject: { holder: { file: 'certificate.pem' } } },
        'subject.holder: is used by "holder-of-key" only',
      ],
      [
        'a holder that is no certificate',
        { subject: { confirmation: 'holder-of-key', holder: { file: 'none' } } },
        'subject.holder: is not a certificate',
      ],
      [
        'encryption for an elliptic curve',
        { encryption: { certificate: { file: 'certificate.pem' } } },
        'encryption.certificate: the certificate has no RSA key',
      ],
      [
        'encryption without a certificate',
        { encryption: { certificate: { file: 'none' } } },
        'encryption.certificate: is not a certificate',
      ],
      ['another form of delegation', { delegation: 'attribute' }, 'delegation'],
      ['no SAML_SUBJECT', { contract: {} }, 'contract: the contract needs the attribute "SAML_SUBJECT"'],
      [
        'a SAML_SUBJECT that may be missing',
        { contract: { SAML_SUBJECT: { type: ['string', 'null'] } } },
        'contract.SAML_SUBJECT: needs "type": "string"',
      ],
      [
        'an unknown special name',
        { contract: { SAML_SUBJECT: text, SAML_NAMEFORMAT: text } },
        'contract.SAML_NAMEFORMAT: "SAML_SUBJECT" and',
      ],
      ['an attribute that is an object', { contract: { SAML_SUBJECT: text, a: { type: 'object' } } }, 'contract.a: needs a "type" of text'],
      ['an attribute of any type', { contract: { SAML_SUBJECT: text, a: {} } }, 'contract.a: needs a "type" of text'],
      ['a list of anything', { contract: { SAML_SUBJECT: text, a: { type: 'array' } } }, 'contract.a: needs "items"'],
      [
        'a list of objects',
        { contract: { SAML_SUBJECT: text, a: { type: 'array', items: { type: 'object' } } } },
        'contract.a: needs "items"',
      ],
      [
        'an unknown annotation',
        { contract: { SAML_SUBJECT: text, a: { ...text, saml: { namespace: 'urn:n' } } } },
        'contract.a.saml: unknown member "namespace"',
      ],
      [
        'an annotation of the subject',
        { contract: { SAML_SUBJECT: { ...text, saml: { name: 'x' } } } },
        'contract.SAML_SUBJECT.saml: "SAML_SUBJECT" is no attribute',
      ],
      [
        'two attributes of one name',
        { contract: { SAML_SUBJECT: text, a: text, b: { ...text, saml: { name: 'a' } } } },
        'contract.b: has the same name in the assertion as "a"',
      ],
    ]
    for (const [what, more, problem] of mistakes) {
      it(what, async () => {
        const { problems } = await built(more)
        expect(
          problems.some(found => found.startsWith(problem)),
          problems.join('; '),
        ).to.equal(true)
      })
    }

    it('a key without a certificate where one is to be shown', async () => {
      const bare = { ...key, certificate: undefined }
      const { problems } = await build(saml2, file(), { keys: { saml: bare } })
      expect(problems).to.deep.equal(['signingKey: the key "saml" has no certificate; give it one, or say "key" or "none"'])
      expect((await build(saml2, file({ keyInfo: 'key' }), { keys: { saml: bare } })).problems).to.deep.equal([])
    })

    it('what is legal and dangerous is a warning', async () => {
      expect((await built()).warnings).to.deep.equal([])
      expect((await built({ subject: {}, outlivesSubject: true })).warnings).to.have.members([
        'bearer-without-recipient subject',
        'outlives-subject outlivesSubject',
      ])
      const transient = { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient', recipient: 'https://r' }
      expect((await built({ subject: transient })).warnings).to.deep.equal(['transient-name subject.format'])
      const encryption = { certificate: { file: 'expired.pem' } }
      const expired = { 'expired.pem': certifiedKey('RS256', 'receiver', 30).certificatePem }
      expect((await build(saml2, file({ encryption }), { ...around(), texts: expired })).warnings).to.deep.equal([
        'certificate-expired encryption.certificate',
      ])
      const rsa = await configuredKey('saml', certifiedKey('RS256'))
      const sha1 = await build(saml2, file({ signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }), { keys: { saml: rsa } })
      expect(sha1.warnings).to.deep.equal(['sha1-signature signatureAlgorithm'])
    })
  })
})

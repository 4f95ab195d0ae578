import { expect } from 'chai'
import type { SigningKey } from '../../src/keys/signing-key.ts'
import { type SamlEntity, samlEntities, samlMetadata } from '../../src/saml/metadata-out.ts'
import { certifiedKey, configuredKey } from '../support/certificates.ts'

describe('the metadata of a SAML issuer', () => {
  const login = 'https://sts.example.com/saml/sso?a&b'
  let active: SigningKey
  let next: SigningKey
  before(async () => {
    active = await configuredKey('active', certifiedKey('RS256'))
    next = await configuredKey('next', certifiedKey('ES256'))
  })
  const entity = (more: Partial<SamlEntity> = {}): SamlEntity => ({
    entityId: 'https://sts.example.com/saml',
    versions: ['2.0'],
    keys: [active, next],
    nameFormats: [],
    ...more,
  })

  it('has the certificate of every key, in order', () => {
    const xml = samlMetadata(entity(), login)
    const certificates = [...xml.matchAll(/<md:KeyDescriptor use="signing">.*?<ds:X509Certificate>([^<]*)</g)].map(([, text]) => text)
    expect(certificates).to.deep.equal([active, next].map(key => key.certificate?.raw.toString('base64')))
  })

  it('has the bare key where there is no certificate', () => {
    const bare = { ...next, certificate: undefined }
    expect(samlMetadata(entity({ keys: [bare] }), login)).to.include('<ds:KeyValue><dsig11:ECKeyValue ')
  })

  it('escapes names and addresses', () => {
    const xml = samlMetadata(entity({ entityId: 'urn:"a"&<b>' }), login)
    expect(xml).to.include('entityID="urn:&quot;a&quot;&amp;&lt;b>"').and.to.include('Location="https://sts.example.com/saml/sso?a&amp;b"')
  })

  it('names the protocols and bindings of its versions, 2.0 first', () => {
    const both = samlMetadata(entity({ versions: ['1.1', '2.0'] }), login)
    expect(both).to.include('protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:names:tc:SAML:1.1:protocol"')
    expect(both).to.include('urn:mace:shibboleth:1.0:profiles:AuthnRequest').and.to.include('bindings:HTTP-POST')
    expect(samlMetadata(entity({ versions: ['1.1'] }), login)).not.to.include('SAML:2.0:protocol')
  })

  it('joins what several generators with one issuer say', () => {
    const entities = samlEntities([
      entity({ keys: [active], nameFormats: ['urn:a'] }),
      entity({ entityId: 'urn:other', keys: [next] }),
      entity({ versions: ['1.1'], keys: [next, active], nameFormats: ['urn:a', 'urn:b'] }),
    ])
    expect([...entities.keys()]).to.deep.equal(['https://sts.example.com/saml', 'urn:other'])
    const joined = entities.get('https://sts.example.com/saml')
    expect(joined?.keys.map(({ id }) => id)).to.deep.equal(['active', 'next'])
    expect(joined).to.deep.include({ versions: ['2.0', '1.1'], nameFormats: ['urn:a', 'urn:b'] })
  })
})

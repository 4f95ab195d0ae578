import { expect } from 'chai'
import type { SignatureAlgorithm } from '../../src/keys/signing-key.ts'
import { TokenRejected } from '../../src/oauth/errors.ts'
import { jwt } from '../../src/processors/jwt.ts'
import { type PresetName, presets } from '../../src/processors/presets/index.ts'
import { build, type ForeignKey, foreignKey, processorOf } from './building.ts'

const now = 1_800_000_000
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'

interface Sample {
  issuer: string
  algorithm: SignatureAlgorithm
  header: object
  claims: Record<string, unknown>
  /** Issuers that the preset must refuse in a file. */
  otherIssuers: string[]
  /** Each makes the good token a bad one. */
  deviations: Array<Record<string, unknown>>
}

const samples: Record<PresetName, Sample> = {
  'github-actions': {
    issuer: 'https://token.actions.githubusercontent.com',
    algorithm: 'RS256',
    header: { typ: 'JWT', x5t: 'ykNaY4qM_ta4k2TgZOCEYLkcYlA' },
    claims: {
      ...{
        aud: 'https://sts.example.com',
        sub: 'repo:acme/app:ref:refs/heads/main',
        iat: now,
        nbf: now - 300,
        exp: now + 21_600,
        jti: '58772c9f',
      },
      ...{
        actor: 'alice',
        actor_id: '43356',
        base_ref: '',
        event_name: 'push',
        head_ref: '',
        job_workflow_ref: 'acme/app/.github/workflows/build.yml@refs/heads/main',
      },
      ...{
        ref: 'refs/heads/main',
        ref_protected: 'false',
        ref_type: 'branch',
        repository: 'acme/app',
        repository_id: '957014466',
        repository_owner: 'acme',
      },
      ...{
        repository_owner_id: '43356',
        repository_visibility: 'public',
        run_attempt: '1',
        run_id: '14144996512',
        run_number: '3',
        runner_environment: 'github-hosted',
      },
      ...{ sha: '0f661a4a', workflow: 'Build', workflow_ref: 'acme/app/.github/workflows/build.yml@refs/heads/main' },
    },
    otherIssuers: [
      'https://token.actions.githubusercontent.com.evil.example',
      'http://token.actions.githubusercontent.com',
      'https://evil.example',
      'https://evil.example/_services/token/',
    ],
    deviations: [
      { repository: undefined },
      { repository_owner_id: 43_356 },
      { ref: undefined },
      { jti: undefined },
      { run_id: 1 },
      { actor: { a: 1 } },
    ],
  },
  gitlab: {
    issuer: 'https://gitlab.com',
    algorithm: 'RS256',
    header: { typ: 'JWT' },
    claims: {
      ...{
        aud: 'https://sts.example.com',
        sub: 'project_path:root/app:ref_type:branch:ref:main',
        iat: now,
        nbf: now - 5,
        exp: now + 3_600,
        jti: '63ab75f4',
      },
      ...{
        namespace_id: '1',
        namespace_path: 'root',
        project_id: '28',
        project_path: 'root/app',
        user_id: '1',
        user_login: 'root',
        user_email: 'admin@example.com',
      },
      ...{
        pipeline_id: '455',
        pipeline_source: 'push',
        job_id: '1123',
        ref: 'main',
        ref_type: 'branch',
        ref_protected: 'true',
        runner_id: 1,
      },
      ...{
        runner_environment: 'self-hosted',
        sha: '714a629c',
        groups_direct: ['a/b'],
        user_identities: [{ provider: 'github', extern_uid: '2' }],
      },
    },
    otherIssuers: ['gitlab.com', 'http://gitlab.com', 'https://gitlab.com/', 'https://gitlab.com?x'],
    deviations: [{ project_id: undefined }, { project_id: 28 }, { ref_protected: true }, { namespace_path: null }, { runner_id: '1' }],
  },
  kubernetes: {
    issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/AB12',
    algorithm: 'RS256',
    header: {},
    claims: {
      ...{ aud: ['https://sts.example.com'], sub: 'system:serviceaccount:shop:orders', iat: now, nbf: now, exp: now + 3_607, jti: 'c4b1' },
      'kubernetes.io': {
        ...{ namespace: 'shop', node: { name: 'n1', uid: 'u1' }, pod: { name: 'orders-1', uid: 'u2' } },
        ...{ serviceaccount: { name: 'orders', uid: 'u3' }, warnafter: now + 3_607 },
      },
    },
    otherIssuers: ['kubernetes/serviceaccount', 'http://kubernetes.default.svc', 'https://a b'],
    deviations: [
      { sub: 'alice' },
      { sub: 'system:node:n1' },
      { sub: 'system:serviceaccount:shop:orders:x' },
      { 'kubernetes.io': undefined },
      { 'kubernetes.io': {} },
      { nbf: undefined },
    ],
  },
  spiffe: {
    issuer: 'spiffe://example.org',
    algorithm: 'ES256',
    header: { typ: 'JOSE' },
    claims: {
      aud: ['https://sts.example.com'],
      sub: 'spiffe://example.org/ns/shop/sa/orders',
      iat: now,
      exp: now + 300,
      iss: 'https://spire.example.org',
    },
    otherIssuers: ['https://example.org', 'spiffe://example.org/', 'spiffe://example.org/x', 'spiffe://Example.org', 'spiffe://'],
    deviations: [
      ...[
        { sub: 'spiffe://other.org/ns/shop' },
        { sub: 'spiffe://example.org' },
        { sub: 'spiffe://example.org/' },
        { sub: 'spiffe://example.org/a//b' },
      ],
      ...[
        { sub: 'spiffe://example.org.evil/a' },
        { sub: 'example.org/a' },
        { sub: 'SPIFFE://example.org/a' },
        { sub: 'spiffe://user@example.org/a' },
        { aud: undefined },
      ],
    ],
  },
  'aws-web-identity': {
    issuer: 'https://6b1a5f5e-0f5e-4d8a-9d1c-6e0f1a2b3c4d.tokens.sts.global.api.aws',
    algorithm: 'ES384',
    header: { typ: 'JWT' },
    claims: {
      ...{ aud: 'https://sts.example.com', sub: 'arn:aws:iam::123456789012:role/orders', iat: now, exp: now + 300, jti: 'a1' },
      'https://sts.amazonaws.com/': {
        aws_account: '123456789012',
        source_region: 'eu-west-1',
        org_id: 'o-1',
        principal_tags: { team: 'shop' },
      },
    },
    otherIssuers: [
      'https://tokens.sts.global.api.aws',
      'https://x.tokens.sts.global.api.aws.evil.example',
      'https://evil.example/x.tokens.sts.global.api.aws',
      'https://*.tokens.sts.global.api.aws',
    ],
    deviations: [{ sub: 'alice' }, { 'https://sts.amazonaws.com/': undefined }, { 'https://sts.amazonaws.com/': {} }, { jti: undefined }],
  },
  google: {
    issuer: 'https://accounts.google.com',
    algorithm: 'RS256',
    header: { typ: 'JWT' },
    claims: {
      aud: 'https://sts.example.com',
      azp: '1234',
      sub: '1234',
      email: 'x@y.iam.gserviceaccount.com',
      email_verified: true,
      iat: now,
      exp: now + 3_600,
    },
    otherIssuers: ['accounts.google.com', 'https://accounts.google.com/', 'https://securetoken.google.com/x'],
    deviations: [{ azp: undefined }, { email_verified: 'true' }, { aud: undefined }],
  },
  entra: {
    issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
    algorithm: 'RS256',
    header: { typ: 'JWT', x5t: 'x' },
    claims: {
      aud: 'api://sts',
      tid: tenant,
      oid: 'o1',
      sub: 's1',
      ver: '2.0',
      azp: 'c1',
      scp: 'read write',
      iat: now,
      nbf: now,
      exp: now + 5_400,
      roles: ['a'],
      uti: 'x',
    },
    otherIssuers: [
      'https://login.microsoftonline.com/common/v2.0',
      'https://login.microsoftonline.com/organizations/v2.0',
      `https://login.microsoftonline.com/${tenant}/v2.0/`,
      `https://sts.windows.net/${tenant}`,
      `https://evil.example/${tenant}/v2.0`,
    ],
    deviations: [{ tid: undefined }, { ver: 2 }, { nbf: undefined }, { roles: 'admin' }, { scp: 1 }],
  },
  okta: {
    issuer: 'https://acme.okta.com/oauth2/default',
    algorithm: 'RS256',
    header: {},
    claims: {
      aud: 'api://default',
      sub: 'alice@acme.example',
      cid: 'c1',
      uid: 'u1',
      ver: 1,
      jti: 'AT.1',
      scp: ['read', 'write'],
      iat: now,
      exp: now + 3_600,
    },
    otherIssuers: ['http://acme.okta.com', 'https://acme.okta.com/', 'https://acme.okta.com/oauth2/default/', 'acme.okta.com'],
    deviations: [{ jti: undefined }, { ver: '1' }, { scp: 'read' }, { groups: 'admins' }],
  },
}

for (const [preset, sample] of Object.entries(samples) as Array<[PresetName, Sample]>) {
  describe(`preset ${preset}`, () => {
    const key: ForeignKey = foreignKey(sample.algorithm)
    const claims = { iss: sample.issuer, ...sample.claims }
    const file = { preset, issuers: [{ issuer: sample.issuer, jwks: { keys: [key.jwk] } }] }
    const problems = async (more: object) => (await build(jwt, { ...file, ...more })).problems

    async function outcome(header: object, payload: object, more: object = {}) {
      const processor = await processorOf(jwt, { ...file, ...more })
      try {
        return await processor.process(await key.sign({ ...sample.header, ...header }, payload), { now })
      } catch (error) {
        if (error instanceof TokenRejected) return error.message
        throw error
      }
    }

    it('takes its good token', async () => {
      const proof = await outcome({}, claims)
      expect(proof).to.deep.include({ issuer: sample.issuer, subject: sample.claims.sub, expiresAt: sample.claims.exp })
    })

    it('pins the lifetime, which the pipeline judges', async () => {
      const { limits } = await processorOf(jwt, file)
      expect(limits.maxLifetime).to.equal(presets[preset].maxLifetime)
      expect(Number(sample.claims.exp) - Number(sample.claims.iat)).to.be.at.most(limits.maxLifetime ?? 0)
      expect((await processorOf(jwt, { ...file, maxLifetime: '5m' })).limits.maxLifetime).to.equal(300)
    })

    it('refuses each deviation', async () => {
      for (const deviation of [...sample.deviations, { exp: undefined }, { iat: undefined }, { sub: undefined }, { sub: '' }]) {
        expect(await outcome({}, { ...claims, ...deviation }), JSON.stringify(deviation)).to.be.a('string')
      }
      for (const typ of ['at+xyz', 'dpop+jwt', 'txntoken+jwt', 'logout+jwt']) expect(await outcome({ typ }, claims)).to.match(/type/)
      for (const iss of [undefined, 'https://evil.example', `${sample.issuer}/`]) {
        if (preset !== 'spiffe') expect(await outcome({}, { ...claims, iss })).to.match(/issuer/)
      }
      expect(await outcome({ alg: 'HS256' }, claims)).to.match(/algorithm/)
    })

    it('can be tightened', async () => {
      const tightened = {
        requiredClaims: ['extra'],
        claims: { type: 'object', properties: { extra: { type: 'string' } } },
        algorithms: [sample.algorithm],
      }
      expect(await outcome({}, claims, tightened)).to.match(/no extra/)
      expect(await outcome({}, { ...claims, extra: 1 }, tightened)).to.match(/extra must be string/)
      expect(await outcome({}, { ...claims, extra: 'x' }, tightened)).to.have.property('subject')
      const { attributes } = await processorOf(jwt, { ...file, ...tightened })
      expect(attributes?.required).to.include.members(['iss', 'sub', 'exp', 'iat', 'extra'])
    })

    it('cannot be widened', async () => {
      expect((await problems({ maxLifetime: '365d' }))[0]).to.match(/^maxLifetime: .*only tighten/)
      expect((await problems({ algorithms: [sample.algorithm, 'EdDSA'] }))[0]).to.match(/^algorithms\.1: .*only tighten/)
      expect((await problems({ typ: ['JWT', 'dpop+jwt'] }))[0]).to.match(/^typ\.1: .*only tighten/)
      expect((await problems({ expiry: 'optional' }))[0]).to.match(/^expiry: /)
      for (const issuer of sample.otherIssuers) {
        expect((await problems({ issuers: [{ issuer, jwks: { keys: [key.jwk] } }] }))[0], issuer).to.match(
          /^issuers\.0\.issuer: the preset expects/,
        )
      }
    })
  })
}

describe('presets', () => {
  it('bring an issuer where there is one for everybody', async () => {
    for (const preset of Object.keys(presets) as PresetName[]) {
      const { processor, problems } = await build(jwt, { preset })
      const { issuer } = presets[preset] as { issuer?: string }
      if (issuer === undefined) expect(problems).to.deep.equal(['issuers: is missing: whose tokens are taken'])
      else expect(processor?.issuers).to.deep.equal([issuer])
    }
  })

  it('warn where anybody can get a token, unless the file says whose are taken', async () => {
    expect((await build(jwt, { preset: 'github-actions' })).warnings).to.deep.equal(['open-issuer preset'])
    const claims = { type: 'object', properties: { repository_owner: { const: 'acme' } } }
    expect((await build(jwt, { preset: 'github-actions', claims })).warnings).to.deep.equal([])
  })

  it('read the scope where Microsoft and Okta have it', async () => {
    for (const preset of ['entra', 'okta'] as const) {
      const { issuer, algorithm, header, claims } = samples[preset]
      const key = foreignKey(algorithm)
      const processor = await processorOf(jwt, { preset, issuers: [{ issuer, jwks: { keys: [key.jwk] } }] })
      const proof = await processor.process(await key.sign(header, { iss: issuer, ...claims }), { now })
      expect(proof.scope).to.deep.equal(['read', 'write'])
      expect(proof.attributes.scope).to.equal('read write')
    }
  })

  it('take the keys of a SPIFFE bundle, by the trust domain of the subject and nothing else', async () => {
    const { issuer, header, claims } = samples.spiffe
    const own = foreignKey('ES256', 'a')
    const other = foreignKey('ES256', 'b')
    const bundle = (key: ForeignKey) => {
      const { alg: _, ...jwk } = key.jwk
      return { keys: [{ ...jwk, use: 'jwt-svid' }] }
    }
    const processor = await processorOf(jwt, {
      preset: 'spiffe',
      issuers: [
        { issuer, jwks: bundle(own) },
        { issuer: 'spiffe://other.org', jwks: bundle(other) },
      ],
    })
    const proof = await processor.process(await own.sign(header, claims), { now })
    expect(proof).to.include({ issuer: 'spiffe://example.org' })
    expect(proof.attributes.iss).to.equal('spiffe://example.org')
    const crossed = await processor.process(await other.sign({ ...header, kid: 'a' }, claims), { now }).catch(error => error)
    expect(crossed).to.be.instanceOf(TokenRejected)
  })
})

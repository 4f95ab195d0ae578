import { type GuardedFetch, guardedFetch } from '../../src/keys/guarded-fetch.ts'
import type { Iam } from './aws-sts/iam.ts'
import { type FakeAws, startAws } from './aws-sts/sts.ts'
import { certifiedKey } from './certificates.ts'
import { type Files, patched } from './configuration.ts'
import { types } from './oauth.ts'
import { withMappings } from './saml.ts'
import type { World } from './world.ts'

/** The account of these tests, and its roles. */
const account = '123456789012'
export const arns = {
  reader: `arn:aws:iam::${account}:role/Reader`,
  writer: `arn:aws:iam::${account}:role/team/Writer`,
  untagged: `arn:aws:iam::${account}:role/Untagged`,
  saml: `arn:aws:iam::${account}:saml-provider/Cambist`,
  oidc: `arn:aws:iam::${account}:oidc-provider/sts.example.com/issuers/aws-jwt`,
}

/** The token types of what is made for AWS. */
export const awsTypes = {
  samlResponse: 'urn:cambist:params:oauth:token-type:aws-saml-response',
  credentials: 'urn:cambist:params:oauth:token-type:aws-credentials',
}

/** The region whose service is asked. */
export const region = 'eu-central-1'

const sessionName = {
  SAML_SUBJECT: 'policy.email',
  RoleSessionName: 'policy.subject',
  SourceIdentity: 'policy.subject',
  'PrincipalTag:Team': 'policy.groups[0]',
}
const narrowed = { Policy: 'has(context.client.policy) ? string(context.client.policy) : null' }

/** The usual files with everything that is made for AWS: audience `aws` by assertion, `aws-web` by JWT. */
export function awsFiles(files: Files, patch: object = {}): Files {
  const { privateKeyPem, certificatePem } = certifiedKey('RS256', 'saml', 7300)
  const credentials = { type: 'aws-credentials', region, lifetime: '15m', outlivesSubject: true }
  const optional = { type: ['string', 'null'] }
  const all = patched(files, {
    'keys/saml.json': {
      algorithm: 'RS256',
      status: 'active',
      privateKey: { file: 'secrets/saml.pem' },
      certificate: { file: 'secrets/saml.crt' },
    },
    'secrets/saml.pem': privateKeyPem,
    'secrets/saml.crt': certificatePem,
    'policies/token-generators/aws-saml.json': {
      type: 'aws-saml',
      issuer: 'https://sts.example.com/saml',
      signingKey: 'saml',
      role: arns.reader,
      provider: arns.saml,
      transitiveTags: ['Team'],
      contract: { SAML_SUBJECT: {}, RoleSessionName: {}, SourceIdentity: {}, 'PrincipalTag:Team': {} },
    },
    'policies/token-generators/aws-saml-session.json': { ...credentials, tokenGenerator: 'aws-saml', contract: { Policy: optional } },
    'policies/token-generators/aws-jwt.json': {
      type: 'jwt',
      preset: 'aws-web-identity',
      audience: 'sts.amazonaws.com',
      signingKey: 'api',
      lifetime: '5m',
      contract: { sub: { type: 'string' }, SourceIdentity: {}, 'PrincipalTag:Team': {}, TransitiveTagKeys: {} },
    },
    'policies/token-generators/aws-jwt-session.json': {
      ...credentials,
      tokenGenerator: 'aws-jwt',
      contract: { Role: {}, RoleSessionName: {}, PolicyArns: {} },
    },
    'policies/generator-groups/aws.json': {
      audiences: ['aws'],
      generators: { [awsTypes.samlResponse]: 'aws-saml', [awsTypes.credentials]: 'aws-saml-session' },
      default: awsTypes.credentials,
    },
    'policies/generator-groups/aws-web.json': {
      audiences: ['aws-web'],
      generators: { [types.jwt]: 'aws-jwt', [awsTypes.credentials]: 'aws-jwt-session' },
      default: awsTypes.credentials,
    },
  })
  const claims = {
    sub: 'policy.email',
    SourceIdentity: 'policy.subject',
    'PrincipalTag:Team': 'policy.groups[0]',
    TransitiveTagKeys: "['Team']",
  }
  const session = { Role: `'${arns.writer}'`, RoleSessionName: 'policy.subject', PolicyArns: "['arn:aws:iam::aws:policy/ReadOnlyAccess']" }
  const issues = [
    { tokenGenerator: 'aws-saml', attributes: sessionName },
    { tokenGenerator: 'aws-saml-session', attributes: { ...sessionName, ...narrowed } },
    { tokenGenerator: 'aws-jwt', attributes: claims },
    { tokenGenerator: 'aws-jwt-session', attributes: { ...claims, ...session } },
  ]
  return patched(withMappings(all, [], issues), patch as Files)
}

/** AWS as far as these tests need it, with the server's documents uploaded to it. */
export async function awsFor(world: World, change: (iam: Iam) => Iam = iam => iam): Promise<FakeAws> {
  const metadata = (await world.server.request('GET', '/saml/metadata')).text
  const all = ['sts:AssumeRoleWithSAML', 'sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity']
  const role = (arn: string, actions = all) => ({
    arn,
    id: `AROA${arn.length}EXAMPLE`,
    principals: [arns.saml, arns.oidc],
    actions,
    maxSessionDuration: 3600,
  })
  const iam: Iam = {
    samlProviders: [{ arn: arns.saml, metadata }],
    oidcProviders: [{ arn: arns.oidc, issuer: 'https://sts.example.com/issuers/aws-jwt', clientIds: ['sts.amazonaws.com'] }],
    roles: [role(arns.reader), role(arns.writer), role(arns.untagged, all.slice(0, 2))],
  }
  const read = async (url: string) => (await world.server.request('GET', url.replace('https://sts.example.com', ''))).text
  return startAws({ iam: change(iam), read, now: () => world.server.now() })
}

/** The outside world of the server, in which AWS is somewhere else; `meddle` may answer in its place. */
export class WayToAws {
  aws: FakeAws | undefined
  meddle: GuardedFetch | undefined
  readonly asked: string[] = []

  readonly fetch: GuardedFetch = async (url, request) => {
    this.asked.push(url)
    if (this.meddle !== undefined) return this.meddle(url, request)
    const { origin } = new URL(url)
    if (origin !== `https://sts.${region}.amazonaws.com`) throw new Error(`nobody is at ${url}`)
    return guardedFetch()(url.replace(origin, this.aws?.url ?? ''), { ...request, allowPrivateNetwork: true })
  }
}

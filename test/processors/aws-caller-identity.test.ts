import { expect } from 'chai'
import { AwsClient } from 'google-auth-library'
import { AwsRequestSigner } from 'google-auth-library/build/src/auth/awsrequestsigner.js'
import type { JsonObject } from '../../src/json.ts'
import { Outage, TokenRejected } from '../../src/oauth/errors.ts'
import { AssumptionMistake } from '../../src/processors/assumed.ts'
import { awsCallerIdentity } from '../../src/processors/aws-caller-identity.ts'
import type { Proof, TokenProcessor } from '../../src/processors/processor.ts'
import { answer, type Caller, refusal, type StsAnswer, type StsRig, startSts } from '../support/aws-sts/caller-identity.ts'
import {
  type Aws4Request,
  encodeRequest,
  type Header,
  kubernetesToken,
  presignedUrl,
  type Signing,
  signedRequest,
} from '../support/aws-sts/signing.ts'
import { build, ownIssuer, processorOf } from './building.ts'

const now = 1_800_000_000
const date = new Date(now * 1000)
const account = '123456789012'
const deployer: Caller = {
  ...{ accessKeyId: 'ASIADEPLOYEREXAMPLE0', secretAccessKey: 'deployer/secret+key', sessionToken: `FwoG+/${'t0k'.repeat(200)}==` },
  ...{ account, arn: `arn:aws:sts::${account}:assumed-role/Deploy/alice@example.com`, userId: 'AROAEXAMPLEID:alice@example.com' },
}
const user: Caller = {
  ...{ accessKeyId: 'AKIAUSEREXAMPLE00000', secretAccessKey: 'user/secret+key' },
  ...{ account, arn: `arn:aws:iam::${account}:user/team/bob`, userId: 'AIDAEXAMPLEID' },
}
const stranger: Caller = {
  ...{ accessKeyId: 'AKIASTRANGER00000000', secretAccessKey: 'stranger/secret+key' },
  ...{ account: '999999999999', arn: 'arn:aws:iam::999999999999:user/eve', userId: 'AIDASTRANGER' },
}
const google = 'x-goog-cloud-target-resource'
const kubernetes = 'x-k8s-aws-id'

describe('aws-caller-identity processor (AW-30 to AW-37)', () => {
  let sts: StsRig
  let processor: TokenProcessor
  before(async () => {
    sts = await startSts([deployer, user, stranger], () => now)
    processor = await processorOf(awsCallerIdentity, { accounts: [account] }, { fetch: sts.fetch, now: () => now })
  })
  beforeEach(() => {
    sts.instead = undefined
    sts.received.length = 0
    sts.addresses.length = 0
  })
  after(() => sts.close())

  const prove = (token: string, by = processor): Promise<Proof> => by.process(token, { now })
  const request = (more: Partial<Signing> = {}) => signedRequest({ caller: deployer, date, headers: { [google]: ownIssuer }, ...more })
  const url = (more: Partial<Signing> & { expires?: number } = {}) =>
    presignedUrl({ caller: deployer, date, headers: { [kubernetes]: ownIssuer }, ...more })
  const refused = async (token: string, by = processor): Promise<string> => {
    const failure = await prove(token, by).then(
      () => expect.fail('the token was accepted'),
      error => error,
    )
    if (!(failure instanceof TokenRejected)) throw failure
    expect(failure.message).to.match(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/)
    return failure.message
  }
  /** Refused before anything was sent. */
  const unsent = async (token: string, by = processor): Promise<string> => {
    const message = await refused(token, by)
    expect(sts.addresses).to.deep.equal([])
    return message
  }

  describe('proves who signed', () => {
    it('a POST in the format of Google, signed by the SDK of AWS', async () => {
      const proof = await prove(encodeRequest(await request()))
      expect(proof.id).to.match(/^[\w-]{43}$/)
      expect(proof).to.deep.equal({
        ...{ issuer: 'https://sts.amazonaws.com', subject: `arn:aws:iam::${account}:role/Deploy`, audiences: [ownIssuer] },
        ...{ issuedAt: now, expiresAt: now + 900, id: proof.id, oneTimeUse: true },
        attributes: {
          ...{ account, arn: `arn:aws:iam::${account}:role/Deploy`, userId: 'AROAEXAMPLEID:alice@example.com' },
          ...{ role: 'Deploy', session: 'alice@example.com' },
        },
      })
    })
    it('the same without percent-encoding', async () => {
      expect((await prove(JSON.stringify(await request()))).subject).to.match(/role\/Deploy$/)
    })
    it('a user with long-term keys, who has no role', async () => {
      const { attributes } = await prove(encodeRequest(await request({ caller: user })))
      expect(attributes).to.deep.equal({ account, arn: user.arn, userId: user.userId })
    })
    it('a presigned address, as it is and as clients of Kubernetes wrap it', async () => {
      const address = await url()
      expect((await prove(address)).subject).to.match(/role\/Deploy$/)
      expect((await prove(kubernetesToken(address))).subject).to.match(/role\/Deploy$/)
      expect(sts.received.map(({ method }) => method)).to.deep.equal(['GET', 'GET'])
    })
    it('at every address of a region', async () => {
      for (const [region, host] of [
        ['us-east-1', 'sts.amazonaws.com'],
        ['us-east-1', 'sts-fips.us-east-1.amazonaws.com'],
        ['eu-west-1', 'sts.eu-west-1.api.aws'],
      ] as const) {
        await prove(encodeRequest(await request({ region, host })))
        expect(new URL(sts.addresses.at(-1) ?? '').host).to.equal(host)
      }
    })
    it("with Google's own signer and a signed binding", async () => {
      const { accessKeyId, secretAccessKey, sessionToken = '' } = deployer
      const clock = { now: () => Math.floor(Date.now() / 1000) }
      const real = await startSts([deployer], clock.now)
      try {
        const signer = new AwsRequestSigner(async () => ({ accessKeyId, secretAccessKey, token: sessionToken }), 'eu-central-1')
        const address = 'https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15'
        const signed = await signer.getRequestOptions({ url: address, method: 'POST', headers: new Headers({ [google]: ownIssuer }) })
        const headers: Header[] = [...new Headers(signed.headers as Headers)].map(([key, value]) => ({ key, value }))
        const taker = await processorOf(awsCallerIdentity, { accounts: [account] }, { fetch: real.fetch, now: clock.now })
        const proof = await taker.process(encodeRequest({ url: signed.url, method: signed.method, headers }), { now: clock.now() })
        expect(proof.subject).to.match(/role\/Deploy$/)
      } finally {
        await real.close()
      }
    })
  })

  describe('sends what it has made itself', () => {
    it('of a POST: the known headers, each once, and no body', async () => {
      await prove(encodeRequest(await request()))
      const [{ method, target, headers, body } = expect.fail('nothing was sent')] = sts.received
      expect({ method, target, body }).to.deep.equal({ method: 'POST', target: '/?Action=GetCallerIdentity&Version=2011-06-15', body: '' })
      expect(headers.map(([name]) => name.toLowerCase()).sort()).to.deep.equal([
        ...['accept', 'accept-encoding', 'authorization', 'connection', 'content-length', 'host', 'user-agent'],
        ...['x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token', google],
      ])
      expect(new Map(headers).get('accept')).to.equal('application/json')
    })
    it('of an address: the known parameters in order', async () => {
      const parts = (await url()).split('?')[1]?.split('&') ?? []
      await prove(`https://sts.eu-central-1.amazonaws.com/?${parts.toReversed().join('&')}`)
      const names = [...new URLSearchParams(sts.received[0]?.target.split('?')[1]).keys()]
      expect(names).to.deep.equal([
        ...['Action', 'Version', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Security-Token'],
        ...['X-Amz-SignedHeaders', 'X-Amz-Signature'],
      ])
    })
  })

  describe('refuses a POST', () => {
    const changes: Record<string, [(signed: Aws4Request) => unknown, RegExp]> = {
      'of another action': [
        signed => ({ ...signed, url: signed.url.replace('GetCallerIdentity', 'AssumeRole') }),
        /not that of GetCallerIdentity/,
      ],
      'of another version': [signed => ({ ...signed, url: signed.url.replace('2011', '2012') }), /not that of GetCallerIdentity/],
      'of a second action': [signed => ({ ...signed, url: `${signed.url}&Action=AssumeRole` }), /not that of GetCallerIdentity/],
      'of an action in other letters': [
        signed => ({ ...signed, url: signed.url.replace('Action', 'action') }),
        /not that of GetCallerIdentity/,
      ],
      'with its action percent-encoded': [
        signed => ({ ...signed, url: signed.url.replace('Get', '%47et') }),
        /not that of GetCallerIdentity/,
      ],
      'with a dot that is any character': [signed => ({ ...signed, url: signed.url.replace('2011-06-15', '2011x06-15') }), /not that of/],
      'with a fragment': [signed => ({ ...signed, url: `${signed.url}#x` }), /not that of GetCallerIdentity/],
      'at another path': [signed => ({ ...signed, url: signed.url.replace('?', '/x?') }), /not that of GetCallerIdentity/],
      'by plain http': [signed => ({ ...signed, url: signed.url.replace('https', 'http') }), /not that of GetCallerIdentity/],
      'with another method': [signed => ({ ...signed, method: 'GET' }), /method is not POST/],
      'with a method in other letters': [signed => ({ ...signed, method: 'post' }), /method is not POST/],
      'with a body (smuggled action)': [signed => ({ ...signed, body: 'Action=AssumeRole' }), /more than url, method and headers/],
      'with data': [signed => ({ ...signed, data: '' }), /more than url, method and headers/],
      'whose headers are an object': [signed => ({ ...signed, headers: { host: 'x' } }), /not a list/],
      'with a header twice': [
        signed => ({ ...signed, headers: [...signed.headers, { key: 'Host', value: 'evil.example' }] }),
        /there twice/,
      ],
      'with a header that is not signed': [
        signed => ({ ...signed, headers: [...signed.headers, { key: 'x-forwarded-host', value: 'x' }] }),
        /not signed/,
      ],
      'with Content-Length': [
        signed => ({ ...signed, headers: [...signed.headers, { key: 'content-length', value: '17' }] }),
        /not signed/,
      ],
      'with Transfer-Encoding': [
        signed => ({ ...signed, headers: [...signed.headers, { key: 'transfer-encoding', value: 'chunked' }] }),
        /not signed/,
      ],
      'without a header that is signed': [
        signed => ({ ...signed, headers: signed.headers.filter(({ key }) => key !== 'x-amz-date') }),
        /not there/,
      ],
      'with a line break in a header': [withHeader(google, `${ownIssuer}\r\nhost: evil.example`), /a header is not one/],
      'with a line break in the name of a header': [
        signed => ({ ...signed, headers: [...signed.headers, { key: 'a\nb', value: 'x' }] }),
        /a header is not one/,
      ],
      'with a header that has more than key and value': [
        signed => ({ ...signed, headers: signed.headers.map(header => ({ ...header, also: 1 })) }),
        /a header is not one/,
      ],
      'with another date than that of its scope': [withHeader('x-amz-date', '20260101T000000Z'), /another day/],
      'with a date that is none': [withHeader('x-amz-date', '20270230T080000Z'), /not a time/],
      'with the digest of a body': [withHeader('x-amz-content-sha256', 'a'.repeat(64)), /signed with a body/],
      'with another host in its headers': [withHeader('host', 'sts.eu-west-1.amazonaws.com'), /host is not that of its url/],
      'without its signature': [
        signed => ({ ...signed, headers: signed.headers.filter(({ key }) => key !== 'authorization') }),
        /no signature of version 4/,
      ],
      'with another algorithm': [withAuthorization(text => text.replace('HMAC-SHA256', 'ECDSA-P256-SHA256')), /no signature of version 4/],
      'with a signature in capitals, a second spelling of it': [
        withAuthorization(text => text.replace(/Signature=.+/, each => each.toUpperCase().replace('SIGNATURE', 'Signature'))),
        /signature is not one/,
      ],
      'with a scope of another service': [withAuthorization(text => text.replace('/sts/', '/iam/')), /not one for AWS STS/],
      'with a scope of another region': [withAuthorization(text => text.replace('/eu-central-1/', '/eu-west-1/')), /another region/],
      'with its signed headers in another order': [
        withAuthorization(text => text.replace(/SignedHeaders=(\w+);([\w-]+)/, 'SignedHeaders=$2;$1')),
        /not in order/,
      ],
      'with a signed header twice': [
        withAuthorization(text => text.replace('SignedHeaders=host', 'SignedHeaders=host;host')),
        /not in order/,
      ],
      'with a session token that is not signed': [withAuthorization(text => text.replace(';x-amz-security-token', '')), /not signed/],
      'with a binding header that is not signed': [
        withAuthorization(text => text.replace(`;${google}`, '')),
        /no header is signed that says for which server/,
      ],
      'with a second binding header': [
        signed =>
          withAuthorization(text => text.replace(`;${google}`, `;${google};${kubernetes}`))({
            ...signed,
            headers: [...signed.headers, { key: kubernetes, value: ownIssuer }],
          }),
        /several headers say/,
      ],
      'made for another server': [withHeader(google, 'vault.example'), /made for another server/],
      'made for this server, nearly': [withHeader(google, `${ownIssuer}/`), /made for another server/],
    }
    for (const [name, [change, message]] of Object.entries(changes)) {
      it(name, async () => {
        expect(await unsent(encodeRequest(change(await request())))).to.match(message)
      })
    }

    const hosts: Record<string, string> = {
      'another one': 'evil.example',
      'user information': 'sts.eu-central-1.amazonaws.com@evil.example',
      'a port': 'sts.eu-central-1.amazonaws.com:8443',
      'a name below': 'evil.sts.eu-central-1.amazonaws.com',
      'a name above': 'sts.eu-central-1.amazonaws.com.evil.example',
      'a dot at its end': 'sts.eu-central-1.amazonaws.com.',
      'capital letters': 'STS.eu-central-1.amazonaws.com',
      'letters of another script': 'sts.eu-central-1.am\u0430zonaws.com',
      'a full-width dot': 'sts.eu-central-1\uff0eamazonaws.com',
      'a region that is not in the table': 'sts.eu-central-9.amazonaws.com',
      'another service': 's3.eu-central-1.amazonaws.com',
      'another partition': 'sts.cn-north-1.amazonaws.com.cn',
      'an address of the metadata service': '169.254.169.254',
      'a backslash': 'evil.example\\.sts.eu-central-1.amazonaws.com',
    }
    for (const [name, host] of Object.entries(hosts)) {
      it(`whose host has ${name}`, async () => {
        const { headers, ...signed } = await request()
        const address = signed.url.replace('sts.eu-central-1.amazonaws.com', host)
        const token = encodeRequest({
          ...signed,
          url: address,
          headers: headers.map(header => (header.key === 'host' ? { key: 'host', value: host } : header)),
        })
        expect(await unsent(token)).to.match(/not for an AWS STS that is asked here|not that of GetCallerIdentity|a header is not one/)
      })
    }

    for (const [name, token, message] of [
      ['that is no JSON', 'AKIA', /not an address/],
      ['that is half', '{"url":', /not a JSON object/],
      ['with a member twice', '{"url":"a","url":"b","method":"POST","headers":[]}', /not a JSON object/],
      ['whose percent-encoding is broken', '%7B%22url%', /percent-encoding is broken/],
      ['that is too long', `{"url":"${'x'.repeat(20_000)}"}`, /longer than 20000/],
      ['that is encoded twice', encodeURIComponent(encodeURIComponent('{}')), /not an address/],
    ] as const) {
      it(name, async () => {
        expect(await unsent(token)).to.match(message)
      })
    }

    it("of Google's client as it is: it does not sign for whom it is made", async () => {
      const { accessKeyId, secretAccessKey, sessionToken = '' } = deployer
      const supplier = {
        getAwsRegion: async () => 'eu-central-1',
        getAwsSecurityCredentials: async () => ({ accessKeyId, secretAccessKey, token: sessionToken }),
      }
      const client = new AwsClient({
        type: 'external_account',
        audience: ownIssuer,
        subject_token_type: 'urn:ietf:params:aws:token-type:aws4_request',
        token_url: `${ownIssuer}/token`,
        aws_security_credentials_supplier: supplier,
      })
      const token = await client.retrieveSubjectToken()
      expect(JSON.parse(decodeURIComponent(token)).headers).to.deep.include({ key: google, value: ownIssuer })
      expect(await unsent(token)).to.match(/no header is signed that says for which server/)
    })
  })

  describe('refuses an address', () => {
    const changes: Record<string, [(address: string) => string, RegExp]> = {
      'of another action': [address => address.replace('GetCallerIdentity', 'AssumeRole'), /another action/],
      'of a second action in other letters (CVE-2022-2385)': [address => `${address}&action=AssumeRole`, /no place in it/],
      'of a second action': [address => `${address}&Action=AssumeRole`, /there twice/],
      'with a parameter in other letters': [address => address.replace('X-Amz-Date', 'x-amz-date'), /no place in it/],
      'with a parameter whose name is percent-encoded': [address => address.replace('Action=', '%41ction='), /no place in it/],
      'with a further parameter': [address => `${address}&RoleArn=x`, /no place in it/],
      'with a parameter without a value': [address => `${address}&X-Amz-Security-Token`, /no place in it/],
      'with an empty parameter': [address => `${address}&`, /no place in it/],
      'with a fragment': [address => `${address}#x`, /signature is not one/],
      'with a semicolon between parameters': [address => address.replace('&Version', ';Version'), /no place in it/],
      'without its expiry': [address => address.replace(/&X-Amz-Expires=\d+/, ''), /X-Amz-Expires is missing/],
      'that lives too long': [address => address.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=901'), /X-Amz-Expires is not/],
      'with a negative expiry': [address => address.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=-1'), /X-Amz-Expires is not/],
      'with an expiry in other digits': [
        address => address.replace(/X-Amz-Expires=\d+/, `X-Amz-Expires=${encodeURIComponent('\u0665')}`),
        /X-Amz-Expires is not/,
      ],
      'with another algorithm': [address => address.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'), /another algorithm/],
      'at another path': [address => address.replace('/?', '/x?'), /not an address/],
      'with user information': [address => address.replace('https://', 'https://sts.eu-central-1.amazonaws.com@'), /not an address/],
      'with a port': [address => address.replace('.com/', '.com:443/'), /not an address/],
      'with a dot at the end of its host': [address => address.replace('.com/', '.com./'), /not for an AWS STS/],
      'of a host below': [address => address.replace('https://', 'https://x.'), /not for an AWS STS/],
      'with white space before it': [address => ` ${address}`, /not an address/],
      'with a line break': [address => `${address}\n`, /not an address/],
      'with a plus sign for a space': [address => address.replace('GetCallerIdentity', 'GetCaller+Identity'), /not percent-encoded/],
      'with broken percent-encoding': [address => address.replace('GetCallerIdentity', 'Get%E0%A4%A'), /encoding is broken/],
      'with only the host signed': [address => address.replace(/host%3Bx-k8s-aws-id/, 'host'), /no header is signed/],
      'without the host signed': [address => address.replace(/host%3Bx-k8s-aws-id/, 'x-k8s-aws-id'), /host is not signed/],
      'with two binding headers': [address => address.replace('host%3B', `host%3B${google}%3B`), /several headers say/],
      'with a further signed header': [address => address.replace('host%3B', 'host%3Bx-amz-target%3B'), /no place in it|not in order/],
    }
    for (const [name, [change, message]] of Object.entries(changes)) {
      it(name, async () => {
        expect(await unsent(change(await url()))).to.match(message)
      })
    }
    it('that is wrapped in broken base64', async () => {
      const token = kubernetesToken(await url())
      expect(await unsent(`${token}!`)).to.match(/not base64url/)
      expect(await unsent(token.replace('k8s-aws-v1.', 'k8s-aws-v2.'))).to.match(/not an address/)
      expect(await unsent(kubernetesToken(token))).to.match(/not an address/)
    })
    it('that is longer than servers of Kubernetes read', async () => {
      expect(await unsent(`${await url()}${'x'.repeat(4096)}`)).to.match(/longer than 4096/)
    })
    it('whose signer lets it be used no longer, although AWS would still take it', async () => {
      expect(await unsent(await url({ date: new Date((now - 95) * 1000) }))).to.match(/has expired/)
      await prove(await url({ date: new Date((now - 85) * 1000) }))
      await prove(await url({ date: new Date((now - 200) * 1000), expires: 900 }))
    })
    it('that was made for another server, as AWS finds out', async () => {
      expect(await refused(await url({ headers: { [kubernetes]: 'production-cluster' } }))).to.match(
        /AWS does not take .*: SignatureDoesNotMatch/,
      )
    })
  })

  describe('refuses', () => {
    it('what was signed too long ago, or in the future', async () => {
      expect(await unsent(encodeRequest(await request({ date: new Date((now - 931) * 1000) })))).to.match(/has expired/)
      expect(await unsent(encodeRequest(await request({ date: new Date((now + 31) * 1000) })))).to.match(/of the future/)
    })
    it('whoever is of an account that is not named', async () => {
      expect(await refused(encodeRequest(await request({ caller: stranger })))).to.match(/account that is not accepted/)
      expect(await refused(await url({ caller: stranger }))).to.match(/account that is not accepted/)
    })
    it('a region that is not named', async () => {
      const only = await processorOf(awsCallerIdentity, { accounts: [account], regions: ['eu-west-1'] }, { fetch: sts.fetch })
      expect(await unsent(encodeRequest(await request()), only)).to.match(/not for an AWS STS that is asked here/)
      expect(await unsent(await url(), only)).to.match(/not for an AWS STS that is asked here/)
    })
    it('what somebody else has signed, or changed', async () => {
      const forged = { ...deployer, secretAccessKey: 'guessed' }
      expect(await refused(encodeRequest(await request({ caller: forged })))).to.match(/SignatureDoesNotMatch/)
      const { sessionToken: _, ...without } = deployer
      expect(await refused(encodeRequest(await request({ caller: without })))).to.match(/InvalidClientTokenId/)
    })
    it('a principal of a kind or partition that has no place there', async () => {
      for (const arn of [
        `arn:aws:iam::${account}:group/admins`,
        `arn:aws-cn:iam::${account}:user/bob`,
        'arn:aws:iam::999999999999:user/bob',
        `arn:aws:sts::${account}:assumed-role/a/b/c`,
      ]) {
        sts.instead = () => answer({ Account: account, Arn: arn, UserId: 'AIDA' })
        expect(await refused(encodeRequest(await request())), arn).to.match(/of a kind that is not known/)
      }
    })
  })

  describe('says that it could not be found out', () => {
    const good = { Account: account, Arn: user.arn, UserId: user.userId }
    const whole = JSON.parse(answer(good).body).GetCallerIdentityResponse
    const wrapped = (response: unknown) => ({ status: 200, body: JSON.stringify({ GetCallerIdentityResponse: response }) })
    const text = (change: (body: string) => string) => ({ status: 200, body: change(answer(good).body) })
    const answers: Record<string, StsAnswer> = {
      'a redirect': { status: 302, headers: { location: 'https://evil.example/' }, body: '' },
      'a permanent redirect': { status: 308, headers: { location: 'https://evil.example/' }, body: '' },
      'a second Arn': text(body => body.replace('"Arn"', '"Arn":"arn:aws:iam::123456789012:root","Arn"')),
      'a second Arn elsewhere': wrapped({ ...whole, Arn: 'arn:aws:iam::123456789012:root' }),
      'a second result': text(body => body.replace('"GetCallerIdentityResult"', '"GetCallerIdentityResult":{},"GetCallerIdentityResult"')),
      'a list of Arns': answer({ ...good, Arn: [user.arn, user.arn] }),
      'no Arn': answer({ Account: account, UserId: 'AIDA' }),
      'a further member': answer({ ...good, Name: 'x' }),
      'an account that is none': answer({ ...good, Account: '12' }),
      'an account that is a number': answer({ ...good, Account: 123456789012 }),
      'the answer of another action': wrapped({ AssumeRoleResult: good, ResponseMetadata: whole.ResponseMetadata }),
      XML: { status: 200, headers: { 'content-type': 'text/xml' }, body: '<GetCallerIdentityResponse/>' },
      nothing: { status: 200, body: '' },
      'another success': { ...answer(good), status: 201 },
      'more than is read': { status: 200, body: JSON.stringify({ pad: 'x'.repeat(70_000) }) },
      throttling: refusal(400, 'Throttling'),
      'throttling in another word': refusal(400, 'ThrottlingException'),
      'a limit': refusal(400, 'RequestLimitExceeded'),
      'too many requests': { status: 429, body: '' },
      'an outage': { status: 503, body: 'upstream' },
      'a refusal without a reason': { status: 403, body: '<html>proxy</html>' },
      'a failure of its own': refusal(500, 'InternalFailure'),
      'not found': { status: 404, body: '{}' },
    }
    for (const [name, other] of Object.entries(answers)) {
      it(`when AWS answers with ${name}`, async () => {
        sts.instead = () => other
        for (const token of [encodeRequest(await request()), await url()]) {
          const failure = await prove(token).catch(error => error)
          expect(failure).to.be.instanceOf(Outage)
          expect(failure.message).to.equal('AWS cannot be asked now who signed the request')
        }
        expect(sts.received, 'nothing is followed').to.have.length(2)
      })
    }
    it('when AWS cannot be reached, and tells the log no more than where', async () => {
      const away = await processorOf(
        awsCallerIdentity,
        { accounts: [account] },
        { fetch: () => Promise.reject(new Error('GET https://x/: gone')) },
      )
      const failure = await prove(await url(), away).catch(error => error)
      expect(failure).to.be.instanceOf(Outage)
    })
  })

  describe('in a policy test', () => {
    const assumed = (says: JsonObject) => processor.assume({ says, audience: ownIssuer, id: 'test-1', now })
    it('proves what a real one does', async () => {
      const { id: _, ...real } = await prove(encodeRequest(await request()))
      const { id, ...proof } = assumed({ arn: deployer.arn, userId: deployer.userId })
      expect(proof).to.deep.equal(real)
      expect(id).to.be.a('string')
      expect(assumed({ arn: user.arn, signedAt: '-2m' })).to.include({ issuedAt: now - 120, expiresAt: now + 780 })
    })
    it('is refused for the same account', () => {
      expect(() => assumed({ arn: stranger.arn })).to.throw(TokenRejected, /account that is not accepted/)
    })
    it('has nothing else to say', () => {
      expect(() => assumed({})).to.throw(AssumptionMistake)
      expect(() => assumed({ arn: 'alice' })).to.throw(AssumptionMistake, /no role/)
      expect(() => assumed({ arn: user.arn, role: 'Deploy' })).to.throw(AssumptionMistake, /unknown member "role"/)
      expect(() => assumed({ arn: user.arn, signedAt: 'yesterday' })).to.throw(AssumptionMistake, /expected a time/)
    })
  })

  describe('its file', () => {
    const problemsOf = async (file: object) => (await build(awsCallerIdentity, file)).problems
    it('names accounts', async () => {
      expect(await problemsOf({})).to.have.length(1)
      expect((await problemsOf({ accounts: [] }))[0]).to.match(/^accounts: /)
      expect((await problemsOf({ accounts: ['12345678901'] }))[0]).to.match(/^accounts.0: expected the number of an account/)
      expect((await problemsOf({ accounts: [account, account] }))[0]).to.match(/^accounts.1: .*twice/)
    })
    it('names regions of the table, of one partition', async () => {
      expect((await problemsOf({ accounts: [account], regions: ['eu-central-9'] }))[0]).to.match(/^regions.0: /)
      expect(await problemsOf({ accounts: [account], regions: ['eu-west-1', 'cn-north-1'] })).to.deep.equal([
        'regions: are of several partitions (aws, aws-cn)',
      ])
    })
    it('has no way to name another endpoint, or to take a request twice', async () => {
      for (const member of ['endpoint', 'url', 'allowPrivateNetwork', 'once', 'audiences', 'maxLifetime'])
        expect((await problemsOf({ accounts: [account], [member]: true }))[0]).to.match(new RegExp(`unknown member "${member}"`))
    })
    it('takes a request for a quarter of an hour at most', async () => {
      expect((await problemsOf({ accounts: [account], maxAge: '16m' }))[0]).to.match(/^maxAge: must be at most "15m"/)
    })
    it('warns of a name that others may have, too', async () => {
      const { processor: named, warnings } = await build(awsCallerIdentity, { accounts: [account], serverId: 'production' })
      expect(warnings).to.deep.equal(['server-id-not-unique serverId'])
      expect(named?.audiences).to.deep.equal(['production'])
      expect((await build(awsCallerIdentity, { accounts: [account], serverId: 'https://sts.example.com/aws' })).warnings).to.deep.equal([])
    })
    it('takes other partitions where it names their regions', async () => {
      const chinese = { ...user, arn: `arn:aws-cn:iam::${account}:user/bob` }
      const rig = await startSts([chinese], () => now)
      try {
        const there = await processorOf(awsCallerIdentity, { accounts: [account], regions: ['cn-north-1'] }, { fetch: rig.fetch })
        const token = await url({ caller: chinese, region: 'cn-north-1', host: 'sts.cn-north-1.amazonaws.com.cn' })
        expect((await prove(token, there)).subject).to.equal(chinese.arn)
      } finally {
        await rig.close()
      }
    })
  })
})

function withHeader(name: string, value: string) {
  return (signed: Aws4Request) => ({
    ...signed,
    headers: signed.headers.map(header => (header.key === name ? { key: name, value } : header)),
  })
}

function withAuthorization(change: (text: string) => string) {
  return (signed: Aws4Request) => ({
    ...signed,
    headers: signed.headers.map(header => (header.key === 'authorization' ? { key: header.key, value: change(header.value) } : header)),
  })
}

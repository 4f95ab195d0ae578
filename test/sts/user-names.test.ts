import { expect } from 'chai'
import { security } from '../../src/sts/names.ts'
import { types } from '../support/oauth.ts'
import { answered, ask, assertionIn, binary, faulted, passwordOf, trustServerFor, userName } from './asking.ts'

const path = '/sts/users'
/** A UsernameToken that declares its namespaces itself. */
const held = (name: string, password = passwordOf(name), more = '') =>
  userName(name, password, more).replace(
    '<wsse:UsernameToken',
    `<wsse:UsernameToken xmlns:wsse="${security.wsse}" xmlns:wsu="${security.wsu}"`,
  )

describe('a UsernameToken as the token itself', () => {
  const at = trustServerFor()
  const reason = () => (at.lastRecord().refusal as { reason: string } | undefined)?.reason

  it('is taken in OnBehalfOf, beside a caller by HTTP Basic or by another UsernameToken', async () => {
    expect(assertionIn(await answered(at, { path, subject: held('alice') }))).to.include('<saml:NameID>alice</saml:NameID>')
    await answered(at, { path, client: undefined, subject: held('alice'), security: userName('gateway') })
    expect(at.lastRecord()).to.deep.include({ client: 'gateway', subject: { iss: 'urn:users', sub: 'alice' } })
  })

  it('and in the security header, where the caller uses HTTP Basic', async () => {
    const security = userName('alice', passwordOf('alice'))
    expect(assertionIn(await answered(at, { path, holder: 'none', security }))).to.include('<saml:NameID>alice</saml:NameID>')
  })

  it('a password that is hashed slowly is taken too', async () => {
    await answered(at, { path, subject: held('slow') })
    await answered(at, { path, subject: held('slow') })
  })

  it('leaves no digest of a password in the record, which could be guessed', async () => {
    await answered(at, { path, subject: held('alice') })
    expect(at.lastRecord().subjectToken).to.deep.equal({ type: 'username' })
  })

  it('is refused with a wrong password or name, both alike; Validate calls it invalid', async () => {
    const texts = new Set<string>()
    for (const subject of [held('alice', 'wrong'), held('nobody', 'wrong')]) {
      const { text } = await faulted(at, { path, subject }, 'wst:FailedAuthentication')
      texts.add(text.replace(/reference [^)]*/, ''))
      expect(reason()).to.equal('subject-token-rejected')
    }
    expect(texts).to.have.property('size', 1)
    expect(await answered(at, { path, operation: 'Validate', subject: held('alice') })).to.include('/status/valid<')
    expect(await answered(at, { path, operation: 'Validate', subject: held('alice', 'wrong') })).to.include('/status/invalid<')
  })

  it('a client is no user, and a user no client', async () => {
    await faulted(at, { path, subject: userNameOfClient() }, 'wst:FailedAuthentication')
    await faulted(
      at,
      { path, client: undefined, subject: held('alice'), security: userName('alice', passwordOf('alice')) },
      'wsse:FailedAuthentication',
    )
  })
  const userNameOfClient = () => held('gateway', 'secret-of-gateway-0123456789abcdefghijklmnopqrstuvwxyz')

  it('guesses are slowed down, without locking out the client of that name', async () => {
    for (let count = 0; count < 10; count++) await ask(at, { path, subject: held('gateway', 'a guess') })
    await faulted(at, { path, subject: held('gateway', 'a guess') }, 'wsse:FailedAuthentication')
    expect(reason()).to.equal('too-many-attempts')
    await answered(at, { path, client: undefined, subject: held('alice'), security: userName('gateway') })
  })

  it('no other form of it is taken, and nothing else where it is wanted', async () => {
    const asJson = JSON.stringify({ name: 'alice', password: passwordOf('alice') })
    await faulted(at, { path, subject: binary(asJson) }, 'wsse:UnsupportedSecurityToken')
    await faulted(at, { path: '/sts/people', subject: held('alice') }, 'wsse:UnsupportedSecurityToken')
    expect((await at.exchange({ subject_token: asJson, subject_token_type: 'username' })).status).to.equal(400)
    expect((await at.exchange({ subject_token: asJson, subject_token_type: types.jwt })).status).to.equal(400)
  })
})

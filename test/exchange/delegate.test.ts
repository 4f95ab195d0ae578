import { expect } from 'chai'
import { type Files, issuer, patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import type { Parameters } from '../support/running-server.ts'
import { serverFor, withServer } from '../support/world.ts'

const people = 'https://people.example'
const agents = 'https://agents.example'
const robot = { iss: agents, sub: 'robot' }

/** A chain of so many actors, the last one outermost. */
function chain(length: number): object | undefined {
  return length === 0 ? undefined : { iss: agents, sub: `actor-${length}`, ...(length > 1 && { act: chain(length - 1) }) }
}

describe('delegation', () => {
  const at = serverFor(withSelves)

  /** The exchange of a token of `alice` with an actor token that is hers. */
  const herself = async (subject: object = {}): Promise<Parameters> => ({
    subject_token: await at.person({ ...subject }),
    actor_token: await at.person(),
    actor_token_type: 'urn:example:person',
  })

  describe('without an actor token is impersonation', () => {
    it('and makes no act', async () => {
      expect((await at.issued()).claims).to.not.have.property('act')
    })

    it('and keeps an act that is there', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: robot }) })
      expect(claims.act).to.deep.equal(robot)
    })

    it('and keeps a whole chain', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: chain(4) }) })
      expect(claims.act).to.deep.equal(chain(4))
    })
  })

  describe('with an actor token', () => {
    it('names the actor by iss and sub, as its proof does', async () => {
      const { claims } = await at.issued(await at.withActor({ email: 'robot@example.com', groups: ['x'], scope: 'admin' }))
      expect(claims.act).to.deep.equal(robot)
      expect(claims.sub).to.equal('alice')
    })

    it('puts the actor around those of the subject token', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: chain(2) }), ...(await at.withActor()) })
      expect(claims.act).to.deep.equal({ ...robot, act: chain(2) })
    })

    it('names an actor that is a token of this server by this server', async () => {
      const actor_token = await at.own({ subject_token: await at.person({ sub: 'bob' }) })
      const { claims } = await at.issued({ actor_token, actor_token_type: types.accessToken })
      expect(claims.act).to.deep.equal({ iss: issuer, sub: 'bob' })
    })

    it('chains over several exchanges, the current actor outermost', async () => {
      const first = await at.own(await at.withActor({ sub: 'first' }))
      const second = await at.own({ ...at.ownAs(first), ...(await at.withActor({ sub: 'second' })) })
      const { claims } = await at.issued({ ...at.ownAs(second), ...(await at.withActor({ sub: 'third' })) })
      expect(claims.act).to.deep.equal({
        ...{ iss: agents, sub: 'third' },
        act: { iss: agents, sub: 'second', act: { iss: agents, sub: 'first' } },
      })
      expect(claims.sub).to.equal('alice')
    })

    it('adds none that is the subject itself', async () => {
      expect((await at.issued(await herself())).claims).to.not.have.property('act')
      expect((await at.issued(await herself({ act: robot }))).claims.act).to.deep.equal(robot)
    })

    it('adds one that only has the name of the subject', async () => {
      const { claims } = await at.issued(await at.withActor({ sub: 'alice' }))
      expect(claims.act).to.deep.equal({ iss: agents, sub: 'alice' })
    })

    it('nests none that is the outermost already', async () => {
      const act = { ...robot, act: { iss: agents, sub: 'first' } }
      const { claims } = await at.issued({ subject_token: await at.person({ act }), ...(await at.withActor()) })
      expect(claims.act).to.deep.equal(act)
    })

    it('nests one that acted earlier, or has the name of the outermost at another issuer', async () => {
      const earlier = { iss: agents, sub: 'second', act: robot }
      const again = await at.issued({ subject_token: await at.person({ act: earlier }), ...(await at.withActor()) })
      expect(again.claims.act).to.deep.equal({ ...robot, act: earlier })
      const namesake = await at.issued({
        subject_token: await at.person({ act: { iss: people, sub: 'robot' } }),
        ...(await at.withActor()),
      })
      expect(namesake.claims.act).to.deep.equal({ ...robot, act: { iss: people, sub: 'robot' } })
    })

    it('refuses an actor for whom somebody acts: that chain would be lost', async () => {
      await at.refused(await at.withActor({ act: { sub: 'somebody' } }), 'invalid_request', /actor-token-rejected/)
    })

    it('does not take the subject from the actor', async () => {
      const { record } = await at.issued(await at.withActor())
      expect(record).to.deep.include({ subject: { iss: people, sub: 'alice' }, actor: robot, act: robot })
    })
  })

  describe('shows act', () => {
    it('in introspection of a JWT and of a reference token', async () => {
      for (const audience of ['api', 'billing']) {
        const token = await at.own({ ...(await at.withActor()), audience })
        expect((await at.introspect(token)).act).to.deep.equal(robot)
      }
    })

    it('in the audit record', async () => {
      const { record } = await at.issued({ subject_token: await at.person({ act: chain(1) }), ...(await at.withActor()) })
      expect(record.act).to.deep.equal({ ...robot, act: chain(1) })
    })

    it('to the expressions of the target', async () => {
      const { claims } = await at.issued({ ...(await at.withActor()), audience: 'shown' })
      expect(claims.shown).to.equal('robot')
      expect((await at.issued({ audience: 'shown' })).claims.shown).to.equal('nobody')
    })
  })

  describe('is limited in depth', () => {
    it('to four actors', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: chain(3) }), ...(await at.withActor()) })
      expect(claims.act).to.deep.equal({ ...robot, act: chain(3) })
    })

    it('and refuses more, never cuts them off', async () => {
      const deep = await at.person({ act: chain(4) })
      await at.refused({ subject_token: deep, ...(await at.withActor()) }, 'invalid_request', /delegation-refused: .*longer than 4/)
    })

    it('also where the subject token brings more and nobody is added', async () => {
      await at.refused({ subject_token: await at.person({ act: chain(5) }) }, 'invalid_request', /delegation-refused/)
      await at.refused(await herself({ act: chain(5) }), 'invalid_request', /delegation-refused/)
    })

    it('but takes an actor that is not nested again', async () => {
      const act = { ...robot, act: chain(3) }
      const { claims } = await at.issued({ subject_token: await at.person({ act }), ...(await at.withActor()) })
      expect(claims.act).to.deep.equal(act)
    })

    it('that the server says', async () => {
      await withServer(
        files => patched(files, { 'server.json': { delegation: { maxDepth: 1 } } }),
        async world => {
          await world.issued(await world.withActor())
          await world.refused(
            { subject_token: await world.person({ act: chain(1) }), ...(await world.withActor()) },
            'invalid_request',
            /longer than 1/,
          )
        },
      )
    })
  })

  describe('an act that a subject token brings', () => {
    it('gets the issuer of the token where it names none, at every depth', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: { sub: 'x', act: { sub: 'y', iss: 'https://z' } } }) })
      expect(claims.act).to.deep.equal({ iss: people, sub: 'x', act: { iss: 'https://z', sub: 'y' } })
    })

    it('keeps what else identifies the actor', async () => {
      const { claims } = await at.issued({ subject_token: await at.person({ act: { ...robot, client_id: 'c' } }) })
      expect(claims.act).to.deep.equal({ ...robot, client_id: 'c' })
    })

    for (const act of ['x', 7, true, null, [], [robot], {}, { iss: agents }, { sub: '' }, { sub: 7 }, { sub: null }, { sub: ['x'] }]) {
      it(`is refused where it is ${JSON.stringify(act)}`, async () => {
        await at.refused({ subject_token: await at.person({ act }) }, 'invalid_request', /subject-token-rejected: .*act claim/)
        await at.refused(
          { subject_token: await at.person({ act: { ...robot, act } }) },
          'invalid_request',
          /subject-token-rejected: .*act claim/,
        )
        await at.refused({ subject_token: await at.person({ act }), ...(await at.withActor()) }, 'invalid_request', /act claim/)
      })
    }

    for (const iss of [7, null, {}, []]) {
      it(`is refused where its iss is ${JSON.stringify(iss)}`, async () => {
        await at.refused({ subject_token: await at.person({ act: { sub: 'x', iss } }) }, 'invalid_request', /act claim/)
      })
    }

    for (const member of ['exp', 'nbf', 'aud']) {
      it(`is refused where it has ${member}, at any depth`, async () => {
        const act = { ...robot, [member]: 1_900_000_000 }
        await at.refused({ subject_token: await at.person({ act }) }, 'invalid_request', /act claim/)
        await at.refused({ subject_token: await at.person({ act: { ...robot, act } }) }, 'invalid_request', /act claim/)
        await at.refused({ subject_token: await at.person({ act: { ...robot, [member]: null } }) }, 'invalid_request', /act claim/)
      })
    }
  })

  describe('may_act of the subject token', () => {
    const subject = async (may_act: unknown) => ({ subject_token: await at.person({ may_act }) })
    const refusal = /delegation-refused: the may_act claim/

    it('lets the actor in that it names', async () => {
      await at.issued({ ...(await subject(robot)), ...(await at.withActor()) })
    })

    it('keeps every other actor out', async () => {
      await at.refused({ ...(await subject(robot)), ...(await at.withActor({ sub: 'other' })) }, 'invalid_request', refusal)
      await at.refused({ ...(await subject({ ...robot, sub: 'Robot' })), ...(await at.withActor()) }, 'invalid_request', refusal)
      await at.refused({ ...(await subject({ ...robot, iss: people })), ...(await at.withActor()) }, 'invalid_request', refusal)
      await at.refused({ ...(await subject({ ...robot, iss: `${agents}/` })), ...(await at.withActor()) }, 'invalid_request', refusal)
    })

    it('means the issuer of the subject token where it names none', async () => {
      await at.refused({ ...(await subject({ sub: 'robot' })), ...(await at.withActor()) }, 'invalid_request', refusal)
      const actor = { actor_token: await at.person({ sub: 'robot' }), actor_token_type: 'urn:example:person' }
      const { claims } = await at.issued({ ...(await subject({ sub: 'robot' })), ...actor })
      expect(claims.act).to.deep.equal({ iss: people, sub: 'robot' })
    })

    it('means nobody else where it names only an issuer', async () => {
      await at.issued({ ...(await subject({ iss: agents })), ...(await at.withActor()) })
      await at.refused({ ...(await subject({ iss: people })), ...(await at.withActor()) }, 'invalid_request', refusal)
    })

    it('wants every member of it', async () => {
      const wanted = { ...robot, email: 'robot@example.com', groups: ['a', 'b'] }
      await at.issued({ ...(await subject(wanted)), ...(await at.withActor({ email: 'robot@example.com', groups: ['a', 'b'] })) })
      for (const claims of [{}, { email: 'robot@example.com' }, { email: 'robot@example.com', groups: ['b', 'a'] }, { email: 7 }]) {
        await at.refused(
          { ...(await subject(wanted)), ...(await at.withActor({ groups: undefined, ...claims })) },
          'invalid_request',
          refusal,
        )
      }
    })

    it('wants a member that nothing has, whatever objects have by nature', async () => {
      for (const name of ['unknown', 'toString', '__proto__', 'constructor']) {
        const may_act = JSON.parse(`{"iss":"${agents}","sub":"robot","${name}":{}}`)
        await at.refused({ ...(await subject(may_act)), ...(await at.withActor()) }, 'invalid_request', refusal)
      }
    })

    for (const may_act of ['robot', 7, true, null, [], [robot], {}]) {
      it(`lets nobody in where it is ${JSON.stringify(may_act)}`, async () => {
        await at.refused({ ...(await subject(may_act)), ...(await at.withActor()) }, 'invalid_request', refusal)
        await at.refused(await subject(may_act), 'invalid_request', refusal)
      })
    }

    it('holds for the client where there is no actor token', async () => {
      const client = { iss: issuer, sub: 'gateway' }
      await at.issued(await subject(client))
      await at.issued(await subject({ ...client, client_id: 'gateway' }))
      await at.issued(await subject({ iss: issuer, client_id: 'gateway' }))
      await at.refused(await subject(client), 'invalid_request', refusal, 'stranger')
      await at.refused(await subject({ ...client, client_id: 'stranger' }), 'invalid_request', refusal)
      await at.refused(await subject({ ...client, email: 'x' }), 'invalid_request', refusal)
      await at.refused(await subject(robot), 'invalid_request', refusal)
    })

    it('names no client of ours where it names no issuer: its names are those of the other server', async () => {
      await at.refused(await subject({ sub: 'gateway' }), 'invalid_request', refusal)
      await at.refused(await subject({ client_id: 'gateway' }), 'invalid_request', refusal)
    })

    it('names the actor and not the client where there is an actor token', async () => {
      await at.refused({ ...(await subject({ iss: issuer, sub: 'gateway' })), ...(await at.withActor()) }, 'invalid_request', refusal)
    })

    it('names an actor that is the subject itself too', async () => {
      await at.refused({ ...(await herself()), ...(await subject(robot)) }, 'invalid_request', refusal)
      await at.issued({ ...(await herself()), ...(await subject({ sub: 'alice' })) })
    })

    it('of the actor token says nothing', async () => {
      await at.issued(await at.withActor({ may_act: { sub: 'nobody' } }))
    })

    it('is not copied into the new token', async () => {
      const { claims } = await at.issued({ ...(await subject(robot)), ...(await at.withActor()) })
      expect(claims).to.not.have.property('may_act')
    })

    it('is in the new token where it is mapped, and is then enforced here', async () => {
      const parameters = { ...(await subject({ iss: issuer, sub: 'gateway' })), audience: 'mapped' }
      const { token, claims } = await at.issued({ ...parameters, subject_token_type: 'urn:example:mapped' })
      expect(claims.may_act).to.deep.equal({ sub: 'gateway' })
      expect((await at.introspect(token)).may_act).to.deep.equal({ sub: 'gateway' })
      await at.issued(at.ownAs(token), 'gateway')
      await at.refused(at.ownAs(token), 'invalid_request', refusal, 'api')
      await at.refused({ ...at.ownAs(token), ...(await at.withActor()) }, 'invalid_request', refusal)
    })
  })
})

describe('whether a policy takes an actor token', () => {
  const withActorToken = (actorToken: string, keep: (mapping: { actorTokenType?: string }) => boolean) => (files: Files) => {
    const { processors } = files['policies/processor-policies/people.json'] as { processors: Array<{ actorTokenType?: string }> }
    return patched(files, { 'policies/processor-policies/people.json': { actorToken, processors: processors.filter(keep) } })
  }

  it('"required": not without one', async () => {
    await withServer(
      withActorToken('required', ({ actorTokenType }) => actorTokenType !== undefined),
      async at => {
        await at.issued(await at.withActor())
        await at.refused({}, 'invalid_request', /no-mapping: the policy requires an actor_token/)
      },
    )
  })

  it('"refused": not with one', async () => {
    await withServer(
      withActorToken('refused', ({ actorTokenType }) => actorTokenType === undefined),
      async at => {
        await at.issued()
        await at.refused(await at.withActor(), 'invalid_request', /no-mapping: the policy takes no actor_token/)
      },
    )
  })

  it('"optional": each pair by its own mapping, exactly', async () => {
    await withServer(
      files => files,
      async at => {
        expect((await at.issued()).record.mapping).to.equal('processors[0]')
        expect((await at.issued(await at.withActor())).record.mapping).to.equal('processors[1]')
        const own = { actor_token: await at.own(), actor_token_type: types.accessToken }
        expect((await at.issued(own)).record.mapping).to.equal('processors[2]')
        await at.refused({ ...own, actor_token_type: types.idToken }, 'invalid_request', /no-mapping/)
        await at.refused({ ...own, ...at.ownAs(await at.own()) }, 'invalid_request', /no-mapping/)
        for (const subject_token_type of [`${types.jwt} `, types.jwt.toUpperCase(), 'jwt', 'urn:params:oauth:token-type:jwt']) {
          await at.refused({ subject_token_type }, 'invalid_request', /no-mapping/)
        }
      },
    )
  })
})

/** With an actor token that may be the subject's own, a target that reads `act`, and one that passes `may_act` on. */
function withSelves(files: Files): Files {
  const policy = files['policies/processor-policies/people.json'] as {
    processors: Array<{ attributes: object }>
    issues: Array<{ attributes: object }>
  }
  const [usual] = policy.processors
  const api = files['policies/access-token-managers/api.json'] as { contract: object }
  const allowed = { type: ['object', 'null'] }
  const manager = (name: string, contract: object) => ({
    [`policies/access-token-managers/${name}.json`]: {
      ...api,
      resources: [],
      audiences: [name],
      contract: { ...api.contract, ...contract },
    },
  })
  return patched(files, {
    ...manager('shown', { shown: { type: 'string' } }),
    ...manager('mapped', { may_act: allowed }),
    'policies/token-processors/own.json': { accessTokenManagers: ['api', 'opaque', 'wide', 'mapped'] },
    'policies/processor-policies/people.json': {
      contract: { allowed },
      processors: [
        ...policy.processors.map(mapping => ({ ...mapping, attributes: { ...mapping.attributes, allowed: 'null' } })),
        {
          ...usual,
          ...{ actorTokenType: 'urn:example:person', actorTokenProcessor: 'people' },
          attributes: { ...usual?.attributes, allowed: 'null' },
        },
        { ...usual, subjectTokenType: 'urn:example:mapped', attributes: { ...usual?.attributes, allowed: "{'sub': 'gateway'}" } },
      ],
      issues: [
        ...policy.issues,
        { accessTokenManager: 'shown', attributes: { ...policy.issues[0]?.attributes, shown: "act == null ? 'nobody' : act.sub" } },
        {
          accessTokenManager: 'mapped',
          attributes: { ...policy.issues[0]?.attributes, may_act: 'has(policy.allowed) ? policy.allowed : null' },
        },
      ],
    },
  })
}

import { expect } from 'chai'
import fc from 'fast-check'
import {
  assertion11,
  assertion20,
  attribute,
  attributeStatement,
  authnStatement,
  makeSigner,
  response20,
  signed,
  subject,
  unsigned,
} from '../saml/forge.ts'
import { patched } from '../support/configuration.ts'
import { types } from '../support/oauth.ts'
import { fromAssertion, samlServerFor, withMappings } from '../support/saml.ts'
import { expectError, expectTokenAnswer } from '../support/world.ts'

const idp = makeSigner()
const rest = authnStatement() + attributeStatement(attribute('groups', 'app-orders', 'staff'))
const documents = {
  [types.saml2]: signed(assertion20({ id: '_original', rest }), idp),
  [types.saml1]: signed(assertion11(), idp),
  'urn:example:wrapped': unsigned(response20(signed(assertion20({ rest }), idp))),
} as const
const kinds = Object.keys(documents) as Array<keyof typeof documents>

/** What an attacker would put in: markup, names of ours, and things that parsers disagree about. */
const insertions = [
  '<!-- -->',
  '<?x?>',
  '<![CDATA[x]]>',
  '&#65;',
  '&amp;',
  '&lt;',
  ' ',
  '\n',
  '\r',
  '\t',
  '\0',
  '\uFEFF',
  '\u2028',
  '<x/>',
  '<saml:NameID>admin</saml:NameID>',
  '<saml:Advice></saml:Advice>',
  '<ds:Object></ds:Object>',
  ' xmlns:x="urn:x"',
  ' Id="_original"',
  ' xml:space="preserve"',
  '<!DOCTYPE x>',
  unsigned(assertion20({ subject: subject('admin') })),
]

/** One change of a text. */
const change = fc.oneof(
  fc.record({
    kind: fc.constant('insert' as const),
    at: fc.nat(),
    text: fc.oneof(fc.constantFrom(...insertions), fc.string({ minLength: 1, maxLength: 3 })),
  }),
  fc.record({ kind: fc.constant('delete' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constant('replace' as const), at: fc.nat(), text: fc.string({ minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('move' as const), at: fc.nat(), length: fc.integer({ min: 1, max: 400 }), to: fc.nat() }),
  fc.record({
    kind: fc.constant('rename' as const),
    at: fc.constantFrom('alice', 'bearer', 'saml', 'ds', 'Issuer', 'Subject', '2.0', '#', '_'),
    text: fc.string({ maxLength: 5 }),
  }),
)

function applied(text: string, one: typeof change extends fc.Arbitrary<infer Change> ? Change : never): string {
  if (one.kind === 'rename') return text.replaceAll(one.at, () => one.text)
  const at = one.at % text.length
  if (one.kind === 'insert') return text.slice(0, at) + one.text + text.slice(at)
  if (one.kind === 'replace') return text.slice(0, at) + one.text + text.slice(at + one.text.length)
  const without = text.slice(0, at) + text.slice(at + one.length)
  if (one.kind === 'delete') return without
  const to = one.to % (without.length + 1)
  return without.slice(0, to) + text.slice(at, at + one.length) + without.slice(to)
}

describe('mutated assertions at the token endpoint', () => {
  const at = samlServerFor(idp, files =>
    withMappings(
      patched(files, {
        'policies/token-processors/wrapped.json': { ...(files['policies/token-processors/partner.json'] as object), acceptResponse: true },
      }),
      [{ subjectTokenType: 'urn:example:wrapped', subjectTokenProcessor: 'wrapped', attributes: fromAssertion }],
    ),
  )
  const send = (subject_token_type: string, document: string | Buffer) =>
    at.exchange({ subject_token: Buffer.from(document).toString('base64url'), subject_token_type })

  /**
   * Some changes leave the canonical form as it was (a space within a tag, `&#65;` for a letter, a line end behind the root). Whatever
   * is taken must prove exactly what was signed.
   */
  const expectRefusedOr = async (type: string, document: string | Buffer, original: Record<string, unknown>) => {
    const answer = await send(type, document)
    expectTokenAnswer(answer)
    if (answer.status === 200) {
      const { sub, email, groups } = claimsOf(answer.json.access_token)
      expect({ sub, email, groups }).to.deep.equal(original)
      return true
    }
    expectError(answer, 'invalid_request')
    return false
  }
  const claimsOf = (token: unknown) => JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString())
  const originalOf = async (type: keyof typeof documents) => {
    const { sub, email, groups } = claimsOf((await send(type, documents[type])).json.access_token)
    expect(sub).to.equal('alice')
    return { sub, email, groups }
  }

  for (const type of kinds) {
    it(`${type}: a changed text is refused, or proves what was signed; it never breaks anything`, async () => {
      const original = await originalOf(type)
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
          const mutated = changes.reduce((text, one) => applied(text, one), documents[type])
          fc.pre(mutated !== documents[type])
          await expectRefusedOr(type, mutated, original)
        }),
        { numRuns: 250 },
      )
    })

    it(`${type}: a letter or digit of a text or value is never changed with impunity`, async () => {
      const document = documents[type]
      // Whatever stands in the assertion itself is signed, down to the last letter; a Response around it is not.
      const start = document.indexOf('<saml:Assertion')
      const end = document.indexOf('</saml:Assertion>')
      const places = [...document.slice(0, end).matchAll(/[A-Za-z0-9]/g)].map(({ index }) => index).filter(index => index > start)
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...places), fc.constantFrom(...'abcxyzABCXYZ0189'), async (index, letter) => {
          fc.pre(document[index] !== letter)
          const answer = await send(type, document.slice(0, index) + letter + document.slice(index + 1))
          expectError(answer, 'invalid_request')
        }),
        { numRuns: 250 },
      )
    })

    it(`${type}: a flipped bit of the bytes is refused, or proves what was signed`, async () => {
      const original = await originalOf(type)
      const bytes = Buffer.from(documents[type])
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (index, bit) => {
          const flipped = Buffer.from(bytes)
          flipped[index] = (flipped[index] ?? 0) ^ (1 << bit)
          await expectRefusedOr(type, flipped, original)
        }),
        { numRuns: 150 },
      )
    })
  }

  it('arbitrary bytes and texts are refused', async () => {
    const original = {}
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...kinds), fc.oneof(fc.string(), fc.uint8Array()), async (type, data) => {
        expect(await expectRefusedOr(type, Buffer.from(data as string), original)).to.equal(false)
      }),
      { numRuns: 150 },
    )
  })
}).timeout(120_000)

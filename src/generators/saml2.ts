import { z } from 'zod'
import { lifetime, strict, webAddress } from '../config/values.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import type { Instant } from '../outside.ts'
import { pluginKind } from '../plugin.ts'
import type { Actor } from '../processors/processor.ts'
import type { Delegate } from '../saml/assertion-content.ts'
import { writeSaml2 } from '../saml/write-saml2.ts'
import { contextClass } from './authentication.ts'
import { allows, inherited } from './proxy-restriction.ts'
import { samlContract } from './saml-attributes.ts'
import { encryptionSettings, sealFor } from './saml-encryption.ts'
import { samlGenerator } from './saml-generator.ts'
import { samlSettings, subjectSettings } from './saml-settings.ts'
import type { TokenGenerator } from './token-generator.ts'

const nonEmpty = z.string().min(1)

const subject = strict({
  ...subjectSettings,
  spNameQualifier: nonEmpty.optional().meta({ description: 'The service for which the name was made' }),
  recipient: webAddress.optional().meta({ description: 'The address that the assertion is to be presented at' }),
  lifetime: lifetime.optional().meta({ description: 'How long the assertion can be presented (absent: as long as it lives)' }),
})

const attributeNames = strict({
  name: nonEmpty.optional().meta({ description: 'Name in the assertion; absent: that in the contract' }),
  nameFormat: nonEmpty.optional().meta({ description: 'NameFormat, a URI' }),
  friendlyName: nonEmpty.optional().meta({ description: 'FriendlyName, for people' }),
})

const shape = {
  ...samlSettings,
  subject: subject.prefault({}),
  attributeNameFormat: nonEmpty.optional().meta({ description: 'The NameFormat of attributes that have none of their own' }),
  delegation: z
    .literal('condition')
    .optional()
    .meta({ description: '"condition" writes who acts for the subject as a delegation restriction, which receivers have to know' }),
  encryption: encryptionSettings.optional().meta({ description: 'For whom assertions are encrypted' }),
  contract: samlContract(attributeNames),
}

/** SAML 2.0 assertions, signed and as an option encrypted (SAML Core §2.3). */
export const saml2 = pluginKind('saml2', shape, (settings, parts): TokenGenerator => {
  const { recipient, confirmation, lifetime: presentable = Number.POSITIVE_INFINITY } = settings.subject
  if (confirmation === 'bearer' && recipient === undefined)
    parts.warn('bearer-without-recipient', ['subject'], 'whoever has such an assertion can present it anywhere; name the "recipient"')
  // Nothing confirms the data of sender-vouches but its sender (SAML Profiles §3.2).
  const timed = confirmation !== 'sender-vouches' || settings.subject.lifetime !== undefined
  return samlGenerator(settings, parts, {
    version: '2.0',
    type: 'saml2',
    tokenType: tokenTypes.saml2,
    expressesActor: settings.delegation === 'condition',
    nameOf: (key, { saml }) => ({ name: key, qualifier: settings.attributeNameFormat, ...named(saml as Annotation) }),
    authenticatedBy: contextClass,
    confirmationOf: ({ expiresBy, now }) => ({ recipient, notOnOrAfter: timed ? earliest(expiresBy, now + presentable) : undefined }),
    permits: allows,
    restrictionsOf: ({ proxyRestriction, delegation: { act } }) => ({
      proxyRestriction: proxyRestriction && inherited(proxyRestriction),
      delegates: settings.delegation === 'condition' ? fromTheFirst(act) : [],
    }),
    write: writeSaml2,
    seal: sealFor(settings.encryption, parts),
  })
})

type Annotation = z.output<typeof attributeNames> | undefined

function named({ name, nameFormat, friendlyName }: NonNullable<Annotation> = {}) {
  return { ...(name && { name }), ...(nameFormat && { qualifier: nameFormat }), ...(friendlyName && { friendlyName }) }
}

function earliest(...instants: readonly Instant[]): Instant {
  return Math.min(...instants)
}

// The claim has the present actor outside (RFC 8693 §4.1), the condition has it last.
function fromTheFirst(act: Actor | undefined): Delegate[] {
  return act === undefined ? [] : [...fromTheFirst(act.act), { iss: act.iss, sub: act.sub }]
}

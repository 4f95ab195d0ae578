import { z } from 'zod'
import { strict } from '../config/values.ts'
import { OAuthError } from '../oauth/errors.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { pluginKind, SettingProblem } from '../plugin.ts'
import type { AssertionContent } from '../saml/assertion-content.ts'
import type { UnsignedAssertion } from '../saml/sign.ts'
import { writeSaml11 } from '../saml/write-saml11.ts'
import { authenticationMethod } from './authentication.ts'
import { type AttributeName, samlContract } from './saml-attributes.ts'
import { samlGenerator } from './saml-generator.ts'
import { samlSettings, subjectSettings } from './saml-settings.ts'
import type { TokenGenerator } from './token-generator.ts'

const nonEmpty = z.string().min(1)

const attributeNames = strict({
  name: nonEmpty.optional().meta({ description: 'AttributeName; absent: the name in the contract' }),
  namespace: nonEmpty.optional().meta({ description: 'AttributeNamespace; absent: the part of a URI before its last slash' }),
})

const absentOfSubject = {
  recipient: 'SAML 1.1 does not say where an assertion is to be presented',
  lifetime: 'SAML 1.1 has no end of its own for the confirmation',
  spNameQualifier: 'SAML 1.1 has the nameQualifier only',
}
const absent = {
  encryption: 'SAML 1.1 has no encrypted assertions',
  delegation: 'SAML 1.1 has no delegation restriction, but an expression of the mapping can read "act"',
}

const shape = {
  ...samlSettings,
  subject: strict(subjectSettings, absentOfSubject).prefault({}),
  attributeNamespace: nonEmpty.optional().meta({ description: 'The AttributeNamespace of attributes that have none of their own' }),
  contract: samlContract(attributeNames),
}

/** SAML 1.1 assertions, signed (SAML 1.1 Core §2.3.2). */
export const saml11 = pluginKind(
  'saml11',
  shape,
  (settings, parts): TokenGenerator => {
    const attributes = Object.keys(settings.contract).filter(key => !key.startsWith('SAML_'))
    if (attributes.length === 0 && settings.authnStatement !== 'always')
      throw new SettingProblem(
        ['contract'],
        'an assertion of SAML 1.1 has to state something: add an attribute, or say "authnStatement": "always"',
      )
    return samlGenerator(settings, parts, {
      version: '1.1',
      type: 'saml11',
      tokenType: tokenTypes.saml1,
      // There is no condition for it in this version.
      expressesActor: false,
      nameOf: (key, { saml }) => attributeName(key, saml as Annotation, settings.attributeNamespace),
      authenticatedBy: authenticationMethod,
      confirmationOf: () => ({}),
      // SAML 1.1 has no words for a restriction of what is made from an assertion.
      permits: () => false,
      restrictionsOf: () => ({}),
      write: writeStating,
      seal: assertion => assertion,
    })
  },
  absent,
)

type Annotation = z.output<typeof attributeNames> | undefined

// The convention of Windows Identity Foundation: a claim type that is a URI is split at its last slash.
function attributeName(key: string, annotation: Annotation, usual: string | undefined): AttributeName | undefined {
  const { name = key, namespace = usual } = annotation ?? {}
  if (namespace !== undefined) return { name, qualifier: namespace }
  const slash = name.lastIndexOf('/')
  const inPath = URL.canParse(name) && slash > name.indexOf('://') + 2 && slash < name.length - 1
  return inPath ? { name: name.slice(slash + 1), qualifier: name.slice(0, slash) } : undefined
}

// SAML 1.1 Core §2.3.2: at least one statement; the subject alone is none.
function writeStating(content: AssertionContent): UnsignedAssertion {
  if (content.attributes.length === 0 && content.authentication === undefined)
    throw new OAuthError('contract-not-met', 'no attribute and no authentication is known, and SAML 1.1 has to state one')
  return writeSaml11(content)
}

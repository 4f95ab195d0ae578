import { z } from 'zod'
import { distinct, everyFile, type Reference, reference, strict } from '../config/values.ts'
import type { TokenGenerator } from '../generators/token-generator.ts'
import { tokenTypes } from '../oauth/token-types.ts'
import { type Blueprint, type Parts, SettingProblem } from '../plugin.ts'
import type { GeneratorGroup } from './generator-group.ts'
import { nearMiss } from './policy-warnings.ts'
import { isWholeHost, resource } from './resource.ts'
import { tokenType } from './token-type.ts'

const groupSettings = strict({
  ...everyFile,
  resources: distinct(resource).default([]).meta({ description: 'The resources (RFC 8707) that it serves' }),
  audiences: distinct(z.string().min(1)).default([]).meta({ description: 'The logical names that it serves' }),
  generators: z
    .record(tokenType, reference('token-generators'))
    .refine(generators => Object.keys(generators).length > 0, 'must have at least one entry')
    .meta({ description: 'For each requested token type, the generator that makes it' }),
  default: tokenType.meta({ description: 'The token type where none is requested' }),
})
type GroupSettings = z.output<typeof groupSettings>

/** `policies/generator-groups/<id>.json`: resources and requested token type → token generator. */
export const groupFile: z.ZodType<Blueprint<GeneratorGroup>> = groupSettings.transform(settings => ({
  type: 'generator-group',
  settings,
  build: (parts: Parts) => buildGroup(settings, parts),
}))

function buildGroup({ resources, audiences, generators, default: defaultType }: GroupSettings, parts: Parts): GeneratorGroup {
  const entries = Object.entries(generators as Record<string, Reference>)
  for (const [type, message] of Object.entries(madeByNoGenerator)) {
    if (Object.hasOwn(generators, type)) throw new SettingProblem(['generators', type], message)
  }
  if (!Object.hasOwn(generators, defaultType)) throw new SettingProblem(['default'], '"generators" has no such token type')
  for (const [type] of entries) {
    const known = nearMiss(type)
    if (known !== undefined) parts.warn('token-type-near-miss', ['generators', type], `is nearly, but not exactly, "${known}"`)
  }
  for (const [index, name] of resources.entries()) {
    if (isWholeHost(name)) parts.warn('wide-resource', ['resources', index], 'serves everything on this host')
  }
  const built = new Map(entries.map(([type, generator]) => [type, parts.tokenGenerator(generator)]))
  for (const [type, generator] of built) {
    if (!suits(generator, type)) {
      parts.problem(['generators', type], `"${generator.id}" makes ${generator.tokenType}, which is another token type`)
    }
  }
  return { id: parts.id, resources, audiences, generators: built, defaultType }
}

const madeByNoGenerator = {
  [tokenTypes.accessToken]: 'access tokens are made by access token managers only',
  [tokenTypes.refreshToken]: 'there are no refresh tokens here: whoever needs another token exchanges again',
}
const knownTypes: readonly string[] = Object.values(tokenTypes)

// A private type may name whatever its users agree on; what RFC 8693 §3 has defined means one thing. An ID token is a JWT.
function suits({ tokenType }: TokenGenerator, type: string): boolean {
  const made = type === tokenTypes.idToken ? tokenTypes.jwt : type
  return tokenType === made || !knownTypes.includes(type)
}

import type { JsonObject } from '../json.ts'

/** Every variable that some expression may read. */
export const variableNames = ['subject', 'assertion', 'actor', 'lookup', 'policy', 'act', 'context'] as const
export type VariableName = (typeof variableNames)[number]

const strings: JsonObject = { type: 'array', items: { type: 'string' } }

const everywhere = {
  clientId: { type: 'string' },
  client: { type: 'object' },
  clientIp: { type: 'string' },
  scopes: strings,
  resources: strings,
  audiences: strings,
  requestedTokenType: { type: 'string' },
  // A timestamp of CEL, which no JSON Schema describes: dynamic to the type check.
  now: {},
}

/** What `context` holds in every expression. */
export const expressionContextSchema: JsonObject = { type: 'object', required: Object.keys(everywhere), properties: everywhere }

/** What `context` holds in the mappings to a target, where the scope has been decided. */
export const targetContextSchema = extended(expressionContextSchema, { grantedScopes: strings })

/** What `context` holds in IdP connections: also by which name this server was addressed. */
export const connectionContextSchema = extended(expressionContextSchema, { virtualServerId: { type: 'string' } })

/** The same in the mappings to token generators there. */
export const generatorContextSchema = extended(targetContextSchema, { virtualServerId: { type: 'string' } })

function extended(schema: JsonObject, more: JsonObject): JsonObject {
  const properties = { ...(schema.properties as JsonObject), ...more }
  return { type: 'object', required: Object.keys(properties), properties }
}

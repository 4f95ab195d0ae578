import type { JsonObject } from '../json.ts'

/** Every variable that some expression may read. */
export const variableNames = ['subject', 'actor', 'policy', 'act', 'context'] as const
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

const withGrantedScopes = { ...everywhere, grantedScopes: strings }

/** What `context` holds in the mappings to a target, where the scope has been decided. */
export const targetContextSchema: JsonObject = { type: 'object', required: Object.keys(withGrantedScopes), properties: withGrantedScopes }

/**
 * What plug-ins are written with. docs/guides/plug-ins.md tells how, and what of it stays as it is: everything here, and nothing else of
 * this package, is covered by the version of the API that a plug-in exports as `apiVersion`.
 */
export { z } from 'zod'
export type { AccessToken } from './access-tokens/access-token-manager.ts'
export { accessTokenOf } from './access-tokens/manager-settings.ts'
export type { CompiledSchema } from './config/json-schema.ts'
export {
  distinct,
  duration,
  ExternalText,
  exactName,
  externalText,
  lifetime,
  Reference,
  strict,
  template,
  webAddress,
} from './config/values.ts'
export {
  isSlot,
  type LookupParts,
  type PreparedQuery,
  type QueryValue,
  type Row,
  type StoreClient,
  type Template,
} from './data-stores/data-store.ts'
export { storeAttributes } from './data-stores/store-kind.ts'
export type { TokenContent } from './exchange/grant.ts'
export type { JsonObject, JsonValue } from './json.ts'
export { Outage, TokenRejected } from './oauth/errors.ts'
export { tokenTypes } from './oauth/token-types.ts'
export type { Instant } from './outside.ts'
export { type Probe, SettingProblem, type SigningKeyLine } from './plugin.ts'
export { accessTokenClaims } from './plugins/access-token-claims.ts'
export { NotExpressible } from './plugins/border.ts'
export { dataStoreKind, keyReference, type PluginKindOf, pluginKind } from './plugins/define.ts'
export { type PluginGrant, type PluginIssuedToken, type PluginTokenGenerator, tokenGeneratorSettings } from './plugins/guarded-generator.ts'
export {
  accessTokenManagerSettings,
  type PluginAccessGrant,
  type PluginAccessTokenManager,
} from './plugins/guarded-manager.ts'
export { type PluginTokenProcessor, tokenProcessorSettings } from './plugins/guarded-processor.ts'
export type { PluginOutside, PluginParts, PluginStore } from './plugins/plugin-parts.ts'
export { type AssumedToken, AssumptionMistake, assumedClaims } from './processors/assumed.ts'
export type { Actor, Authentication, ProcessorRequest, Proof } from './processors/processor.ts'

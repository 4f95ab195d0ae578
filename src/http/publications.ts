import type { Middleware } from 'koa'
import type { Server } from '../server.ts'
import { answerDocument, answerJson } from './answer.ts'
import { endpoint } from './documents.ts'

/** `GET /saml/metadata?entity=…`: the EntityDescriptor of one SAML issuer. Without `entity`: of the only one, or a list of all. */
export function samlMetadataEndpoint({ documents, issuer }: Server): Middleware {
  const entities = documents.samlMetadata
  const [only] = entities.size === 1 ? entities.values() : []
  const addressOf = (entityId: string) => `${endpoint(issuer, 'saml/metadata')}?entity=${encodeURIComponent(entityId)}`
  const list = JSON.stringify({ entities: [...entities.keys()].map(entityId => ({ entityId, metadata: addressOf(entityId) })) })
  return ctx => {
    const { entity } = ctx.query
    const metadata = entity === undefined ? only : entities.get(String(entity))
    if (metadata !== undefined) return answerDocument(ctx, metadata, 'application/samlmetadata+xml')
    if (entity === undefined && entities.size > 0) return answerDocument(ctx, list)
    answerJson(ctx, 404, { error: 'not_found', error_description: 'no token generator issues by this name' })
  }
}

/** `GET /issuers/<generator>/…`: the discovery document and the keys of a `jwt` generator, which has an issuer of its own. */
export function issuerDocument({ documents }: Server, name: 'openidConfiguration' | 'jwks'): Middleware {
  return ctx => {
    const issuer = documents.issuers.get(String(ctx.params.generator))
    if (issuer === undefined) answerJson(ctx, 404, { error: 'not_found' })
    else answerDocument(ctx, issuer[name])
  }
}

import Router from '@koa/router'
import Koa from 'koa'
import { answerDocument, answerJson } from './http/answer.ts'
import { answeringFailures } from './http/answering-failures.ts'
import { type Condition, readiness } from './http/health.ts'
import { introspectionEndpoint } from './http/introspect.ts'
import { metricsEndpoint } from './http/metrics.ts'
import { issuerDocument, samlMetadataEndpoint } from './http/publications.ts'
import { revocationEndpoint } from './http/revoke.ts'
import { stsEndpoint, wsdlEndpoint } from './http/sts.ts'
import { tokenEndpoint } from './http/token.ts'
import type { Signals } from './observe/signals.ts'
import type { Server } from './server.ts'

/** The Koa application of one configuration: every route, on one page. */
export function createApp(server: Server, signals: Signals, condition: Condition): Koa {
  const { pathname } = new URL(server.issuer)
  const base = pathname.replace(/\/$/, '')
  const router = new Router()

  router.post(`${base}/token`, tokenEndpoint(server, signals))
  router.post(`${base}/introspect`, introspectionEndpoint(server))
  router.post(`${base}/revoke`, revocationEndpoint(server))

  for (const path of ['', '/:connection', '/:connection/:virtualServer']) {
    router.post(`${base}/sts${path}`, stsEndpoint(server, signals.recorder))
    router.get(`${base}/sts${path}`, wsdlEndpoint(server))
  }

  router.get(`${base}/jwks`, ctx => answerDocument(ctx, server.documents.jwks))
  // RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect Discovery §4 behind it.
  router.get(`/.well-known/oauth-authorization-server${base}`, ctx => answerDocument(ctx, server.documents.authorizationServer))
  router.get(`${base}/.well-known/openid-configuration`, ctx => answerDocument(ctx, server.documents.openidConfiguration))

  router.get(`${base}/saml/metadata`, samlMetadataEndpoint(server))
  router.get(`${base}/issuers/:generator/.well-known/openid-configuration`, issuerDocument(server, 'openidConfiguration'))
  router.get(`${base}/issuers/:generator/jwks`, issuerDocument(server, 'jwks'))

  router.get('/healthz', ctx => answerJson(ctx, 200, { status: 'alive' }))
  router.get('/readyz', readiness(server, condition))
  if (server.metrics !== undefined) router.get('/metrics', metricsEndpoint(server.metrics.bearer, signals.numbers))

  const app = new Koa()
  app.silent = true
  app.use(answeringFailures(server.outside))
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'

/** A span as OTLP's JSON has it. */
export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: ReadonlyArray<{ readonly key: string; readonly value: { readonly stringValue: string } }>
  readonly status?: { readonly code: number; readonly message: string }
}

/** A collector that takes what OTLP over HTTP allows as JSON (opentelemetry-proto, `ExportTraceServiceRequest`), and nothing else. */
export class Collector {
  readonly #server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      this.requests.push(request.headers)
      if (this.status === 200) this.#take(request.method, request.url, request.headers, text)
      response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  readonly requests: IncomingHttpHeaders[] = []
  readonly services: string[] = []
  readonly spans: Span[] = []
  readonly texts: string[] = []
  readonly mistakes: unknown[] = []
  /** What it answers; it takes nothing unless that is 200. */
  status = 200

  async listen(): Promise<string> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #take(method: string | undefined, path: string | undefined, headers: IncomingHttpHeaders, text: string): void {
    try {
      expect([method, path, headers['content-type']]).to.deep.equal(['POST', '/v1/traces', 'application/json'])
      this.texts.push(text)
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        this.services.push(resource.attributes.find((each: { key: string }) => each.key === 'service.name').value.stringValue)
        for (const { scope, spans } of scopeSpans) {
          expect(scope.name).to.equal('cambist')
          for (const span of spans) this.#takeSpan(span)
        }
      }
    } catch (error) {
      this.mistakes.push(error)
    }
  }

  #takeSpan(span: Span): void {
    expect(span.traceId).to.match(/^[0-9a-f]{32}$/)
    expect(span.spanId).to.match(/^[0-9a-f]{16}$/)
    expect(span.parentSpanId ?? '0123456789abcdef').to.match(/^[0-9a-f]{16}$/)
    expect([1, 2, 3]).to.include(span.kind)
    expect(span.startTimeUnixNano).to.match(/^\d{19}$/)
    expect(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano)).to.equal(true)
    this.spans.push(span)
  }
}

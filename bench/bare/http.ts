import { createServer } from 'node:http'
import { readBody } from './http-body.ts'
import { answerWith, type BareOperations, bareOperations, subjectTokenIn } from './operations.ts'

// (a') An empty node:http server that reads the body and does the bare operations: the physical limit.

const [folder = '', port = '0'] = process.argv.slice(2)
const operations = bareOperations(folder)

const server = createServer((request, response) => {
  const operation = operations.get(request.url ?? '')
  if (operation === undefined) return response.writeHead(404).end()
  readBody(request, async body => {
    const text = answerWith(await operation.exchange(subjectTokenIn(body)))
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'Content-Length': text.length }).end(text)
  })
})
server.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))

// The bare operations without any server: asked for by the benchmark, which sends a subject token.
process.on('message', ({ path, token, milliseconds }: { path: string; token: string; milliseconds: number }) => {
  const operation = operations.get(path)
  if (operation !== undefined) process.send?.(timeAlone(operation, token, milliseconds))
})
process.on('disconnect', () => process.exit())

function timeAlone(operation: BareOperations, token: string, milliseconds: number): { microseconds: number } {
  const end = performance.now() + milliseconds
  const before = process.cpuUsage()
  let count = 0
  while (performance.now() < end) {
    for (let i = 0; i < 20; i++) operation.cryptography(token)
    count += 20
  }
  const { user, system } = process.cpuUsage(before)
  return { microseconds: (user + system) / count }
}

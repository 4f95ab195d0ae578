import type { IncomingMessage } from 'node:http'
import Router from '@koa/router'
import Koa from 'koa'
import { answerWith, bareOperations, subjectTokenIn } from './operations.ts'

// (a) An empty Koa and @koa/router application that reads the body and does the bare operations.

const [folder = '', port = '0'] = process.argv.slice(2)
const router = new Router()
for (const [path, operation] of bareOperations(folder)) {
  router.post(path, async ctx => {
    const body = await readBody(ctx.req)
    ctx.set('Cache-Control', 'no-store')
    ctx.type = 'application/json'
    ctx.body = answerWith(await operation.exchange(subjectTokenIn(body)))
  })
}

const app = new Koa()
app.use(router.routes())
app.use(router.allowedMethods())
app.listen(Number(port), '127.0.0.1', () => process.send?.('listening'))
process.on('disconnect', () => process.exit())

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')))
    request.on('error', reject)
  })
}

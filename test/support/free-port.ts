import { createServer } from 'node:net'

// Below the ports that a system gives to outgoing connections, of which another test could be given the one that was free a moment ago.
// A Redis cluster's second port is 10,000 higher, and below them too.
const lowest = 12_000
const perProcess = 1_000
const processes = 10

const slice = lowest + perProcess * (Number(process.env.MOCHA_WORKER_ID ?? 0) % processes)
let next = Math.floor(Math.random() * perProcess)

/** A port of this machine that nobody listens on, and that no other process of this run of the tests is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = slice + (next++ % perProcess)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

import type { ChildProcess } from 'node:child_process'
import type { Worker } from 'node:cluster'

/** What the first process says to a worker, and the worker's word that it has heard it, as Node's cluster numbers them. */
interface Numbered {
  readonly act?: string
  readonly seq?: number
  readonly ack?: number
}

interface Connection {
  close(): void
}

/**
 * Lets go of the connections that a worker has been handed and never took, when it dies. Node's cluster forgets them: they stay open in
 * this process, nobody reads from them, and their clients would wait for an answer as long as they have patience.
 */
export function letGoWithWorker({ process: child }: Worker): void {
  const handedOver = new Map<number, Connection>()
  const send = child.send.bind(child) as (message: Numbered, connection?: Connection, ...rest: unknown[]) => boolean
  const watchedSend = (message: Numbered, connection?: Connection, ...rest: unknown[]) => {
    if (message.act === 'newconn' && message.seq !== undefined && connection !== undefined) handedOver.set(message.seq, connection)
    return send(message, connection, ...rest)
  }
  child.send = watchedSend as ChildProcess['send']
  child.on('internalMessage', ({ ack }: Numbered) => ack !== undefined && handedOver.delete(ack))
  let disconnected = false
  child.once('disconnect', () => {
    disconnected = true
  })
  // It has exited, and what it said before has been read.
  child.once('close', () => {
    for (const connection of handedOver.values()) connection.close()
    // Node waits with this until all is handed over, which is never; without it, the cluster counts the dead among its workers.
    if (!disconnected) child.emit('disconnect')
  })
}

import { Outage } from '../oauth/errors.ts'

/** Whatever comes of it within so many seconds. After that it is told to stop, and nobody waits for it, whether it stops or not. */
export async function inTime<Result>(seconds: number, what: string, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const ending = new AbortController()
  let impatience: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    impatience = setTimeout(() => {
      reject(new Outage(`${what} did not answer within ${seconds} s`))
      ending.abort()
    }, seconds * 1000)
  })
  const running = (async () => await run(ending.signal))()
  // What it says afterwards, nobody hears.
  running.catch(() => undefined)
  try {
    return await Promise.race([running, tooLate])
  } finally {
    clearTimeout(impatience)
  }
}

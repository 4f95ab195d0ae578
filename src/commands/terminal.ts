import { writeSync } from 'node:fs'

/** What commands say to a person. Written at once, because a command may end the process right after. */
export const terminal = {
  print(text: string): void {
    writeAll(1, `${text}\n`)
  },
  complain(text: string): void {
    writeAll(2, `${text}\n`)
  },
}

// A pipe that nobody has read from yet takes no more for a while.
function writeAll(descriptor: number, text: string): void {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') continue
      return
    }
  }
}

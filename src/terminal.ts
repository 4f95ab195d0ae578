import { writeSync } from 'node:fs'

/** What commands say to a person. Written at once, because a command may end the process right after. */
export const terminal = {
  print(text: string): void {
    writeAll(1, `${harmless(text)}\n`)
  },
  complain(text: string): void {
    writeAll(2, `${harmless(text)}\n`)
  },
}

// Claims of a token are shown as they are, and whoever made it must not be able to move the cursor, to hide lines or to turn them around.
function harmless(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, escaped)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
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

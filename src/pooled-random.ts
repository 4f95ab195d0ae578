import { randomFillSync } from 'node:crypto'

const poolSize = 4096

/**
 * Strong random bytes, drawn from the system's generator in blocks: asking it costs as much for 16 bytes as for 4,096, and each
 * exchange asks once or twice. What was given out is erased from the block, so that a look into memory shows no earlier token.
 */
export function pooledRandom(): (bytes: number) => Buffer {
  const pool = Buffer.alloc(poolSize)
  let used = poolSize
  return bytes => {
    if (bytes > poolSize) return randomFillSync(Buffer.alloc(bytes))
    if (used + bytes > poolSize) {
      randomFillSync(pool)
      used = 0
    }
    const drawn = Buffer.from(pool.subarray(used, used + bytes))
    pool.fill(0, used, used + bytes)
    used += bytes
    return drawn
  }
}

import type { Parts } from '../plugin.ts'

const day = 86_400

/** Warns of tokens that are good for longer than anybody watches over them (docs/warnings.md). */
export function warnOfLifetime({ lifetime, outlivesSubject }: { lifetime: number; outlivesSubject: boolean }, parts: Parts): void {
  if (outlivesSubject) parts.warn('outlives-subject', ['outlivesSubject'], 'its tokens stay valid after the subject token has ended')
  if (lifetime > day) parts.warn('long-lifetime', ['lifetime'], 'its tokens may live longer than a day')
}

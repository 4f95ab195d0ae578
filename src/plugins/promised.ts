import type { z } from 'zod'
import { SettingProblem } from '../plugin.ts'

/** What a builder gave back, if it is what its kind promises; otherwise its file has a problem. */
export function checkedBuilt<Built>(schema: z.ZodType<Built>, value: unknown): Built {
  const result = schema.safeParse(value)
  // The value itself: functions may belong to it, and rely on what else it has.
  if (result.success) return value as Built
  const [issue] = result.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  throw new SettingProblem(['type'], `the plug-in built no such thing: ${where}${issue?.message}`)
}

/** A plug-in did what no plug-in may. A bug: answered with 500 `server_error`, and nothing is issued. */
export class PluginFault extends Error {
  override readonly name = 'PluginFault'
}

/** Who is at fault, and in which function: `the plug-in type "legacy" of @acme/legacy (policies/token-processors/old.json)`. */
export interface Blame {
  readonly plugin: string
  /** `process`, `generate`, `read` … */
  readonly call: string
}

/** What a plug-in threw, without its message: libraries repeat in theirs what they were given, tokens and passwords too. */
export function thrownBy({ plugin, call }: Blame, error: unknown): PluginFault {
  const what = error instanceof Error ? `threw ${nameOf(error)}` : `threw a value of type ${typeof error}`
  const fault = new PluginFault(`${plugin} ${what} in ${call}()`)
  const frames = error instanceof Error ? framesOf(error) : []
  if (frames.length > 0) fault.stack = [`${fault.name}: ${fault.message}`, ...frames].join('\n')
  return fault
}

/** What a plug-in gave back is not what it promised. */
export function brokenPromise({ plugin, call }: Blame, what: string): PluginFault {
  return new PluginFault(`${plugin} broke the promise of ${call}(): ${what}`)
}

/** What is known of something that was thrown without its message: its name, and where. */
export function traceOf(error: unknown): string {
  return error instanceof Error ? [nameOf(error), ...framesOf(error)].join('\n') : `a value of type ${typeof error}`
}

/** The place in the plug-in's code where something was thrown; empty where that is not known. */
export function placeThrown(error: unknown): string {
  const [frame = ''] = error instanceof Error ? framesOf(error) : []
  return frame.trim()
}

/** The name and code of an error, where they look like names. */
export function nameOf({ name, code }: Error & { readonly code?: unknown }): string {
  const isName = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,60}$/.test(text)
  return [isName(name) ? name : 'Error', ...(isName(code) ? [code] : [])].join(' ')
}

// The head of a stack repeats the message, of whatever many lines.
function framesOf({ stack, message }: Error): string[] {
  if (typeof stack !== 'string' || typeof message !== 'string') return []
  const end = stack.indexOf(message)
  const lines = end < 0 ? [] : stack.slice(end + message.length).split('\n')
  return lines.filter(line => /^ {4}at \S.*[:(]\S+:\d+:\d+\)?$/.test(line)).slice(0, 10)
}

import type { ResolveHook } from 'node:module'

// Node runs these hooks in a thread of their own, which has nothing but what `initialize` was told.
const addresses = new Map<string, string>()

/** Takes the addresses of the modules that a name stands for. */
export function initialize(data: Readonly<Record<string, string>>): void {
  for (const [name, address] of Object.entries(data)) addresses.set(name, address)
}

/** Resolves these names to these modules, and every other one as ever. */
export const resolve: ResolveHook = (specifier, context, next) => next(addresses.get(specifier) ?? specifier, context)

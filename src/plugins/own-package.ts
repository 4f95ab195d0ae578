import Module, { register } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as own from '../index.ts'

/** Where the module that plug-ins import finds what it exports. */
const place = Symbol.for('cambist.plugin-api')

/**
 * From now on `import … from 'cambist'` and `require('cambist')` are this very copy, wherever a package of plug-ins lies. In a container its folder has no cambist
 * beside it; elsewhere npm may have put another copy there, whose values would not be known here as references, secrets and refusals.
 */
export function answerForCambist(): void {
  // Hooks are never taken away again: once is enough for the whole process.
  if (Object.hasOwn(globalThis, place)) return
  Object.defineProperty(globalThis, place, { value: own })
  const source = `export const { ${Object.keys(own).join(', ')} } = globalThis[Symbol.for('cambist.plugin-api')]`
  const address = `data:text/javascript,${encodeURIComponent(source)}`
  const hooks = new URL(`./own-package-hooks${extname(fileURLToPath(import.meta.url))}`, import.meta.url)
  register(hooks, { data: { cambist: address } })
  answerRequire()
}

/** The same for packages that were written for `require` (CommonJS), which asks no hooks before Node 22.15. */
function answerRequire(): void {
  const modules = Module.prototype as NodeJS.Module
  const { require: usual } = modules
  modules.require = Object.assign(function (this: NodeJS.Module, id: string) {
    return id === 'cambist' ? own : usual.call(this, id)
  }, usual)
}

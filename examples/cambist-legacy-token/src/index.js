import { legacyGenerator } from './generator.js'
import { legacyProcessor } from './processor.js'

/** For which version of the plug-in API this package was written. */
export const apiVersion = 1
export const tokenProcessors = [legacyProcessor]
export const tokenGenerators = [legacyGenerator]

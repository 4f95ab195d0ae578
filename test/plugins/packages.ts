/** The files of a package of plug-ins in `node_modules` of a configuration: its code, and what its package.json says beside the usual. */
export function packageFiles(name: string, code: string, manifest: object = {}): Record<string, string> {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version: '1.2.3', type: 'module', exports: './index.js', ...manifest }),
    [`node_modules/${name}/index.js`]: code,
  }
}

/** The code of a package with one token processor: what stands in its `process` and `assume`, and before everything. */
export function processorCode(type: string, body: string, { assume = body, before = '', build = '' } = {}): string {
  return `
    import { AssumptionMistake, Outage, pluginKind, SettingProblem, TokenRejected, tokenProcessorSettings, z } from 'cambist'
    ${before}
    const good = { issuer: 'urn:acme', subject: 'ada', audiences: ['https://sts.example.com'], expiresAt: 4e9, attributes: { user: 'ada' } }
    export const apiVersion = 1
    export const tokenProcessors = [
      pluginKind('${type}', { ...tokenProcessorSettings, size: z.int().max(10).default(3) }, (settings, parts) => {
        ${build}
        return {
          issuers: ['urn:acme'],
          attributes: { type: 'object', required: ['user'], properties: { user: { type: 'string' } } },
          process: async token => { ${body} },
          assume: ({ says }) => { ${assume} },
        }
      }),
    ]`
}

import { expect } from 'chai'
import type { Path } from '../../src/config/problems.ts'
import type { Parts } from '../../src/plugin.ts'
import { reportUnbound } from '../../src/policies/binding.ts'
import type { TokenMaker } from '../../src/policies/target.ts'

describe('"unbound" of what a token generator makes', () => {
  const reported = (binding: TokenMaker['binding'], kind: string) => {
    const said: string[] = []
    const parts = {
      warn: (code: string, path: Path) => said.push(`${code} ${path.join('.')}`),
      problem: (path: Path, message: string) => said.push(`${path.join('.')}: ${message}`),
    } as unknown as Parts
    reportUnbound({ id: 'ledger', binding } as TokenMaker, kind, ['issues', 0], parts)
    return said
  }

  it('is warned about', () => {
    expect(reported(undefined, 'token-generators')).to.deep.equal(['binding-dropped issues.0.unbound'])
    expect(reported({ rule: 'optional', path: [] }, 'token-generators')).to.deep.equal(['binding-dropped issues.0.unbound'])
  })

  it('contradicts a generator that demands a key, and means nothing to an access token', () => {
    expect(reported({ rule: 'mtls', path: [] }, 'token-generators')[0]).to.match(/^issues\.0\.unbound: contradicts "ledger"/)
    expect(reported({ rule: 'optional', path: [] }, 'access-token-managers')[0]).to.match(/^issues\.0\.unbound: is for token generators/)
  })
})

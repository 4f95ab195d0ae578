import { expect } from 'chai'

/** Holds what was found against what a page shows: alike but for `…` and for members that differ every time. */
export function requireAlike(found: unknown, shown: unknown, where: string, differsEveryTime: ReadonlySet<string>): void {
  if (typeof shown === 'string' && shown.includes('…')) return expect(found, where).to.be.a('string') && undefined
  if (typeof shown !== 'object' || shown === null) return expect(found, where).to.equal(shown) && undefined
  expect(Object.keys(found as object), where).to.deep.equal(Object.keys(shown))
  for (const [name, value] of Object.entries(shown)) {
    const each = (found as Record<string, unknown>)[name]
    if (differsEveryTime.has(name)) expect(each, `${where}.${name}`).to.be.a(typeof value)
    else requireAlike(each, value, `${where}.${name}`, differsEveryTime)
  }
}

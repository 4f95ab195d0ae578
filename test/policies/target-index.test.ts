import { expect } from 'chai'
import fc from 'fast-check'
import { resourceProblem } from '../../src/policies/resource.ts'
import type { Target } from '../../src/policies/target.ts'
import { TargetIndex } from '../../src/policies/target-index.ts'

function target(id: string, resources: readonly string[], audiences: readonly string[] = []): Target {
  return { kind: 'access-token-manager', id, resources, audiences, makerOf: () => undefined } as unknown as Target
}

function indexOf(...targets: readonly Target[]): TargetIndex {
  const index = new TargetIndex()
  for (const each of targets) index.add(each)
  return index
}

describe('policies/target-index', () => {
  const index = indexOf(
    target('host', ['https://api.example.com/']),
    target('orders', ['https://api.example.com/orders/', 'urn:example:orders'], ['orders']),
    target('archive', ['https://api.example.com/orders/archive', 'https://api.example.com/search?of=orders']),
  )
  const cases: Array<[resource: string, target: string | undefined]> = [
    ['https://api.example.com/', 'host'],
    ['https://api.example.com/billing', 'host'],
    ['https://api.example.com/orders/', 'orders'],
    ['https://api.example.com/orders/7', 'orders'],
    ['https://api.example.com/orders', 'host'],
    ['https://api.example.com/orders-of-others', 'host'],
    ['https://api.example.com/orders/archive', 'archive'],
    ['https://api.example.com/orders/archive/7', 'orders'],
    ['https://api.example.com/orders/7?x=/https://api.example.com/', 'orders'],
    ['https://api.example.com/search?of=orders', 'archive'],
    ['https://api.example.com/search?of=bills', 'host'],
    ['https://api.example.com', undefined],
    ['https://api.example.com:443/orders/7', undefined],
    ['https://API.example.com/orders/7', undefined],
    ['http://api.example.com/orders/7', undefined],
    ['https://api.example.com.evil.example/orders/7', undefined],
    ['https://evil.example/https://api.example.com/', undefined],
    ['urn:example:orders', 'orders'],
    ['urn:example:orders:7', undefined],
  ]
  for (const [resource, id] of cases) {
    it(`${resource} is ${id ?? 'nobody'}'s`, () => expect(index.ofResource(resource)?.id).to.equal(id))
  }

  it('finds what a look at every configured resource finds', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'a-b')
    const address = fc
      .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
      .map(([path, slash]) => `https://h.example/${path.join('/')}${slash && path.length > 0 ? '/' : ''}`)
    fc.assert(
      fc.property(fc.uniqueArray(address, { maxLength: 8 }), address, (resources, asked) => {
        const fitting = resources.filter(resource => resource === asked || (resource.endsWith('/') && asked.startsWith(resource)))
        const longest = fitting.sort((left, right) => right.length - left.length)[0]
        return indexOf(...resources.map(resource => target(resource, [resource]))).ofResource(asked)?.id === longest
      }),
    )
  })

  it('compares audiences exactly', () => {
    expect(index.ofAudience('orders')?.id).to.equal('orders')
    for (const name of ['Orders', 'orders/', 'order', '', '__proto__', 'constructor']) expect(index.ofAudience(name)).to.equal(undefined)
  })
})

describe('policies/resource', () => {
  const good = [
    'https://a.example',
    'https://a.example/',
    'https://a.example:8443/x;v=1/y',
    'https://[::1]/x',
    'urn:x:y',
    'spiffe://a.example/b',
    'https://a.example/caf%C3%A9',
    'https://a.example/?u=https://b.example/../x',
  ]
  for (const resource of good) it(`takes ${resource}`, () => expect(resourceProblem(resource)).to.equal(undefined))

  const bad: Array<[resource: string, problem: RegExp]> = [
    ['', /absolute/],
    ['orders', /absolute/],
    ['/orders', /absolute/],
    ['//a.example/', /absolute/],
    ['https://a.example/ö', /absolute/],
    ['https://a.example/a b', /absolute/],
    ['https://a.example/\n', /absolute/],
    ['https://a.example/#x', /fragment/],
    ['https://a.example/#', /fragment/],
    ['https://a.example/a\\b', /characters/],
    ['https://a.example/{x}', /characters/],
    ['https://a.example/%', /percent/],
    ['https://a.example/%zz', /percent/],
    ['https://a.example/a%2fb', /encoded/],
    ['https://a.example/%2e%2e/b', /encoded/],
    ['https://a.example/a%5Cb', /encoded/],
    ['https://a.example/a%00', /encoded/],
    ['https://a.example/./b', /path segment/],
    ['https://a.example/a/..', /path segment/],
    ['https://user@a.example/', /user information/],
    ['https://a.example@evil.example/', /user information/],
    ['https:///x', /host/],
    ['https://[::1/x', /cannot be/],
    ['https://a.example:port/x', /cannot be/],
  ]
  for (const [resource, problem] of bad) {
    it(`refuses ${JSON.stringify(resource)}`, () => expect(resourceProblem(resource)).to.match(problem))
  }

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl()), text => ['string', 'undefined'].includes(typeof resourceProblem(text))))
  })
})

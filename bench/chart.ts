import { subjectNames } from './experiments.ts'
import { medianOf, type Result, ratio } from './report.ts'

const width = 860
const labelWidth = 290
const barHeight = 17
const gap = 5
const groupHead = 34
const groupGap = 14
const barsWidth = width - labelWidth - 190

const shown = [
  { name: subjectNames.cambist, label: 'Cambist', style: 'own' },
  { name: subjectNames.inMemory, label: 'Cambist, store in memory', style: 'own' },
  { name: subjectNames.koa, label: '(a) bare operations, Koa + @koa/router', style: 'bare' },
  { name: subjectNames.http, label: "(a') bare operations, node:http", style: 'bare' },
  { name: subjectNames.oidcProvider, label: '(b) oidc-provider, the same work', style: 'other' },
  { name: subjectNames.xmlCrypto, label: '(c) xml-crypto, node:http', style: 'other' },
] as const

/** CPU per exchange as bars, one group for each kind of exchange: an SVG that reads on light and on dark pages. */
export function chart(results: readonly Result[], caption: string): string {
  const groups = results.filter(({ subjects }) => subjects.some(({ name }) => name === subjectNames.koa))
  const tops = groups.map((_, index) => groups.slice(0, index).reduce((top, group) => top + heightOf(group), 44))
  const height = groups.reduce((sum, group) => sum + heightOf(group), 44 + 30)
  const body = groups.map((group, index) => groupOf(group, tops[index] ?? 0))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="t">`,
    '<title id="t">CPU time per token exchange</title>',
    style,
    text(16, 28, 'CPU time per exchange, in microseconds (less is better)', 'title'),
    ...body,
    text(16, height - 12, caption, 'note'),
    '</svg>\n',
  ].join('\n')
}

const style = `<style>
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .group { font-weight: 600 }
  .note { font-size: 11.5px; fill: #59636e }
  .own { fill: #0969da } .bare { fill: #8c959f } .other { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note { fill: #9198a1 }
    .own { fill: #4493f8 } .bare { fill: #6e7681 } .other { fill: #db6d28 }
  }
</style>`

// Each group has a scale of its own: an exchange of one kind says nothing about one of another.
function groupOf(result: Result, top: number): string {
  const most = Math.max(...barsOf(result).map(({ name }) => medianOf(result, name, 'cpu')))
  const bars = barsOf(result).map(({ name, label, style }, row) => {
    const y = top + groupHead + row * (barHeight + gap)
    const cpu = medianOf(result, name, 'cpu')
    const length = Math.max(1, Math.round((cpu / most) * barsWidth))
    const note = style === 'own' ? ` = ${compared(result, name)}` : ''
    return [
      text(labelWidth - 8, y + 13, label, '', 'end'),
      `<rect class="${style}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
      text(labelWidth + length + 6, y + 13, `${Math.round(cpu)}${note}`),
    ].join('\n')
  })
  return [text(16, top + 22, result.title, 'group'), ...bars].join('\n')
}

function compared(result: Result, name: string): string {
  const { koa, oidcProvider, xmlCrypto } = subjectNames
  const [other, letter] = result.subjects.some(subject => subject.name === xmlCrypto) ? [xmlCrypto, 'c'] : [oidcProvider, 'b']
  return `${ratio(result, name, koa).toFixed(2)} × (a), ${ratio(result, name, other).toFixed(2)} × (${letter})`
}

function barsOf({ subjects }: Result) {
  return shown.filter(({ name }) => subjects.some(subject => subject.name === name))
}

function heightOf(result: Result): number {
  return groupHead + barsOf(result).length * (barHeight + gap) + groupGap
}

function text(x: number, y: number, content: string, style = '', anchor = 'start'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}" class="${style}" text-anchor="${anchor}">${escaped}</text>`
}

import { linesOf } from './in-words.ts'
import { type CaseResult, countOf, type FileResult } from './run.ts'

/** The results as JUnit XML, which every CI shows. */
export function junit(results: readonly FileResult[]): string {
  const { cases, failed, milliseconds } = countOf(results)
  const totals = { tests: cases, failures: failed, errors: 0, time: seconds(milliseconds) }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'cambist test', ...totals }, results.map(suite))}\n`
}

function suite(result: FileResult): string {
  const { cases, failed, milliseconds } = countOf([result])
  const totals = { tests: cases, failures: failed, errors: 0, time: seconds(milliseconds) }
  return element(
    'testsuite',
    { name: result.file, ...totals },
    result.cases.map(each => testCase(result.file, each)),
  )
}

function testCase(file: string, { name, place, differences, milliseconds }: CaseResult): string {
  const lines = linesOf(differences)
  const content = [`${place.file}:${place.line}:${place.column}`, ...lines].map(escaped).join('\n')
  const message = differences.map(({ what }) => what).join(', ')
  const failure =
    lines.length === 0 ? [] : [`<failure${attributes({ message: `${message}: not as expected`, type: 'difference' })}>${content}</failure>`]
  return element('testcase', { classname: file, name, file, line: place.line, time: seconds(milliseconds) }, failure)
}

function element(name: string, members: Members, content: readonly string[]): string {
  return content.length === 0 ? `<${name}${attributes(members)}/>` : `<${name}${attributes(members)}>\n${content.join('\n')}\n</${name}>`
}

type Members = Readonly<Record<string, string | number>>

function attributes(members: Members): string {
  return Object.entries(members)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
  '\r': '&#13;',
}

// What XML 1.0 cannot hold at all (§2.2) is shown as the character that stands for such.
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"\n\t\r]/g, character => entities[character] ?? '')
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(6)
}

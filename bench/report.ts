import { cpus } from 'node:os'
import { subjectNames } from './experiments.ts'
import type { LoadFigures } from './load.ts'

/** What one experiment gave: for each subject, its figures round by round. */
export interface Result {
  readonly title: string
  readonly subjects: readonly { readonly name: string; readonly rounds: readonly LoadFigures[] }[]
}

const mostDisturbance = 0.1

/**
 * The same without the rounds in which other programs took more than a tenth of the machine: they empty the caches, and the longer
 * a program's way is, the more it suffers from that. At least a quarter of the rounds stays, the calmest ones.
 */
export function undisturbed({ title, subjects }: Result): Result {
  const rounds = (subjects[0]?.rounds ?? []).map((_, index) => ({
    index,
    others: Math.max(...subjects.map(subject => subject.rounds[index]?.others ?? 0)),
  }))
  const calmest = rounds.sort((left, right) => left.others - right.others)
  const kept = calmest.filter(({ others }, place) => others <= mostDisturbance || place < rounds.length / 4)
  return { title, subjects: subjects.map(({ name, rounds }) => ({ name, rounds: kept.flatMap(({ index }) => rounds[index] ?? []) })) }
}

/** How it was measured. */
export interface Measuring {
  readonly rounds: number
  readonly seconds: number
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The median of one figure over the rounds. */
export function medianOf(result: Result, name: string, figure: keyof LoadFigures): number {
  return median(roundsOf(result, name).map(round => round[figure]))
}

/** The median over the rounds of the ratio of two subjects' CPU time: both were measured within seconds, at one speed of the machine. */
export function ratio(result: Result, name: string, to: string): number {
  const others = roundsOf(result, to)
  return median(roundsOf(result, name).map(({ cpu }, round) => cpu / (others[round]?.cpu ?? Number.NaN)))
}

/** Everything as Markdown tables, which read well in a terminal too. */
export function report(results: readonly Result[], { rounds, seconds }: Measuring, pinned: boolean): string {
  const how = `Medians of ${rounds} interleaved rounds of ${seconds} s; ${pinned ? 'server and load generator on a core each' : 'NOT PINNED to cores'}.`
  return [`${machine()}. ${how}`, ...results.map(tableOf)].join('\n\n')
}

/** Where and when. */
export function machine(): string {
  const { node, openssl } = process.versions
  const date = new Date().toISOString().slice(0, 10)
  return `${date}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform} ${process.arch}, Node ${node}, OpenSSL ${openssl}`
}

function tableOf(result: Result): string {
  const references = referencesOf(result)
  const head = [result.title, 'exchanges/s', 'p50 ms', 'p99 ms', 'CPU µs', 'best', ...references.map(name => `of ${shortName(name)}`)]
  const rows = result.subjects.map(({ name, rounds }) => [
    name,
    shown(medianOf(result, name, 'perSecond'), count => Math.round(count).toLocaleString('en')),
    shown(medianOf(result, name, 'p50'), milliseconds => milliseconds.toFixed(1)),
    shown(medianOf(result, name, 'p99'), milliseconds => milliseconds.toFixed(1)),
    medianOf(result, name, 'cpu').toFixed(0),
    Math.min(...rounds.map(({ cpu }) => cpu)).toFixed(0),
    ...references.map(reference => ratio(result, name, reference).toFixed(2)),
  ])
  return `${markdownTable([head, ...rows])}\n\n${calmnessOf(result)}`
}

// What is measured without a server has no such figure.
function shown(figure: number, asText: (figure: number) => string): string {
  return Number.isNaN(figure) ? '' : asText(figure)
}

function calmnessOf({ subjects }: Result): string {
  const rounds = subjects.flatMap(subject => subject.rounds)
  const most = Math.max(...rounds.map(({ others }) => others))
  return `Rounds that count: ${subjects[0]?.rounds.length ?? 0}. In them other programs took at most ${Math.round(100 * most)} % of the machine.`
}

// An exchange is held against the limits and the other server, everything else against the first of its kind.
function referencesOf({ subjects }: Result): string[] {
  const { koa, http, oidcProvider, xmlCrypto } = subjectNames
  const present = [koa, http, oidcProvider, xmlCrypto].filter(name => subjects.some(subject => subject.name === name))
  return present.length > 0 ? present : subjects.slice(0, 1).map(({ name }) => name)
}

function shortName(name: string): string {
  return /^\(.*?\)/.exec(name)?.[0] ?? name
}

function roundsOf({ subjects }: Result, name: string): readonly LoadFigures[] {
  return subjects.find(subject => subject.name === name)?.rounds ?? []
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map(row => row[column]?.length ?? 0)))
  const lines = rows.map(row => `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(' | ')} |`)
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}

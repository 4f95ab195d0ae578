import type { Position } from '../config/json-text.ts'
import { JsonText } from '../config/json-text.ts'
import { didYouMean } from '../config/suggest.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts'
import { type Cell, CsvMistake, readCsv } from './csv.ts'
import type { Row } from './data-store.ts'

type Attributes = Readonly<Record<string, JsonObject>>

/** A row of a table's file, and where its values stand. */
export interface PlacedRow {
  readonly row: Row
  placeOf(attribute: string): Position
}

/** Is told what is wrong with the file, and where. */
export type ReportMistake = (position: Position, message: string) => void

/** The rows of a JSON file: a list of objects. */
export function rowsOfJson(source: string, attributes: Attributes, report: ReportMistake): readonly PlacedRow[] {
  const text = new JsonText(source)
  for (const { position, message } of text.mistakes) report(position, message)
  if (text.mistakes.length > 0) return []
  if (!Array.isArray(text.value)) return nothing(() => report({ line: 1, column: 1 }, 'expected a list of objects: [ { … }, … ]'))
  return (text.value as readonly JsonValue[]).flatMap((row, index) => {
    if (!isJsonObject(row)) return nothing(() => report(text.positionOf([index]), 'expected an object: { … }'))
    for (const name of Object.keys(row).filter(name => !Object.hasOwn(attributes, name))) {
      report(text.positionOf([index, name]), undeclared(name, attributes))
    }
    return [{ row, placeOf: attribute => text.positionOf([index, attribute]) }]
  })
}

/** The rows of a CSV file, whose first line names the columns. An empty cell is an absent value; `lists` separates the items of a list. */
export function rowsOfCsv(source: string, attributes: Attributes, lists: string, report: ReportMistake): readonly PlacedRow[] {
  const records = recordsOf(source, report)
  const [header, ...rows] = records ?? []
  if (header === undefined) return nothing(() => records && report({ line: 1, column: 1 }, 'the first line has to name the columns'))
  if (!isSoundHeader(header, attributes, report)) return []
  return rows.flatMap(cells => {
    if (cells.length === header.length) return [placedRow(header, cells, attributes, lists, report)]
    const [first] = cells as [Cell, ...Cell[]]
    return nothing(() => report(first, `this line has ${counted(cells.length)}, and the first one ${counted(header.length)}`))
  })
}

function recordsOf(source: string, report: ReportMistake): ReturnType<typeof readCsv> | undefined {
  try {
    return readCsv(source)
  } catch (error) {
    if (!(error instanceof CsvMistake)) throw error
    return void report(error, error.message)
  }
}

function isSoundHeader(header: readonly Cell[], attributes: Attributes, report: ReportMistake): boolean {
  const problems = header.map(({ text }, index) => {
    if (!Object.hasOwn(attributes, text)) return undeclared(text, attributes)
    return header.findIndex(other => other.text === text) < index ? `the column "${text}" stands here a second time` : undefined
  })
  for (const [index, problem] of problems.entries()) if (problem !== undefined) report(header[index] as Cell, problem)
  return problems.every(problem => problem === undefined)
}

function placedRow(
  header: readonly Cell[],
  cells: readonly Cell[],
  attributes: Attributes,
  lists: string,
  report: ReportMistake,
): PlacedRow {
  const row: Record<string, JsonValue> = {}
  const cellOf = (attribute: string) => cells[header.findIndex(({ text }) => text === attribute)] ?? (cells[0] as Cell)
  for (const { text: name } of header) {
    const cell = cellOf(name)
    if (cell.text === '') continue
    const value = valueIn(cell.text, attributes[name] ?? {}, lists)
    if (value === undefined) report(cell, `"${name}" is no ${typeOf(attributes[name] ?? {})}`)
    else row[name] = value
  }
  return { row, placeOf: cellOf }
}

// Texts are texts, also where they look like numbers: a leading zero belongs to an employee number.
function valueIn(text: string, schema: JsonObject, lists: string): JsonValue | undefined {
  switch (typeOf(schema)) {
    case 'number':
    case 'integer':
      return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'boolean':
      return { true: true, false: false }[text]
    case 'array':
      return itemsOf(text, isJsonObject(schema.items) ? schema.items : {}, lists)
    default:
      return text
  }
}

function itemsOf(text: string, schema: JsonObject, lists: string): JsonValue | undefined {
  const items = text.split(lists).map(item => valueIn(item.trim(), schema, lists))
  return items.includes(undefined) ? undefined : (items as JsonValue[])
}

/** The type that a JSON Schema names beside null. */
export function typeOf({ type }: JsonObject): string {
  const named = Array.isArray(type) ? type.find(name => name !== 'null') : type
  return typeof named === 'string' ? named : 'string'
}

function undeclared(name: string, attributes: Attributes): string {
  return `"attributes" of the data store has no "${name}"${didYouMean(name, Object.keys(attributes))}`
}

function counted(cells: number): string {
  return cells === 1 ? 'one cell' : `${cells} cells`
}

function nothing(report: () => unknown): [] {
  report()
  return []
}

import { drivers } from '../../drivers.ts'
import { Digits, Parsed, type SqlValue } from './server.ts'

type Parse = (text: string) => SqlValue

const text: Parse = value => value
const finite: Parse = value => (Number.isFinite(Number(value)) ? Number(value) : value)
const digits: Parse = value => new Digits(value)
const json: Parse = value => new Parsed(value)
// "2026-01-02 03:04:05.678+00": the time zone of the connection is UTC.
const instant: Parse = value => value.replace(' ', 'T').replace(/\+00$/, 'Z')
const bytes: Parse = value => Buffer.from(value.slice(2), 'hex').toString('base64')

// The numbers of the types, and of lists of them (pg_type.dat). What is not here is taken as the text that the server writes.
const types: ReadonlyArray<readonly [one: number, list: number, parse: Parse]> = [
  [16, 1000, value => value === 't'],
  [17, 1001, bytes],
  [20, 1016, digits],
  [21, 1005, finite],
  [23, 1007, finite],
  [26, 1028, finite],
  [700, 1021, finite],
  [701, 1022, finite],
  [1700, 1231, digits],
  [114, 199, json],
  [3802, 3807, json],
  [1114, 1115, instant],
  [1184, 1185, instant],
  ...(
    [
      [18, 1002],
      [19, 1003],
      [25, 1009],
      [1042, 1014],
      [1043, 1015],
      [2950, 2951],
      [1082, 1182],
      [1083, 1183],
    ] as const
  ).map(([one, list]) => [one, list, text] as const),
  ...(
    [
      [869, 1041],
      [650, 651],
      [1186, 1187],
      [790, 791],
      [829, 1040],
    ] as const
  ).map(([one, list]) => [one, list, text] as const),
]

const parsers = new Map<number, Parse>(
  types.flatMap(([one, list, parse]) => [[one, parse] as const, [list, (value: string) => parseList(value, parse)] as const]),
)

function parseList(value: string, parse: Parse): SqlValue[] {
  // The driver's own declaration has it as a function, which it is not.
  const lists = drivers.postgresql.types.arrayParser as unknown as { create(text: string, item: Parse): { parse(): SqlValue[] } }
  return lists.create(value, parse).parse()
}

/** How the text of a column's value is read (the driver's `getTypeParser`). */
export function typeParser(type: number): Parse {
  return parsers.get(type) ?? text
}

import type { FieldPacket } from 'mysql2'
import { Digits, Parsed, type SqlValue } from './server.ts'

// The protocol's numbers of column types (enum_field_types).
const Types = { DECIMAL: 0, TIMESTAMP: 7, LONGLONG: 8, DATE: 10, DATETIME: 12, BIT: 16, JSON: 245, NEWDECIMAL: 246 } as const

const numbers = new Set<number>([Types.LONGLONG, Types.DECIMAL, Types.NEWDECIMAL])
const instants = new Set<number>([Types.DATETIME, Types.TIMESTAMP])

/** What the driver has read of a column, as the other databases say it. */
export function sqlValue(value: unknown, column: FieldPacket | undefined): SqlValue {
  const type = column?.columnType ?? -1
  if (value === null || value === undefined) return null
  if (Buffer.isBuffer(value)) return type === Types.BIT ? bit(value) : value.toString('base64')
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  const text = String(value)
  if (numbers.has(type)) return new Digits(text)
  if (type === Types.JSON) return new Parsed(text)
  // There is no day 0 of month 0.
  if (text.startsWith('0000-00-00') && (instants.has(type) || type === Types.DATE)) return null
  // The time zone of the connection is UTC; a DATETIME has none.
  return instants.has(type) ? text.replace(' ', 'T') + (type === Types.TIMESTAMP ? 'Z' : '') : text
}

function bit(bytes: Buffer): SqlValue {
  return bytes.length === 1 ? (bytes[0] ?? 0) : new Digits(BigInt(`0x${bytes.toString('hex')}`).toString())
}

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * The libraries of stores and databases, each loaded when a configuration names one of its kind: together they take a quarter of a start,
 * and few configurations need more than one of them.
 */
export const drivers = {
  get embedded() {
    return require('lmdb') as typeof import('lmdb')
  },
  get redis() {
    return require('ioredis') as typeof import('ioredis')
  },
  get postgresql() {
    return require('pg') as typeof import('pg')
  },
  get mysql() {
    return require('mysql2') as typeof import('mysql2')
  },
}

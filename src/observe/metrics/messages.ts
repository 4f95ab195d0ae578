import type { FamilyNumbers } from './family.ts'

/** What a worker says to the first process about numbers. Questions have numbers, which their answers repeat. */
export type FromWorker =
  /** It can be asked from now on. */
  | { readonly metrics: 'ready' }
  /** The numbers of all processes are wanted. */
  | { readonly metrics: 'wanted'; readonly number: number }
  | { readonly metrics: 'collected'; readonly number: number; readonly families: readonly FamilyNumbers[] }

/** What the first process says to a worker. */
export type ToWorker =
  /** Tell your own numbers. */
  | { readonly metrics: 'collect'; readonly number: number }
  | { readonly metrics: 'all'; readonly number: number; readonly families: readonly FamilyNumbers[] }

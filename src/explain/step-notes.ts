import type { JsonValue } from '../json.ts'
import type { ExplainedCandidate, ExplainedCriterion, ExplainedExpression, ExplainedLookup, ExplainedStep } from './explanation.ts'

/** What a step has told before its end. */
export class StepNotes {
  readonly facts: Record<string, JsonValue> = {}
  candidates: readonly ExplainedCandidate[] = []
  readonly lookups: ExplainedLookup[] = []
  readonly expressions: ExplainedExpression[] = []
  readonly criteria: ExplainedCriterion[] = []

  get isEmpty(): boolean {
    return Object.keys(this.told).length === 0
  }

  /** The members of an explained step, without those of which there is nothing to tell. */
  get told(): Omit<ExplainedStep, 'step' | 'result'> {
    const { facts, candidates, lookups, expressions, criteria } = this
    return {
      ...(Object.keys(facts).length > 0 && { facts }),
      ...(candidates.length > 0 && { candidates }),
      ...(lookups.length > 0 && { lookups }),
      ...(expressions.length > 0 && { expressions }),
      ...(criteria.length > 0 && { criteria }),
    }
  }
}

import { Outage } from '../oauth/errors.ts'

/** A store has answered, and what it says is not what its file declares: nobody may go on with that, whatever a lookup does without a store. */
export class UnfitAnswer extends Outage {}

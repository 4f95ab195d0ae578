import { Outage } from '../oauth/errors.ts'

/** Settles as the answer does, or with an `Outage` when there is none after so many milliseconds. */
export function within<Answer>(milliseconds: number, whom: string, answer: Promise<Answer>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Outage(`${whom} has not answered for ${milliseconds} ms`)), milliseconds)
    answer.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}

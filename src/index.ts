/** weir's public API. Nothing inside src imports this file. */
export type { Candidate, PickFunction, Request, RequestFunction, RequestOutcome } from './index-types.ts'

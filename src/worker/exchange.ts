/** Types that travel through the stages of an exchange. */
import type { abi } from '../native/abi.ts'

/** What C++ is told to do: a number of `abi.verdict`. */
export type Verdict = (typeof abi.verdict)[keyof typeof abi.verdict]

/** Names one exchange: a slot and its generation, so that a late verdict cannot hit the next occupant. */
export interface ExchangeId {
  readonly index: number
  readonly generation: number
}

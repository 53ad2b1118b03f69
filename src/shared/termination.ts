/** How an exchange or a tunnel ended, in the one word that access log, metrics, live views and Proxy-Status use for it. */
import { abi } from '../native/abi.ts'

const { count: _, ...numbers } = abi.termination

/** By the numbers of `abi.termination`: `client_abort`. */
export const terminationWords: readonly string[] = Object.entries(numbers)
  .sort(([, one], [, other]) => one - other)
  .map(([name]) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))

/** The word of a number of `abi.termination`; `unknown` for one that there is not. */
export function terminationWord(number: number): string {
  return terminationWords[number] ?? 'unknown'
}

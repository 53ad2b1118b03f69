/** A server's share by intent, and what it got. */
export interface Share {
  weight: number
  requests: number
}

/**
 * Jain's index of requests divided by weight: 1 when every server had its share, 1/n when one of n had everything; 1 of nothing.
 * Servers of weight 0 are not meant to get any and are left out.
 */
export function fairness(shares: readonly Share[]): number {
  const values = shares.filter(({ weight }) => weight > 0).map(({ weight, requests }) => requests / weight)
  const sum = values.reduce((total, value) => total + value, 0)
  const squares = values.reduce((total, value) => total + value ** 2, 0)
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares)
}

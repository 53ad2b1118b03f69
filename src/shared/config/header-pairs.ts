/** Headers by name, each with its values, as one list. */
export function headerPairs(headers: Record<string, string[]>): [string, string][] {
  return Object.entries(headers).flatMap(([name, values]) => values.map((value): [string, string] => [name, value]))
}

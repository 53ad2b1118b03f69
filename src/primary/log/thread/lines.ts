/** The lines of a buffer that the record reader filled. */
export function linesOf(bytes: Buffer, end: number): string[] {
  const lines = bytes.toString('utf8', 0, end).split('\n')
  lines.pop()
  return lines
}

/** Says in one sentence why a command failed, and sets the exit code (1 unless another is given). */
export function fail(sentence: string, exitCode = 1): void {
  process.stderr.write(`weir: ${sentence}\n`)
  process.exitCode = exitCode
}

/** `make simulate`: SEED=n replays one seed and prints what happened; SEEDS=n runs seeds 1 to n. */
import { runSeed } from './lib/run.ts'

const seed = process.env['SEED']
if (seed) replay(Number(seed))
else sweep(Number(process.env['SEEDS'] || 1_000))

function replay(seed: number): void {
  const { violation, events, counts } = runSeed(seed, true)
  for (const event of events) console.log(event)
  console.log(`seed ${seed}: ${violation ?? 'all is well'} ${JSON.stringify(counts)}`)
  if (violation !== null) process.exitCode = 1
}

function sweep(seeds: number): void {
  const began = performance.now()
  const totals: Record<string, number> = {}
  let wrong = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const { violation, counts } = runSeed(seed)
    for (const [what, count] of Object.entries(counts)) totals[what] = (totals[what] ?? 0) + count
    if (violation !== null && ++wrong <= 10) console.log(`seed ${seed}: ${violation}`)
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  console.log(`${seeds} seeds in ${seconds} s, ${wrong} with a violation ${JSON.stringify(totals)}`)
  if (wrong > 0) process.exitCode = 1
}

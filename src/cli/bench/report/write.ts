/** Puts a result into a folder: for machines, for HdrHistogram's plotters and for people. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchResult } from '../result.ts'
import { percentileText } from './histograms.ts'
import { page } from './page.ts'

/**
 * Writes `report.json`, `index.html` and a `.hgrm` file for each fleet and policy that was measured. Makes the folder; answers the paths, the
 * page first. Rejects with the error of the file system.
 */
export async function writeReport(result: BenchResult, folder: string): Promise<string[]> {
  const files = [
    { name: 'index.html', text: page(result) },
    { name: 'report.json', text: `${JSON.stringify(result, null, 2)}\n` },
    ...histogramFiles(result),
  ]
  await mkdir(folder, { recursive: true })
  return Promise.all(
    files.map(async ({ name, text }) => {
      const path = join(folder, name)
      await writeFile(path, text)
      return path
    }),
  )
}

function histogramFiles({ fleets }: BenchResult): { name: string; text: string }[] {
  const taken = new Set<string>()
  return fleets.flatMap((fleet) =>
    fleet.policies
      .filter(({ rounds }) => rounds.length > 0)
      .map(({ policy, rounds }) => ({
        name: `${unique(`${plain(fleet.name)}.${plain(policy)}`, taken)}.hgrm`,
        text: percentileText(rounds),
      })),
  )
}

/** Names come from configs: what is left of them is safe in a path. */
function plain(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return letters.replace(/^-+|-+$/g, '').slice(0, 80) || 'unnamed'
}

function unique(name: string, taken: Set<string>): string {
  let free = name
  for (let count = 2; taken.has(free); count++) free = `${name}-${count}`
  taken.add(free)
  return free
}

import { readFile } from 'node:fs/promises'
import { machineMs } from '../shared/base/clock.ts'
import { saveOverrides, writeConfigFile } from '../shared/config/save/save.ts'
import { loadSource } from '../shared/config/source.ts'
import type { SaveData } from '../shared/control/data.ts'
import { ControlError } from '../shared/control/requests.ts'
import type { Configuration } from './configuration.ts'
import type { Overrides } from './overrides.ts'
import type { ServerTable } from './server-table.ts'

export interface Saving {
  file: string | null
  configuration: Configuration
  overrides: Overrides
  table: ServerTable
}

/** Writes the overrides into the config file, from where they come into force: as overrides they are over. Throws ControlError. */
export async function saveOverridesOf({ file, configuration, overrides, table }: Saving, isDryRun: boolean): Promise<SaveData> {
  if (file === null) throw new ControlError('refused', 'this weir was started without a config file: there is nowhere to write to')
  const before = await readFile(file, 'utf8')
  const listed = overrides.list(configuration.source.config).map((one) => ({ ...one, ...overrides.addedServer(one.server) }))
  const { text, edits, kept } = saveOverrides(before, file, listed)
  if (isDryRun || text === before) return { file, dryRun: isDryRun, edits, text }
  await writeConfigFile(file, text, before)
  const { loaded, module } = await loadSource(file)
  if (!loaded.ok) throw new ControlError('failed', `${file} was written, but does not load: ${loaded.problems[0]?.message}`)
  const said = overrides.state()
  const weights = overrides.forget(kept)
  try {
    await configuration.replace({ config: { ...configuration.source.config, upstreams: loaded.config.upstreams }, module })
  } catch (error) {
    overrides.reset(said)
    throw new ControlError('failed', `${file} was written, but did not come into force: ${(error as Error).message}`)
  }
  for (const server of weights) table.setWeightShare(server, 1, machineMs(), 'it is in the config now')
  return { file, dryRun: false, edits, text }
}

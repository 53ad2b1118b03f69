import { readFile } from 'node:fs/promises'
import { saveOverrides, writeConfigFile } from '../shared/config/save/save.ts'
import type { Override, SaveData } from '../shared/control/data.ts'
import { ControlError } from '../shared/control/requests.ts'

/** Writes the overrides into the config file. Throws ControlError. */
export async function saveTo(file: string | null, overrides: Override[], isDryRun: boolean): Promise<SaveData> {
  if (file === null) throw new ControlError('refused', 'this weir was started without a config file: there is nowhere to write to')
  const { text, edits } = await saveOverrides(await readFile(file, 'utf8'), file, overrides)
  if (!isDryRun) await writeConfigFile(file, text)
  return { file, dryRun: isDryRun, edits, text }
}

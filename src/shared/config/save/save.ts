import { readFile, realpath } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Override } from '../../control/data.ts'
import { ControlError } from '../../control/requests.ts'
import type { Environment } from '../environment.ts'
import { configFromText, isModuleFile } from '../load.ts'
import type { Config } from '../model.ts'
import { problemLine } from '../problem.ts'
import { entry } from '../raw.ts'
import { addSplices } from './edit-add.ts'
import { removeSplices } from './edit-remove.ts'
import { weightSplice } from './edit-weight.ts'
import { type Edits, editsOf, type SavedOverride, splitId } from './overrides.ts'
import { replaceFile } from './replace-file.ts'
import { type EditedFile, editedFile, type ServerItem, type ServerList, serverList } from './server-list.ts'
import { type Splice, spliced } from './splice.ts'

/** The text of a config with overrides in it. */
export interface SavedText {
  text: string
  /** What was written and what was not, in words. */
  edits: string[]
  /** Overrides that are not in the text and stay in force as such. */
  kept: Override[]
}

/**
 * Writes run-time overrides into the text of a YAML or JSON config. Only what they concern changes, to the character: comments, order,
 * quotes and spaces stay. The result is loaded and compared before it is answered. Throws ControlError: for a program, for a text
 * that is no valid config, and where the change would mean more than the overrides, as in a list that is used by an alias.
 */
export function saveOverrides(text: string, file: string, overrides: readonly SavedOverride[], env: Environment = process.env): SavedText {
  if (isModuleFile(file)) throw new ControlError('refused', byHand(`${file} is a program, which weir does not rewrite`, overrides))
  const before = loaded(text, file, env)
  const edits = editsOf(before, overrides, rawWeights(editedFile(text, file, env)))
  const written = edited(text, edits, (part) => editedFile(part, file, env))
  const after = configFromText(written, file, env)
  if (!after.ok) {
    const problem = after.problems[0]
    throw new ControlError(
      'refused',
      `with the overrides the config would not be valid: ${problem ? problemLine(problem) : 'unknown problem'}`,
    )
  }
  if (!isDeepStrictEqual(withoutPlaces(after.config), withoutPlaces(applied(before, edits))))
    throw new ControlError('refused', byHand(`the overrides cannot be written into ${file} without changing more than them`, overrides))
  return { text: written, edits: edits.texts, kept: edits.kept }
}

/**
 * Replaces the text of a config file as a whole: whoever reads it sees the old text or the new one, also after a crash. Mode and owner
 * stay; a symbolic link stays one. `expected` is the text that it must still have. Throws ControlError; the file is then as it was.
 */
export async function writeConfigFile(path: string, text: string, expected?: string): Promise<void> {
  try {
    const target = await realpath(path)
    if (expected !== undefined && (await readFile(target, 'utf8')) !== expected)
      throw new ControlError('refused', `${path} was changed by somebody else meanwhile`)
    await replaceFile(target, text)
  } catch (error) {
    if (error instanceof ControlError) throw error
    throw new ControlError('failed', `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function loaded(text: string, file: string, env: Environment): Config {
  const result = configFromText(text, file, env)
  if (result.ok) return result.config
  const problem = result.problems[0]
  throw new ControlError('invalid-config', problem ? problemLine(problem) : `${file} is not valid`)
}

/** One after the other, each on what the one before it made: servers are added before others go, so that no list is ever empty. */
function edited(text: string, edits: Edits, read: (text: string) => EditedFile): string {
  const weighed = spliced(text, weightSplices(read(text), edits))
  const grown = spliced(weighed, addedSplices(read(weighed), edits))
  return spliced(grown, removedSplices(read(grown), edits))
}

function weightSplices(file: EditedFile, { weights }: Edits): Splice[] {
  return [...weights].map(([id, weight]) => {
    const { upstream, name } = splitId(id)
    return weightSplice(file, itemOf(serverList(file, upstream), name), weight)
  })
}

function addedSplices(file: EditedFile, { added }: Edits): Splice[] {
  return [...grouped(added, ({ upstream }) => upstream)].flatMap(([upstream, group]) => {
    return addSplices(
      file,
      serverList(file, upstream),
      group.map(({ server }) => server),
    )
  })
}

function removedSplices(file: EditedFile, { removed }: Edits): Splice[] {
  return [...grouped(removed, ({ upstream }) => upstream)].flatMap(([upstream, group]) => {
    const list = serverList(file, upstream)
    if (group.length === list.items.length) throw new ControlError('refused', `upstream ${upstream} would have no server left in the file`)
    return removeSplices(
      file,
      list,
      group.map(({ name }) => itemOf(list, name)),
    )
  })
}

function itemOf(list: ServerList, name: string): ServerItem {
  const item = list.items.find((one) => one.name === name)
  if (!item) throw new ControlError('refused', `server ${list.upstream}/${name} cannot be found in the file`)
  return item
}

function rawWeights(file: EditedFile): (id: string) => unknown {
  return (id) => {
    const { upstream, name } = splitId(id)
    const item = serverList(file, upstream).items.find((one) => one.name === name)
    return item && entry(item.raw, 'weight').value
  }
}

/** The config that the new text has to give. */
function applied(config: Config, { weights, added, removed }: Edits): Config {
  const upstreams = config.upstreams.map((upstream) => {
    const weighed = upstream.servers.map((server) => {
      const weight = weights.get(`${upstream.name}/${server.name}`)
      return weight === undefined ? server : { ...server, weight: Number.parseInt(String(weight), 10) }
    })
    const own = added.filter((one) => one.upstream === upstream.name).map(({ server }) => server)
    const isGone = (name: string) => removed.some((one) => one.upstream === upstream.name && one.name === name)
    return { ...upstream, servers: [...weighed.filter(({ name }) => !isGone(name)), ...own] }
  })
  return { ...config, upstreams }
}

/** Lines move; nothing else of a place does, and no two configs are compared by it. */
function withoutPlaces(config: Config): unknown {
  return JSON.parse(JSON.stringify(config, (key, value: unknown) => (key === 'place' ? undefined : value)))
}

function byHand(why: string, overrides: readonly SavedOverride[]): string {
  const lines = overrides.flatMap(({ server, what, value, added }) => {
    const { upstream, name } = splitId(server)
    const at = `upstreams.${upstream}.servers`
    if (what === 'weight') return [`  ${at}: ${value} of the weight of ${name}`]
    if (what === 'added') return [`  ${at}: add ${name === value ? value : `{ name: ${name}, address: ${added?.address.text ?? value} }`}`]
    return what === 'removed' ? [`  ${at}: remove ${name}`] : []
  })
  return lines.length === 0 ? why : `${why}; change by hand:\n${lines.join('\n')}`
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

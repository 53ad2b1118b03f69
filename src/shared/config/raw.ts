import { parseDuration } from '../base/units.ts'
import { itemPath, keyPath } from './key-path.ts'

/** A value of a document with its path. Rules read documents through these, as any part may have the wrong shape. */
export interface Raw {
  path: string
  value: unknown
}

/** The entry of a map; its value is undefined where the map or the entry does not exist. */
export function entry(parent: Raw, key: string): Raw {
  const { value } = parent
  const isThere = isRawMap(value) && Object.hasOwn(value, key)
  return { path: keyPath(parent.path, key), value: isThere ? value[key] : undefined }
}

/** All entries of a map with their keys; none where it is no map. */
export function entries(parent: Raw): (Raw & { key: string })[] {
  if (!isRawMap(parent.value)) return []
  return Object.entries(parent.value).map(([key, value]) => ({ key, path: keyPath(parent.path, key), value }))
}

/** The items of a list; none where it is no list. */
export function items(parent: Raw): Raw[] {
  if (!Array.isArray(parent.value)) return []
  return parent.value.map((value: unknown, index) => ({ path: itemPath(parent.path, index), value }))
}

/** The items of a list, or the value itself where it is no list. */
export function oneOrItems(parent: Raw): Raw[] {
  if (Array.isArray(parent.value)) return items(parent)
  return parent.value === undefined ? [] : [parent]
}

/** The keys that are given. */
export function keysOf(parent: Raw): string[] {
  return isRawMap(parent.value) ? Object.keys(parent.value) : []
}

/** Whether a map stands there. */
export function isMap({ value }: Raw): boolean {
  return isRawMap(value)
}

/** A duration in milliseconds; null where none is given or it is none, which has been reported. */
export function durationOf({ value }: Raw): number | null {
  const result = typeof value === 'string' ? parseDuration(value) : null
  return result?.ok ? result.value : null
}

/** A number, which may have come out of the environment as text; null for anything else. */
export function numberOf({ value }: Raw): number | null {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : null
}

function isRawMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import type { Override } from '../../control/data.ts'
import { ControlError } from '../../control/requests.ts'
import { parseServerAddress } from '../address.ts'
import type { Config, ServerConfig } from '../model.ts'
import { isWeightShare } from '../weight.ts'

/** An override that is written into a file; `added` where more is known of an added server than its address. */
export type SavedOverride = Override & { added?: ServerConfig }

/** What is to be done in the file, and what cannot be. */
export interface Edits {
  /** New weights by `upstream/server`, as they are written. */
  weights: Map<string, string | number>
  added: { upstream: string; server: ServerConfig }[]
  removed: { upstream: string; name: string }[]
  /** In words. */
  texts: string[]
  /** Overrides that stay, as no config can say them or the file knows nothing of them. */
  kept: Override[]
}

/** What overrides mean for a config, which is that of the file. `rawWeight` is a weight as it is written there. Throws ControlError. */
export function editsOf(config: Config, overrides: readonly SavedOverride[], rawWeight: (id: string) => unknown): Edits {
  const edits: Edits = { weights: new Map(), added: [], removed: [], texts: [], kept: [] }
  const shares = new Map(overrides.flatMap(({ what, server, value }) => (what === 'weight' ? [[server, shareOf(value)] as const] : [])))
  for (const override of overrides) {
    if (override.what === 'admin') keep(edits, override, `${override.value} cannot stand in a config and stays`)
    else if (override.what === 'added') add(edits, config, { override, share: shares.get(override.server) })
    else if (override.what === 'removed') remove(edits, config, override)
  }
  for (const override of overrides) {
    const isElsewhere = overrides.some(({ what, server }) => server === override.server && (what === 'added' || what === 'removed'))
    if (override.what === 'weight' && !isElsewhere) weigh(edits, config, { override, raw: rawWeight(override.server) })
  }
  return edits
}

/** A share of a configured weight, in whole numbers: at least 1 but for 0%. */
export function sharedWeight(weight: number, share: number): number {
  return share === 0 || weight === 0 ? 0 : Math.max(1, Math.round(weight * share))
}

/** The upstream of `upstream/server`, whose second part may hold slashes itself. */
export function splitId(id: string): { upstream: string; name: string } {
  const slash = id.indexOf('/')
  return { upstream: id.slice(0, slash), name: id.slice(slash + 1) }
}

/** `50%` is 0.5, and may be more than the whole. */
function shareOf(value: string): number {
  const match = /^(\d{1,6}(?:\.\d{1,9})?)%$/.exec(value)
  if (!match) throw new ControlError('refused', `a weight override is a percentage, found "${value}"`)
  return Number(match[1]) / 100
}

function add(edits: Edits, config: Config, { override, share }: { override: SavedOverride; share: number | undefined }): void {
  const { upstream, name } = splitId(override.server)
  const known = config.upstreams.find((one) => one.name === upstream)
  const own = known?.servers.find((server) => server.name === name)
  if (!known) keep(edits, override, `the file has no upstream ${upstream}; the added server stays an override`)
  else if (own) keep(edits, override, `the file has a server of that name already, at ${own.address.text}`)
  else {
    const server = override.added ?? serverAt(name, override.value)
    const weight = share === undefined ? server.weight : sharedWeight(server.weight, share)
    edits.added.push({ upstream, server: { ...server, weight } })
    edits.texts.push(`${override.server}: added at ${server.address.text}${weight === 1 ? '' : ` with weight ${weight}`}`)
  }
}

function remove(edits: Edits, config: Config, override: SavedOverride): void {
  if (listed(config, override.server)) {
    edits.removed.push(splitId(override.server))
    edits.texts.push(`${override.server}: removed`)
  } else keep(edits, override, 'the file does not list it; its removal stays an override')
}

function weigh(edits: Edits, config: Config, { override, raw }: { override: SavedOverride; raw: unknown }): void {
  const server = listed(config, override.server)
  const unit = isWeightShare(raw) ? '%' : ''
  const weight = sharedWeight(server?.weight ?? 0, shareOf(override.value))
  if (!server) keep(edits, override, `the file does not list it; its weight of ${override.value} stays an override`)
  else if (weight === server.weight)
    edits.texts.push(`${override.server}: weight stays ${weight}${unit}, as ${override.value} of it rounds to that`)
  else {
    edits.weights.set(override.server, unit === '%' ? `${weight}%` : weight)
    edits.texts.push(`${override.server}: weight from ${server.weight}${unit} to ${weight}${unit}`)
  }
}

function keep(edits: Edits, override: SavedOverride, why: string): void {
  const { added: _, ...plain } = override
  edits.kept.push(plain)
  edits.texts.push(`${override.server}: ${why}`)
}

function listed(config: Config, id: string): ServerConfig | undefined {
  const { upstream, name } = splitId(id)
  return config.upstreams.find((one) => one.name === upstream)?.servers.find((server) => server.name === name)
}

function serverAt(name: string, text: string): ServerConfig {
  const address = parseServerAddress(text)
  if (!address.ok) throw new ControlError('refused', `an added server is no address: ${address.message}`)
  return { name, address: address.value, weight: 1, maxConnections: null, tier: 0, zone: null }
}

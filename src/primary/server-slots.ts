import { abi } from '../native/abi.ts'
import type { Config } from '../shared/config/model.ts'

/** Rows of the board by `upstream/server`. Throws an Error when the config has more servers than the board has rows. */
export function serverSlots(config: Config): Record<string, number> {
  const slots: Record<string, number> = {}
  let next = 0
  for (const upstream of config.upstreams) for (const server of upstream.servers) slots[`${upstream.name}/${server.name}`] = next++
  if (next > abi.board.servers) throw new Error(`the configuration has ${next} servers; at most ${abi.board.servers} are possible`)
  if (config.listeners.length > abi.board.listeners) {
    throw new Error(`the configuration has ${config.listeners.length} listeners; at most ${abi.board.listeners} are possible`)
  }
  return slots
}

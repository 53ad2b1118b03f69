import type { Operation } from '../operation.ts'
import type { Caller } from '../verb.ts'
import { act, forced } from './act.ts'
import { type HaproxyCommand, HaproxyError } from './command.ts'
import { serverByName } from './find.ts'
import { changeWeight } from './weight.ts'

export const setServer: HaproxyCommand = {
  words: ['set', 'server'],
  usage: 'set server <bk>/<srv> [opts]',
  text: "change a server's state or weight",
  run(operation, [name, what, value, last], caller) {
    const { server } = serverByName(operation, name).record
    if (what === 'weight') return changeWeight(operation, server, value, last, caller)
    if (what !== 'state') throw new HaproxyError('usage: set server <backend>/<server> state | weight')
    return changeState(operation, server, value, last, caller)
  },
}

export const disableServer: HaproxyCommand = {
  words: ['disable', 'server'],
  usage: 'disable server (DEPRECATED)',
  text: "disable a server for maintenance (use 'set server' instead)",
  run(operation, [name, last], caller) {
    return changeState(operation, serverByName(operation, name).record.server, 'maint', last, caller)
  },
}

export const enableServer: HaproxyCommand = {
  words: ['enable', 'server'],
  usage: 'enable server  (DEPRECATED)',
  text: "enable a disabled server (use 'set server' instead)",
  run(operation, [name], caller) {
    return changeState(operation, serverByName(operation, name).record.server, 'ready', undefined, caller)
  },
}

function changeState(
  operation: Operation,
  server: string,
  state: string | undefined,
  last: string | undefined,
  caller: Caller,
): Promise<''> {
  if (state === 'ready') return act(operation, 'ready', { server }, caller)
  if (state === 'drain') return act(operation, 'drain', { server, ...forced(last) }, caller)
  if (state === 'maint') return act(operation, 'maint', { server, ...forced(last) }, caller)
  throw new HaproxyError("'set server <srv> state' expects 'ready', 'drain' and 'maint'.")
}

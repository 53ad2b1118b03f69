import { act } from './act.ts'
import type { HaproxyCommand } from './command.ts'
import { serverByName } from './find.ts'

export const shutdownSessions: HaproxyCommand = {
  words: ['shutdown', 'sessions', 'server'],
  usage: 'shutdown sessions server <bk>/<srv>',
  text: 'kill sessions on a server',
  run(operation, [name], caller) {
    return act(operation, 'cut', { server: serverByName(operation, name).record.server }, caller)
  },
}

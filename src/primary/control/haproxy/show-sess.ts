import { sessionsOf } from '../verbs/sessions.ts'
import type { HaproxyCommand } from './command.ts'

export const showSess: HaproxyCommand = {
  words: ['show', 'sess'],
  usage: 'show sess',
  text: 'report the list of open tunnels',
  async run(operation) {
    const sessions = await sessionsOf(operation, -1)
    const rows = sessions.map(({ worker, client, listener, server, ageMs, idleMs, bytesSent, bytesReceived }, number) => {
      const [backend = '<NONE>', ...name] = server.split('/')
      const place = `fe=${listener || '<NONE>'} be=${backend || '<NONE>'} srv=${name.join('/') || '<none>'}`
      const seconds = (ms: number) => `${Math.floor(ms / 1_000)}s`
      const amounts = `age=${seconds(ageMs)} idle=${seconds(idleMs)} in=${bytesSent} out=${bytesReceived}`
      return `0x${(number + 1).toString(16)}: proto=${protocolOf(client)} src=${client} ${place} worker=${worker} ${amounts}`
    })
    return rows.join('\n')
  },
}

function protocolOf(client: string): string {
  if (client === '' || client.startsWith('unix')) return 'unix_stream'
  return client.startsWith('[') || client.split(':').length > 2 ? 'tcpv6' : 'tcpv4'
}

import { hostname } from 'node:os'
import { abi } from '../../../native/abi.ts'
import { weirVersion } from '../weir-version.ts'
import type { HaproxyCommand } from './command.ts'

const { workerCounter } = abi

/** Those of HAProxy's lines that mean something here, in its order. */
export const showInfo: HaproxyCommand = {
  words: ['show', 'info'],
  usage: 'show info',
  text: 'report information about the running process',
  run(operation) {
    const { board, startedAt } = operation
    const { listeners } = operation.config()
    const upSeconds = Math.max(0, Math.floor((Date.now() - startedAt.getTime()) / 1_000))
    const most = listeners.reduce((sum, { limits }) => sum + limits.connections, 0)
    const rows: [string, string | number][] = [
      ['Name', 'weir'],
      ['Version', weirVersion()],
      ['Nbthread', 1],
      ['Nbproc', operation.workers().length],
      ['Process_num', 1],
      ['Pid', process.pid],
      ['Uptime', uptimeText(upSeconds)],
      ['Uptime_sec', upSeconds],
      ['Maxconn', most],
      ['Hard_maxconn', most],
      ['CurrConns', board.allWorkers(workerCounter.connections)],
      ['CumConns', board.allWorkers(workerCounter.accepted)],
      ['CumReq', board.allWorkers(workerCounter.exchanges)],
      ['node', hostname()],
      ['Stopping', operation.state() === 'stopping' ? 1 : 0],
      ['Listeners', listeners.length],
      ['TotalBytesOut', board.allWorkers(workerCounter.bytesToClients)],
      ['Start_time_sec', Math.floor(startedAt.getTime() / 1_000)],
    ]
    return rows.map(([key, value]) => `${key}: ${value}`).join('\n')
  },
}

function uptimeText(seconds: number): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60]
  return `${days}d ${hours}h${two(minutes)}m${two(seconds % 60)}s`
}

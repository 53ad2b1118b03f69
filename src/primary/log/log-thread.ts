/** Entry of the log thread: reads the records of all workers for the access log, live streams, searches and traces. */
import { parentPort, workerData } from 'node:worker_threads'
import { addon } from '../../native/addon.ts'
import type { FromLogThread, ToLogThread } from './messages.ts'
import { LogDesk } from './thread/log-desk.ts'

/** What the primary starts the thread with. */
export interface LogThreadData {
  boardFd: number
  workers: number
}

if (parentPort === null) throw new Error('the log thread is started by the primary only')
const port = parentPort
const { boardFd, workers } = workerData as LogThreadData
const { RecordReader } = addon()
const desk = new LogDesk({
  reader: new RecordReader({ boardFd, workers }),
  post: (message: FromLogThread) => port.postMessage(message),
  trace: async (options) => {
    const { TraceJob } = await import('./thread/trace-job.ts')
    return new TraceJob(options)
  },
})
port.on('message', (message: ToLogThread) => desk.handle(message))

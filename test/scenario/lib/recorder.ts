/** Clients that write down how long each answer took, in a thread of their own so that nothing else of a test delays them. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Scope } from './wait.ts'

export interface Recorded {
  /** Microseconds from a request written to its answer read, ascending. */
  client: number[]
  /** The same without what the server said that it took: its answer's body is that number. */
  rest: number[]
}

export interface Recording {
  port: number
  /** Connections, each of which asks one path after the other. They begin one after the other, `staggerMs` apart. */
  paths: string[][]
  staggerMs: number
}

// Plain JavaScript: a thread that had to load TypeScript first would start late.
const thread = `
const { parentPort, workerData: { port, paths, staggerMs } } = require('node:worker_threads')
const { connect } = require('node:net')
const client = [], rest = []
function lane(list) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true).setEncoding('latin1')
    let next = 0, begun = 0, text = ''
    const ask = () => {
      if (next === list.length) return socket.end(), resolve()
      begun = performance.now()
      socket.write('GET ' + list[next++] + ' HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n')
    }
    socket.on('connect', ask)
    socket.on('error', reject)
    socket.on('data', (part) => {
      const us = (performance.now() - begun) * 1000
      text += part
      const found = /^HTTP\\/1\\.1 200 [^]*?content-length: (\\d+)[^]*?\\r\\n\\r\\n([^]*)/i.exec(text)
      if (!found) return text.length > 4096 && reject(new Error(text))
      if (found[2].length < Number(found[1])) return
      text = ''
      client.push(us)
      rest.push(us - Number(found[2]))
      ask()
    })
  })
}
Promise.all(paths.map(async (list, i) => {
  await new Promise((resolve) => setTimeout(resolve, i * staggerMs))
  await lane(list)
})).then(() => {
  for (const list of [client, rest]) list.sort((a, b) => a - b)
  parentPort.postMessage({ client, rest })
})
`

/** Asks everything and answers what was seen. Rejects when a connection breaks or an answer is no 200. */
export async function record(scope: Scope, recording: Recording): Promise<Recorded> {
  const worker = new Worker(thread, { eval: true, workerData: recording })
  scope.after(async () => void (await worker.terminate()))
  const [recorded] = (await once(worker, 'message')) as [Recorded]
  return recorded
}

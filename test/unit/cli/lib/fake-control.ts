/** A control socket that answers what a test says, on a real unix socket. What it gets and says is held to the published shapes. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Value } from 'typebox/value'
import {
  type ControlErrorCode,
  controlErrors,
  type DataOf,
  schemaName,
  type VerbName,
  verbs,
} from '../../../../src/shared/control/requests.ts'

export interface Scope {
  after(cleanup: () => void | Promise<void>): void
}

export interface FakeControl {
  readonly path: string
  /** Requests so far, in order. */
  readonly requests: ({ verb: VerbName } & Record<string, unknown>)[]
  /** Lines that it answered, without line feeds. */
  readonly lines: string[]
  /** Connections that are open. */
  readonly open: number
}

/** One line of an answer; `silence` is none, `close` ends the connection. */
export type Line = string | 'silence' | 'close'
type Script = Partial<Record<VerbName, Line[] | ((request: Record<string, unknown>) => Line[])>>

/** Answers each verb with its lines. A verb that is not in the script ends the test with an error. */
export async function fakeControl(scope: Scope, script: Script): Promise<FakeControl> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  const path = join(folder, 'weir.sock')
  const requests: FakeControl['requests'] = []
  const lines: string[] = []
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)))
    createInterface(socket).on('line', (line) => {
      const request = JSON.parse(line) as FakeControl['requests'][number]
      requests.push(request)
      for (const answer of answersTo(request, script)) {
        if (answer === 'close') socket.destroy()
        else if (answer !== 'silence') {
          lines.push(answer)
          socket.write(`${answer}\n`)
        }
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  scope.after(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    path,
    requests,
    lines,
    get open() {
      return open.size
    },
  }
}

function answersTo({ verb, ...request }: FakeControl['requests'][number], script: Script): Line[] {
  if (verbs[verb] === undefined || !Value.Check(verbs[verb].request, request))
    return [failure('bad-request', `the test got a request that is not in the contract: ${JSON.stringify({ verb, ...request })}`)]
  const found = script[verb] ?? [failure('failed', `the test has no answer to ${verb}`)]
  return typeof found === 'function' ? found(request) : found
}

/** The final line of an answer, as weir would write it. */
export function answer<V extends VerbName>(verb: V, data: DataOf<V>, generation = 42): string {
  const faults = Value.Errors(verbs[verb].data, data)
  assert.deepEqual(faults, [], `the canned answer to ${verb} is not in the contract`)
  return JSON.stringify({ schema: schemaName(verb), generation, time: '2026-01-31T12:00:00.000Z', data })
}

export function progress(data: unknown): string {
  return JSON.stringify({ schema: 'weir.progress/1', generation: 42, time: '2026-01-31T12:00:00.000Z', data })
}

export function failure(code: ControlErrorCode, message: string): string {
  const error = { code, message, exit: controlErrors[code] }
  return JSON.stringify({ schema: 'weir.error/1', generation: 42, time: '2026-01-31T12:00:00.000Z', error })
}

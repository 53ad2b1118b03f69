import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Session } from '../../../src/shared/control/data.ts'
import { weir, weirAt } from './lib/command.ts'
import { answer, fakeControl } from './lib/fake-control.ts'

const session: Session = {
  worker: 2,
  client: '10.1.2.3:40000',
  listener: 'web',
  server: 'api/a',
  ageMs: 192_000,
  idleMs: 900,
  bytesSent: 812,
  bytesReceived: 3.5 * 2 ** 20,
}

test('sessions lists open tunnels, of all servers or of one', async (t) => {
  const control = await fakeControl(t, { sessions: [answer('sessions', { sessions: [session], total: 3 })] })
  const { code, out } = await weirAt(control, ['sessions'])
  assert.deepEqual(
    [code, out],
    [
      0,
      `CLIENT          LISTENER  SERVER  AGE       IDLE    SENT  RECEIVED  WORKER
10.1.2.3:40000  web       api/a   3 m 12 s  900 ms  812B    3.5MiB       2
3 open tunnels, 1 of them shown; --most shows more
`,
    ],
  )
  await weirAt(control, ['sessions', 'api/a', '--most', '5'])
  assert.deepEqual(control.requests, [{ verb: 'sessions' }, { verb: 'sessions', server: 'api/a', most: 5 }])
  assert.equal((await weirAt(control, ['sessions', '--json'])).out, `${control.lines[0]}\n`)
})

test('sessions says when there are none', async (t) => {
  const control = await fakeControl(t, { sessions: [answer('sessions', { sessions: [], total: 0 })] })
  assert.equal((await weirAt(control, ['sessions'])).out, 'no open tunnels\n')
})

test('sessions of something that is no server is bad usage', async () => {
  const { code, err } = await weir(['sessions', 'api'])
  assert.equal(code, 2)
  assert.match(err, /expected a server as upstream\/server/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerRequest } from '../../../src/primary/control/answer-request.ts'
import type { Operation } from '../../../src/primary/control/operation.ts'
import type { TailEvents } from '../../../src/primary/log/access-log.ts'
import type { Found } from '../../../src/primary/log/messages.ts'
import type { TailProgress } from '../../../src/shared/control/record-data.ts'
import type { Answer } from '../../../src/shared/control/requests.ts'
import { until } from '../../scenario/lib/wait.ts'
import { fake } from '../control/fixtures.ts'

interface Stage {
  operation: Operation
  events(): TailEvents
  /** What the stream was asked for: `more`, `close`. */
  asked: string[]
  found: Found
}

function stage(): Stage {
  const made: Partial<Stage> = { asked: [], found: { record: null, count: 0, reachMs: null } }
  let events: TailEvents | undefined
  const records: NonNullable<Operation['records']> = {
    tail: (_where, given) => {
      events = given
      return { more: () => void made.asked?.push('more'), close: () => void made.asked?.push('close') }
    },
    find: async () => made.found as Found,
    states: () => [],
  }
  made.operation = { ...fake().operation, records }
  made.events = () => events as TailEvents
  return made as Stage
}

interface Client {
  told: TailProgress[]
  isReading: boolean
  answer: Promise<Answer>
  gone: AbortController
}

function ask({ operation }: Stage, request: object): Client {
  const client: Partial<Client> = { told: [], isReading: true, gone: new AbortController() }
  const progress = (data: unknown) => {
    if (client.isReading) client.told?.push(data as TailProgress)
    return client.isReading === true
  }
  client.answer = answerRequest(operation, JSON.stringify(request), { who: 'x', signal: (client.gone as AbortController).signal, progress })
  return client as Client
}

test('a stream asks for the next batch when the one before was read, and loses nothing that it has', async () => {
  const made = stage()
  const client = ask(made, { verb: 'tail', limit: 4 })
  assert.deepEqual(client.told, [{ records: [], lost: 0 }])
  client.isReading = false
  made.events().records([{ requestId: 'a' }, { requestId: 'b' }], 0)
  await new Promise((resolve) => setTimeout(resolve, 120))
  assert.deepEqual([client.told.length, made.asked], [1, []])
  client.isReading = true
  await until(() => client.told.length === 2)
  await until(() => made.asked.length === 1)
  made.events().records([], 7)
  await until(() => client.told.at(-1)?.lost === 7)
  made.events().records([{ requestId: 'c' }, { requestId: 'd' }, { requestId: 'e' }], 7)
  const answer = (await client.answer) as { data: object }
  assert.deepEqual(answer.data, { sent: 4, lost: 7 })
  assert.deepEqual(
    client.told.flatMap(({ records }) => records.map(({ requestId }) => requestId)),
    ['a', 'b', 'c', 'd'],
  )
  assert.equal(made.asked.at(-1), 'close')
})

test('a stream ends with its client, and with its thread', async () => {
  const made = stage()
  const client = ask(made, { verb: 'tail' })
  client.gone.abort(new Error('gone'))
  assert.ok('error' in (await client.answer))
  assert.deepEqual(made.asked, ['close'])
  const other = ask(made, { verb: 'tail' })
  made.events().failed('the log thread ended by itself')
  const { error } = (await other.answer) as { error: { message: string } }
  assert.equal(error.message, 'the stream ended: the log thread ended by itself')
})

test('a stream is refused where progress goes nowhere, and where its expression is none', async () => {
  const made = stage()
  const caller = { who: 'x', signal: new AbortController().signal, progress: () => undefined }
  const deaf = (await answerRequest(made.operation, '{"verb":"tail"}', caller)) as { error: { code: string } }
  assert.equal(deaf.error.code, 'bad-request')
  const { error } = (await ask(made, { verb: 'tail', where: 'status>=500 & x' }).answer) as { error: { message: string } }
  assert.match(error.message, /where, character 13: "&" means nothing here/)
})

test('what is not known is said with how far back records go', async () => {
  const made = stage()
  made.found = { record: null, count: 0, reachMs: 61_000 }
  const { error } = (await ask(made, { verb: 'why', id: 'x\u001b[m' }).answer) as { error: { code: string; exit: number; message: string } }
  assert.deepEqual([error.code, error.exit], ['not-kept', 4])
  assert.match(error.message, /no request with the id "x\ufffd\[m" is known: all requests of the last 61 s are; the last 2,000/)
})

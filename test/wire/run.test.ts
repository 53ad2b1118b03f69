// Plays every wire document against the real balancer. After each case the balancer still serves, and what the case left
// behind in its pool does no harm: the next request of another client gets its own answer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startBalancer } from '../scenario/lib/balancer.ts'
import { ask, Broken, type Client, connect } from '../scenario/lib/client.ts'
import { config } from '../scenario/lib/config.ts'
import { file } from '../scenario/lib/file-scope.ts'
import type { Scope } from '../scenario/lib/wait.ts'
import { loadCorpus, type RequestCase, type ResponseCase, type Step } from './corpus.ts'
import { startRecorder } from './recorder.ts'

const WAITING_MS = 150

const corpus = loadCorpus(import.meta.dirname)
const server = await startRecorder(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))
let after = 0

async function assertUnharmed(scope: Scope): Promise<void> {
  const target = `/after-${++after}`
  const { status, text } = await ask(scope, weir.port(), `GET ${target}`)
  assert.equal(`${status} ${text}`, `200 ${target}`, 'the next request of another client')
}

async function assertStep(client: Client, step: Step, method: string): Promise<void> {
  if (step.at === 'waits') {
    await delay(WAITING_MS)
    assert.equal(client.reader.pending.toString('latin1'), '')
    assert.equal(client.reader.ended, false)
    return
  }
  const answer = await client.readResponse({ method })
  assert.equal(answer.status, step.at === 'forwarded' ? 200 : step.status)
  assert.equal(answer.header('x-recorder') !== undefined, step.at === 'forwarded', 'who answered')
  if (step.closes) await client.expectClosed()
}

function assertSeen({ steps, serverSees, serverHeaders, serverBody, serverNeverSees }: RequestCase): void {
  const seen = server.taken()
  assert.equal(seen.requests.length, steps.filter(({ at }) => at === 'forwarded').length, 'requests that the server saw whole')
  for (const line of serverSees)
    assert.ok(
      seen.requests.some((request) => request.line === line),
      `${line}: ${seen.bytes}`,
    )
  for (const { name, value } of serverHeaders) {
    assert.ok(
      seen.requests.some((request) => request.headers[name] === value),
      `${name}: ${value} not in ${seen.bytes}`,
    )
  }
  if (serverBody !== undefined) assert.equal(seen.requests[0]?.body, serverBody)
  for (const text of serverNeverSees) assert.ok(!seen.bytes.includes(text), `the server saw ${text}: ${seen.bytes}`)
}

for (const wire of corpus.requests) {
  test(`${wire.file}:${wire.line} ${wire.title}`, async (t) => {
    server.taken()
    const client = await connect(t, weir.port())
    client.send(wire.bytes)
    const methods = wire.bytes.toString('latin1').match(/^[A-Z]+(?= )/gm) ?? []
    for (const [i, step] of wire.steps.entries()) await assertStep(client, step, methods[i] ?? 'GET')
    assertSeen(wire)
    client.socket.destroy()
    await assertUnharmed(t)
  })
}

async function assertResponse(client: Client, { requestMethod, expect }: ResponseCase): Promise<void> {
  const answer = client.readResponse({ method: requestMethod })
  if (expect.at === 'broken') {
    // A fault that came together with the head may still be a 502.
    const outcome = await answer.then(
      ({ status }) => status,
      (error: Error) => error,
    )
    assert.ok(outcome === 502 || outcome instanceof Broken || /chunk|reset/.test(String(outcome)), String(outcome))
    return
  }
  const { status, text, header } = await answer
  assert.equal(status, expect.status)
  if (expect.at === 'passed') assert.equal(text, expect.body)
  else assert.equal(header('x-recorder'), undefined)
}

for (const wire of corpus.responses) {
  test(`${wire.file}:${wire.line} ${wire.title}`, async (t) => {
    server.play(wire.bytes)
    const client = await connect(t, weir.port())
    client.request(`${wire.requestMethod} /play`)
    await assertResponse(client, wire)
    client.socket.destroy()
    await assertUnharmed(t)
  })
}

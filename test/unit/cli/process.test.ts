import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import yargs from 'yargs'
import { commands } from '../../../src/cli/cli.ts'
import { inTime, type Scope, until } from '../../scenario/lib/wait.ts'
import { answer, fakeControl, progress } from './lib/fake-control.ts'
import { server, status, waited } from './lib/samples.ts'

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))

/** The command line as a process of its own, from source. */
function weirProcess(scope: Scope, words: string[]) {
  const child = spawn(process.execPath, [main, ...words], { env: { ...process.env, SHELL: '/bin/bash' } })
  const text = { out: '', err: '' }
  child.stdout.on('data', (bytes: Buffer) => {
    text.out += bytes
  })
  child.stderr.on('data', (bytes: Buffer) => {
    text.err += bytes
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  scope.after(() => void child.kill('SIGKILL'))
  return { child, text, end: () => inTime(ended, { within: 20_000, what: `the end of weir ${words.join(' ')}` }) }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal} ends a wait with exit code 130`, async (t) => {
    const control = await fakeControl(t, {
      drain: [answer('drain', { changed: true, dryRun: false, what: 'api/a drains', servers: [server('api/a')] })],
      wait: [progress(waited({ isMet: false, remaining: { inFlight: 2, tunnels: 0 } })), 'silence'],
    })
    const { child, text, end } = weirProcess(t, ['drain', 'api/a', '--wait', '--socket', control.path])
    await until(() => text.err.includes('waiting for api/a: 2 in flight'), { within: 20_000 })
    child.kill(signal)
    assert.equal(await end(), 130)
    assert.match(text.err, /weir: interrupted: api\/a goes on draining \(2 in flight when last heard\)/)
  })

test('a command that has its answer ends by itself', async (t) => {
  const control = await fakeControl(t, { status: [answer('status', status())] })
  const { text, end } = weirProcess(t, ['status', '--socket', control.path])
  assert.equal(await end(), 0)
  assert.match(text.out, /^weir 0.1.0 running/)
  assert.equal(text.err, '')
})

test('a reader that has seen enough ends the command quietly', async (t) => {
  const control = await fakeControl(t, { status: [answer('status', status())] })
  const { child, text, end } = weirProcess(t, ['status', '--socket', control.path])
  child.stdout.destroy()
  assert.equal(await end(), 0)
  assert.equal(text.err, '')
})

test('the shell is offered servers, and options where one begins', async (t) => {
  const control = await fakeControl(t, { status: [answer('status', status())] })
  const ask = async (...words: string[]) => {
    const { text, end } = weirProcess(t, ['--get-yargs-completions', 'weir', ...words])
    await end()
    return text.out.trim().split('\n')
  }
  assert.deepEqual(await ask('drain', '--socket', control.path, 'api/'), ['api/a', 'api/b', 'api/c'])
  assert.ok((await ask('drain', '--')).includes('--strict'))
  const verbs = await ask('')
  for (const verb of ['status', 'drain', 'deploy', 'completion']) assert.ok(verbs.includes(verb), verb)
})

for (const { command, builder } of commands)
  test(`weir ${command} --help has an example`, async () => {
    const parser = yargs([])
    const built = typeof builder === 'function' ? await builder(parser) : parser
    const help = await (built as typeof parser).getHelp()
    assert.match(help, /Examples:/)
  })

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { CommandError, Interrupted, NotReachable } from '../../../src/cli/control-errors.ts'
import { DeployData, DeployProgress } from '../../../src/cli/deploy/data.ts'
import type { DeployArguments } from '../../../src/cli/deploy/options.ts'
import { planDeploy } from '../../../src/cli/deploy/plan.ts'
import { type DeploySignals, rollOut } from '../../../src/cli/deploy/rollout.ts'
import { type FakeFleet, fakeFleet } from './lib/fake-fleet.ts'

interface Ran {
  fleet: FakeFleet
  report: DeployData
}

interface Case {
  names?: string
  args?: Partial<DeployArguments>
  /** Before the plan is made. */
  prepare?: (fleet: FakeFleet, interrupt: () => void) => void
}

/** Plans and deploys; what it reports is held to its schema. */
async function deployed({ names = 'abc', args = {}, prepare }: Case): Promise<Ran> {
  const fleet = fakeFleet(names, args)
  const { signals, interrupt } = interrupts()
  prepare?.(fleet, interrupt)
  const report = await rollOut(planDeploy(fleet.upstream(), fleet.kit.options), fleet.kit, signals)
  assert.deepEqual(Value.Errors(DeployData, report), [])
  for (const event of fleet.events) assert.deepEqual(Value.Errors(DeployProgress, event), [])
  return { fleet, report }
}

function interrupts(): { signals: DeploySignals; interrupt: () => void } {
  const [first, second] = [new AbortController(), new AbortController()]
  const interrupt = () => (first.signal.aborted ? second : first).abort(new Interrupted('interrupted'))
  return { signals: { stop: first.signal, stopNow: second.signal }, interrupt }
}

const outcomes = ({ report }: Ran) => report.servers.map(({ outcome }) => outcome).join(' ')
const versions = ({ fleet }: Ran) => fleet.servers.map(({ version }) => version).join(' ')
const admins = ({ fleet }: Ran) => fleet.servers.map(({ admin }) => admin).join(' ')
const noteOf = ({ report }: Ran, id: string) => report.servers.find(({ server }) => server === id)?.note ?? ''
const fails = (id: string) => (fleet: FakeFleet) => {
  const usual = fleet.onCommand
  fleet.onCommand = (server, text) => (server.id === id && text.startsWith('deploy') ? { kind: 'exit', code: 7 } : usual(server, text))
}

test('server after server is drained, emptied, renewed, checked, given traffic and watched', async () => {
  const ran = await deployed({})
  assert.deepEqual([ran.report.exit, outcomes(ran), versions(ran), admins(ran)], [0, 'done done done', 'new new new', 'ready ready ready'])
  const steps = ran.fleet.calls.filter(({ what }) => !['status', 'figures', 'sleep'].includes(what))
  assert.deepEqual(
    steps
      .filter(({ server }) => server === 'api/b')
      .map(({ what, text }) => (what === 'wait' ? (JSON.parse(text) as { condition: string }).condition : what)),
    ['drain', 'drained', 'run', 'checked', 'ready', 'up'],
  )
  assert.deepEqual([...new Set(steps.map(({ server }) => server))], ['api/a', 'api/b', 'api/c'])
  assert.equal(ran.fleet.calls.find(({ what }) => what === 'run')?.text, "deploy 'a'")
  assert.deepEqual(
    ran.report.servers[0]?.steps.map(({ step }) => step),
    ['draining', 'emptying', 'running', 'checking', 'returning', 'soaking'],
  )
  assert.equal(ran.report.servers[0]?.steps.at(-1)?.tookMs, 10_000)
})

test('a batch is drained together, and the next one waits until it is done', async () => {
  const ran = await deployed({ names: 'abcd', args: { batch: 2 } })
  const order = ran.fleet.calls
    .filter(({ what }) => what === 'drain' || what === 'ready')
    .map(({ what, server }) => `${what} ${server.slice(4)}`)
  assert.deepEqual(order, ['drain a', 'drain b', 'ready a', 'ready b', 'drain c', 'drain d', 'ready c', 'ready d'])
})

test('what is in flight at the deadline is cut, whether weir answers late or not yet', async () => {
  let late = 0
  const ran = await deployed({
    prepare: (fleet) => {
      fleet.onCall = ({ what, text, server }, when) => {
        if (what !== 'wait' || when !== 'before' || !text.includes('drained') || server !== 'api/a' || late++ > 0) return
        throw new CommandError({ code: 'late', message: 'late', exit: 4 })
      }
    },
  })
  assert.equal(outcomes(ran), 'done done done')
  assert.deepEqual(
    ran.fleet.calls.filter(({ what }) => what === 'cut').map(({ server }) => server),
    ['api/a'],
  )
})

test('a failed command stops the deploy: its server stays drained, the others serve', async () => {
  const ran = await deployed({ prepare: fails('api/b') })
  assert.deepEqual([ran.report.exit, ran.report.outcome, outcomes(ran)], [4, 'failed', 'done left untouched'])
  assert.deepEqual([versions(ran), admins(ran)], ['new old old', 'ready drain ready'])
  assert.match(noteOf(ran, 'api/b'), /exit code 7.*weir ready api\/b/)
  assert.match(ran.report.reason, /^api\/b: the command failed with exit code 7/)
})

test('with a rollback command the failed server is rolled back, and serves', async () => {
  const ran = await deployed({ args: { 'rollback-cmd': 'undo {name}' }, prepare: fails('api/b') })
  assert.deepEqual(
    [ran.report.exit, outcomes(ran), versions(ran), admins(ran)],
    [4, 'done rolled-back untouched', 'new back old', 'ready ready ready'],
  )
})

test('with --rollback-all those that are done are rolled back, too, one by one', async () => {
  const ran = await deployed({ args: { 'rollback-cmd': 'undo {name}', 'rollback-all': true }, prepare: fails('api/c') })
  assert.deepEqual([outcomes(ran), versions(ran)], ['rolled-back rolled-back rolled-back', 'back back back'])
  const undone = ran.fleet.calls.filter(({ what, text }) => what === 'run' && text.startsWith('undo')).map(({ server }) => server)
  assert.deepEqual(undone, ['api/c', 'api/b', 'api/a'])
})

test('a rollback that fails leaves its server drained and says so', async () => {
  const args = { 'rollback-cmd': 'undo {name}' }
  const ran = await deployed({
    args,
    prepare: (fleet) => {
      fleet.onCommand = () => ({ kind: 'late' })
    },
  })
  assert.deepEqual([outcomes(ran), admins(ran)], ['left untouched untouched', 'drain ready ready'])
  assert.match(noteOf(ran, 'api/a'), /did not end within 5m and was killed; then its rollback .* weir ready api\/a/)
})

test('checks that stay bad stop the deploy', async () => {
  const ran = await deployed({
    prepare: (fleet) => {
      fleet.onCommand = (server) => {
        server.isWell = false
        return { kind: 'exit', code: 0 }
      }
    },
  })
  assert.deepEqual([ran.report.exit, outcomes(ran), admins(ran)], [4, 'left untouched untouched', 'drain ready ready'])
  assert.match(noteOf(ran, 'api/a'), /not 2 good checks in a row within 1m/)
})

test('a server without checks is asked for connections until its time is over', async () => {
  const unchecked = (fleet: FakeFleet) => {
    for (const server of fleet.servers) server.isChecked = false
  }
  const good = await deployed({ prepare: unchecked })
  assert.equal(outcomes(good), 'done done done')
  assert.equal(good.fleet.calls.filter(({ what }) => what === 'reach').length, 6)
  const bad = await deployed({
    prepare: (fleet) => {
      unchecked(fleet)
      fleet.onCommand = (server) => {
        server.isWell = false
        return { kind: 'exit', code: 0 }
      }
    },
  })
  assert.match(noteOf(bad, 'api/a'), /nobody accepts connections at 10\.0\.0\.1:97 within 1m/)
})

for (const [what, change, why] of [
  ['fails', { failing: 0.05 }, /requests failed \(5%\), allowed are 1%/],
  ['fails nearly always', { failing: 0.9 }, /of \d+ requests failed/],
  ['gets slow', { firstByteMs: 200 }, /p99 to the first byte is 200\.0 ms, of the others 5\.0 ms/],
  ['goes down', { state: 'down' }, /went down/],
] as const) {
  test(`a new server that ${what} is taken out again`, async () => {
    const ran = await deployed({
      prepare: (fleet) => {
        fleet.onCommand = (server) => (Object.assign(server, change), { kind: 'exit', code: 0 })
        fleet.onCall = ({ what: verb, server }, when) => {
          // It is down only once it has traffic.
          if (verb === 'drain' && when === 'after') delete fleet.server(server).state
        }
      },
    })
    assert.deepEqual([ran.report.exit, outcomes(ran), admins(ran)], [4, 'left untouched untouched', 'drain ready ready'])
    assert.match(noteOf(ran, 'api/a'), why)
  })
}

test('a new server may be slow in the first half of the time that it is watched', async () => {
  const ran = await deployed({
    prepare: (fleet) => {
      let looks = 0
      fleet.onCommand = (server) => (Object.assign(server, { firstByteMs: 200 }), { kind: 'exit', code: 0 })
      fleet.onCall = ({ what }, when) => {
        if (what === 'run') looks = 0
        if (what === 'figures' && when === 'after' && ++looks === 5) for (const server of fleet.servers) server.firstByteMs = 5
      }
    },
  })
  assert.equal(outcomes(ran), 'done done done')
})

test('the last server is measured by what was before the deploy', async () => {
  const ran = await deployed({
    prepare: (fleet) => {
      fleet.onCommand = (server) => {
        if (server.id === 'api/c') server.firstByteMs = 200
        return { kind: 'exit', code: 0 }
      }
    },
  })
  assert.equal(outcomes(ran), 'done done left')
})

test('a bad server that cannot be spared stays in traffic, and the report says so', async () => {
  const ran = await deployed({
    names: 'ab',
    prepare: (fleet) => {
      fleet.onCommand = (server) => {
        server.failing = 0.1
        fleet.server('api/b').isWell = false
        return { kind: 'exit', code: 0 }
      }
    },
  })
  assert.deepEqual([outcomes(ran), admins(ran)], ['kept untouched', 'ready ready'])
  assert.match(noteOf(ran, 'api/a'), /still gets traffic/)
})

test('a server of an operator is skipped, and with --include-drained deployed and made ready', async () => {
  const prepare = (fleet: FakeFleet) => {
    fleet.server('api/b').admin = 'maint'
  }
  const skipped = await deployed({ names: 'abcd', prepare })
  assert.deepEqual(
    [outcomes(skipped), versions(skipped), admins(skipped)],
    ['done skipped done done', 'new old new new', 'ready maint ready ready'],
  )
  assert.match(noteOf(skipped, 'api/b'), /in maint already/)
  const included = await deployed({ names: 'abcd', prepare, args: { 'include-drained': true } })
  assert.deepEqual([outcomes(included), admins(included)], ['done done done done', 'ready ready ready ready'])
})

test('a server that an operator drains meanwhile is skipped', async () => {
  const ran = await deployed({
    names: 'abcd',
    prepare: (fleet) => {
      const usual = fleet.onCommand
      fleet.onCommand = (server, text) => {
        fleet.server('api/c').admin = 'maint'
        return usual(server, text)
      }
    },
  })
  assert.deepEqual([ran.report.exit, outcomes(ran), admins(ran)], [0, 'done done skipped done', 'ready ready maint ready'])
})

test('the next batch waits for the end of slow starts', async () => {
  const ran = await deployed({
    args: { soak: '0' },
    prepare: (fleet) => {
      const usual = fleet.onCommand
      fleet.onCommand = (server, text) => {
        server.state = 'warming'
        return usual(server, text)
      }
      let looks = 0
      fleet.onCall = ({ what }) => {
        if (what === 'sleep' && ++looks > 400) for (const server of fleet.servers) delete server.state
      }
    },
  })
  assert.equal(outcomes(ran), 'done done done')
  assert.ok(ran.fleet.events.some(({ text }) => /for the end of slow starts/.test(text)))
})

test('a deploy stops when another server is lost and does not come back', async () => {
  const ran = await deployed({
    prepare: (fleet) => {
      const usual = fleet.onCommand
      fleet.onCommand = (server, text) => {
        fleet.server('api/c').isWell = false
        return usual(server, text)
      }
    },
  })
  assert.deepEqual([ran.report.exit, outcomes(ran), admins(ran)], [5, 'done untouched untouched', 'ready ready ready'])
  assert.match(
    ran.report.reason,
    /api\/b cannot be spared: 1 usable server with weight 1 would be left, the floor is 1 server and weight 1\.5/,
  )
})

test('when weir is gone, the report says what is known', async () => {
  const ran = await deployed({
    prepare: (fleet) => {
      let isGone = false
      fleet.onCall = ({ what }) => {
        if (what === 'run') isGone = true
        else if (isGone) throw new NotReachable('nobody answers')
      }
    },
  })
  assert.deepEqual([ran.report.exit, outcomes(ran)], [3, 'left untouched untouched'])
  assert.deepEqual([ran.report.servers[0]?.version, ran.report.servers[0]?.state, ran.report.requests], ['new', null, null])
})

for (const [step, outcome, version, admin] of [
  ['drain', 'restored', 'old', 'ready'],
  ['drained', 'restored', 'old', 'ready'],
  ['run', 'left', 'unknown', 'drain'],
  ['checked', 'left', 'new', 'drain'],
  ['ready', 'unwatched', 'new', 'ready'],
  ['up', 'unwatched', 'new', 'ready'],
  ['soak', 'unwatched', 'new', 'ready'],
] as const) {
  for (const when of ['before', 'after'] as const) {
    test(`Ctrl-C ${when} ${step} takes effect ends the deploy with ${outcome}`, async () => {
      const ran = await deployed({
        prepare: (fleet, interrupt) => {
          let isSoaking = false
          fleet.onCall = ({ what, text, server }, at) => {
            if (what === 'ready') isSoaking = true
            const now =
              what === 'wait' ? (JSON.parse(text) as { condition: string }).condition : isSoaking && what === 'sleep' ? 'soak' : what
            if (now === step && at === when && (server === 'api/a' || now === 'soak')) interrupt()
          }
        },
      })
      const [first] = ran.report.servers
      assert.deepEqual([ran.report.exit, ran.report.outcome, first?.outcome, first?.version], [130, 'interrupted', outcome, version])
      assert.deepEqual([admins(ran), ran.report.servers[1]?.outcome], [`${admin} ready ready`, 'untouched'])
      if (outcome === 'left') assert.match(first?.note ?? '', /weir ready api\/a/)
    })
  }
}

test('a second Ctrl-C ends a rollback', async () => {
  const ran = await deployed({
    args: { 'rollback-cmd': 'undo {name}', 'rollback-all': true },
    prepare: (fleet, interrupt) => {
      fleet.onCall = ({ what, server }, when) => {
        if (what === 'run' && server === 'api/b' && when === 'before') interrupt()
      }
    },
  })
  assert.deepEqual([ran.report.exit, outcomes(ran)], [130, 'done left untouched'])
})
